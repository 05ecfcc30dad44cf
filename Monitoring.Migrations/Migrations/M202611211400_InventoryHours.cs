using FluentMigrator;

namespace Monitoring.Migrations.Migrations;

/// <summary>The hourly peaks of what the component vaults hold, so that a week is read from some thousand rows.</summary>
[Migration(202611211400, "Hourly peaks of the component vaults' positions")]
public sealed class InventoryHours : Migration
{
    /// <inheritdoc/>
    public override void Up() => Execute.Sql("""
        CREATE TABLE hlp_vault_inventory_hours (
            vault_address text        NOT NULL,
            coin          text        NOT NULL,
            hour_at       timestamptz NOT NULL,
            notional_usd  numeric     NOT NULL,
            share_pct     numeric,
            PRIMARY KEY (vault_address, coin, hour_at)
        );
        COMMENT ON TABLE hlp_vault_inventory_hours IS 'The largest notional and share of each position within each hour (UTC); kept up by the transaction that writes hlp_vault_inventory, and kept when its partitions go.';
        CREATE INDEX hlp_vault_inventory_hours_hour_idx ON hlp_vault_inventory_hours (hour_at);
        INSERT INTO hlp_vault_inventory_hours (vault_address, coin, hour_at, notional_usd, share_pct)
        SELECT vault_address, coin, date_bin('1 hour', observed_at, 'epoch'), max(notional_usd), max(share_pct)
          FROM hlp_vault_inventory
         GROUP BY 1, 2, 3;

        SELECT grant_monitoring_roles();
        """);

    /// <inheritdoc/>
    public override void Down() => Execute.Sql("DROP TABLE hlp_vault_inventory_hours");
}
