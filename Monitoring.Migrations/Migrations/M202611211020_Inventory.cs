using FluentMigrator;

namespace Monitoring.Migrations.Migrations;

/// <summary>What the component vaults hold, and the end of partitions that have grown old.</summary>
[Migration(202611211020, "Positions of the component vaults; old partitions go")]
public sealed class Inventory : Migration
{
    /// <inheritdoc/>
    public override void Up() => Execute.Sql("""
        CREATE TABLE hlp_vault_inventory (
            vault_address     text        NOT NULL,
            parent_address    text        NOT NULL,
            coin              text        NOT NULL,
            observed_at       timestamptz NOT NULL,
            size              numeric     NOT NULL,
            notional_usd      numeric     NOT NULL,
            unrealized_pnl    numeric     NOT NULL,
            share_pct         numeric,
            open_interest_pct numeric,
            PRIMARY KEY (vault_address, coin, observed_at)
        ) PARTITION BY RANGE (observed_at);
        COMMENT ON TABLE hlp_vault_inventory IS 'One row per open position of a component vault and check; money in USD.';
        COMMENT ON COLUMN hlp_vault_inventory.vault_address IS 'The component vault that holds the position.';
        COMMENT ON COLUMN hlp_vault_inventory.size IS 'In base units; a short is negative.';
        COMMENT ON COLUMN hlp_vault_inventory.notional_usd IS 'Without sign.';
        COMMENT ON COLUMN hlp_vault_inventory.share_pct IS 'Notional in percent of the parent''s account value; null where that was not above zero.';
        COMMENT ON COLUMN hlp_vault_inventory.open_interest_pct IS 'Size in percent of the coin''s open interest; null where that was not known.';
        CREATE INDEX hlp_vault_inventory_list_idx ON hlp_vault_inventory (observed_at DESC, vault_address, coin);

        -- Runs as its owner, as ensure_day_partition does. Waits little for readers: who comes back in a minute need not hold everybody up.
        CREATE FUNCTION drop_day_partitions_before(parent text, day date) RETURNS SETOF text
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '5s' AS $$
        DECLARE
            child text;
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = to_regclass('public.' || quote_ident(parent))) THEN
                RAISE EXCEPTION 'table % is not partitioned by day', parent;
            END IF;
            IF day > (now() AT TIME ZONE 'UTC')::date THEN
                RAISE EXCEPTION 'partitions before % may not be dropped: that day has not come', day;
            END IF;
            FOR child IN
                SELECT relname
                  FROM pg_inherits
                  JOIN pg_class ON pg_class.oid = inhrelid
                 WHERE inhparent = to_regclass('public.' || quote_ident(parent))
                   AND left(relname, -8) = parent || '_p'
                   AND right(relname, 8) ~ '^[0-9]{8}$'
                   AND right(relname, 8) < to_char(day, 'YYYYMMDD')
                 ORDER BY relname
            LOOP
                EXECUTE format('DROP TABLE IF EXISTS public.%I', child);
                RETURN NEXT child;
            END LOOP;
        END $$;
        REVOKE EXECUTE ON FUNCTION drop_day_partitions_before(text, date) FROM PUBLIC;
        COMMENT ON FUNCTION drop_day_partitions_before(text, date) IS 'Drops the partitions of all UTC days before this one and answers their names.';
        DO $$
        BEGIN
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'monitoring_worker') THEN
                GRANT EXECUTE ON FUNCTION drop_day_partitions_before(text, date) TO monitoring_worker;
            END IF;
        END $$;

        SELECT grant_monitoring_roles();
        """);

    /// <inheritdoc/>
    public override void Down() => Execute.Sql("""
        DROP FUNCTION drop_day_partitions_before(text, date);
        DROP TABLE hlp_vault_inventory;
        """);
}
