using FluentMigrator;

namespace Monitoring.Migrations.Migrations;

/// <summary>What is seen of a trading venue's vault.</summary>
[Migration(202611210920, "Snapshots of a venue's vault and its components")]
public sealed class Venues : Migration
{
    /// <inheritdoc/>
    public override void Up() => Execute.Sql("""
        CREATE TABLE hlp_vault_snapshots (
            vault_address      text        NOT NULL,
            observed_at        timestamptz NOT NULL,
            venue_at           timestamptz NOT NULL,
            account_value      numeric     NOT NULL,
            total_value_locked numeric     NOT NULL,
            pnl_1h             numeric,
            pnl_24h            numeric,
            pnl_7d             numeric,
            pnl_30d            numeric,
            all_time_pnl       numeric     NOT NULL,
            sharpe_ratio       numeric,
            drawdown_pct       numeric     NOT NULL,
            max_drawdown_pct   numeric     NOT NULL,
            z_score            numeric,
            loss_score         numeric     NOT NULL,
            drawdown_score     numeric     NOT NULL,
            volatility_score   numeric     NOT NULL,
            anomaly_score      numeric     NOT NULL,
            is_healthy         boolean     NOT NULL,
            health_issues      text[]      NOT NULL,
            recorded_at        timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (vault_address, observed_at)
        );
        COMMENT ON TABLE hlp_vault_snapshots IS 'What each check saw of a vault; money in USD.';
        COMMENT ON COLUMN hlp_vault_snapshots.observed_at IS 'The scheduled time of the check.';
        COMMENT ON COLUMN hlp_vault_snapshots.venue_at IS 'The time that the venue gave its figures.';
        COMMENT ON COLUMN hlp_vault_snapshots.drawdown_pct IS 'Present fall of flow-adjusted equity from its peak of the last 30 days.';
        COMMENT ON COLUMN hlp_vault_snapshots.max_drawdown_pct IS 'Largest fall of flow-adjusted equity within the last 30 days.';
        CREATE INDEX hlp_vault_snapshots_observed_idx ON hlp_vault_snapshots (observed_at DESC);

        CREATE TABLE hlp_vault_hourly (
            vault_address     text        NOT NULL,
            hour              timestamptz NOT NULL,
            snapshots         integer     NOT NULL,
            account_value_sum numeric     NOT NULL,
            account_value_min numeric     NOT NULL,
            account_value_max numeric     NOT NULL,
            anomaly_score_sum numeric     NOT NULL,
            anomaly_score_max numeric     NOT NULL,
            unhealthy         integer     NOT NULL,
            PRIMARY KEY (vault_address, hour)
        );
        COMMENT ON TABLE hlp_vault_hourly IS 'Sums of hlp_vault_snapshots by UTC hour, kept up to date by the statement that stores a snapshot.';

        CREATE TABLE hlp_vault_components (
            vault_address      text        NOT NULL,
            component_address  text        NOT NULL,
            observed_at        timestamptz NOT NULL,
            account_value      numeric     NOT NULL,
            total_notional_usd numeric     NOT NULL,
            unrealized_pnl     numeric     NOT NULL,
            positions          integer     NOT NULL,
            PRIMARY KEY (vault_address, component_address, observed_at)
        );
        COMMENT ON TABLE hlp_vault_components IS 'The accounts of the vaults of which a vault consists, at each check.';
        CREATE INDEX hlp_vault_components_observed_idx ON hlp_vault_components (vault_address, observed_at);

        SELECT grant_monitoring_roles();
        """);

    /// <inheritdoc/>
    public override void Down() => Execute.Sql("""
        DROP TABLE hlp_vault_components;
        DROP TABLE hlp_vault_hourly;
        DROP TABLE hlp_vault_snapshots;
        """);
}
