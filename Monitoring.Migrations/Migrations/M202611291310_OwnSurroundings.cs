using FluentMigrator;

namespace Monitoring.Migrations.Migrations;

/// <summary>
/// What the schema does depends on itself alone: its functions look where we mean and read and write times in one way, its roles get our
/// own tables and no others.
/// </summary>
[Migration(202611291310, "Functions with settings of their own, grants on our own tables")]
public sealed class OwnSurroundings : Migration
{
    /// <inheritdoc/>
    public override void Up()
    {
        Execute.Sql(FixedSettingsSql);
        Execute.Sql(OwnGrantsSql);
        Execute.Sql(PartitionsAsNamedSql);
        Execute.Sql("SELECT grant_monitoring_roles();");
    }

    // Not silences_in_force: it is put into the queries that call it only as long as it has no settings, and its one table is named
    // with its schema.
    private const string FixedSettingsSql = """
        ALTER FUNCTION acknowledge_event(uuid, text, text, text, timestamptz) SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC';
        ALTER FUNCTION resolve_event(uuid, text, text, text, timestamptz) SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC';
        ALTER FUNCTION silence_event(text, timestamptz, text, text, text, timestamptz) SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC';
        ALTER FUNCTION record_key_usage(uuid[], bigint[], timestamptz[]) SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC';
        ALTER FUNCTION record_refusals(text[], text[]) SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC';
        ALTER FUNCTION ensure_day_partition(text, date) SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC';
        ALTER FUNCTION drop_day_partitions_before(text, date) SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC';
        ALTER FUNCTION chain_audit_log() SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC';
        ALTER FUNCTION audit_log_hash(bytea, bigint, timestamptz, text[])
            SET search_path = pg_catalog, pg_temp SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC';
        ALTER FUNCTION refuse_audit_log_change() SET search_path = pg_catalog, pg_temp SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC';
        ALTER FUNCTION announce_security_event_change()
            SET search_path = pg_catalog, public, pg_temp SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC';
        ALTER FUNCTION number_security_event_change()
            SET search_path = pg_catalog, public, pg_temp SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC';
        ALTER FUNCTION notify_followers()
            SET search_path = pg_catalog, public, pg_temp SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC';
        ALTER FUNCTION wake_notifiers() SET search_path = pg_catalog, pg_temp SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC';
        """;

    private const string OwnGrantsSql = """
        CREATE TABLE own_tables (
            table_name text PRIMARY KEY
        );
        COMMENT ON TABLE own_tables IS 'The tables that the migrations made: the roles of the programs get rights on these and no others.';
        INSERT INTO own_tables (table_name)
        VALUES ('VersionInfo'), ('api_keys'), ('audit_log'), ('audit_log_head'), ('channel_tests'), ('check_runs'), ('cursor_key'),
               ('hlp_vault_components'), ('hlp_vault_hourly'), ('hlp_vault_inventory'), ('hlp_vault_inventory_hours'),
               ('hlp_vault_snapshots'), ('liquidation_patterns'), ('liquidation_sources'), ('liquidations'), ('monitors'),
               ('notification_channels'), ('notifications'), ('oracle_deviations'), ('security_event_change_counter'),
               ('security_event_changes'), ('security_events'), ('silences'), ('source_cursors');

        -- Called at the end of every migration that makes tables: what that migration made is ours too.
        CREATE OR REPLACE FUNCTION grant_monitoring_roles() RETURNS void LANGUAGE plpgsql
        SET search_path = pg_catalog, public, pg_temp SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC' AS $$
        DECLARE
            own text;
        BEGIN
            INSERT INTO public.own_tables (table_name)
            SELECT relname
              FROM pg_class
             WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
               AND xmin = pg_current_xact_id()::xid
                ON CONFLICT DO NOTHING;
            SELECT string_agg(format('public.%I', relname), ', ') INTO own
              FROM pg_class
              JOIN public.own_tables ON table_name = relname
             WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p');
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'monitoring_owner') THEN
                EXECUTE format('GRANT ALL ON %s TO monitoring_owner', own);
            END IF;
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'monitoring_worker') THEN
                EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO monitoring_worker', own);
                REVOKE INSERT, UPDATE, DELETE ON public."VersionInfo", public.own_tables FROM monitoring_worker;
                REVOKE UPDATE, DELETE ON public.security_event_changes FROM monitoring_worker;
                GRANT EXECUTE ON FUNCTION ensure_day_partition(text, date) TO monitoring_worker;
            END IF;
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'monitoring_api') THEN
                EXECUTE format('GRANT SELECT ON %s TO monitoring_api', own);
            END IF;
        END $$;
        """;

    // Where dates are written in another style, or the zone's abbreviation means another zone too, the bounds were read back as other
    // times, and the rows of those hours had no partition. What is there goes into partitions that hold the day of their name.
    private const string PartitionsAsNamedSql = """
        DO $$
        DECLARE
            wrong record;
            day date;
        BEGIN
            PERFORM set_config('DateStyle', 'ISO, YMD', true), set_config('TimeZone', 'UTC', true);
            FOR wrong IN
                SELECT parent.relname AS parent, child.relname AS child
                  FROM pg_inherits
                  JOIN pg_class AS parent ON parent.oid = inhparent AND parent.relkind = 'p'
                  JOIN own_tables ON table_name = parent.relname
                  JOIN pg_class AS child ON child.oid = inhrelid
                 CROSS JOIN LATERAL (SELECT to_date(right(child.relname, 8), 'YYYYMMDD') AS named) AS bound
                 WHERE parent.relnamespace = 'public'::regnamespace AND right(child.relname, 8) ~ '^[0-9]{8}$'
                   AND pg_get_expr(child.relpartbound, child.oid) <> format(
                           'FOR VALUES FROM (%L) TO (%L)', named::timestamp AT TIME ZONE 'UTC', (named + 1)::timestamp AT TIME ZONE 'UTC')
            LOOP
                EXECUTE format('ALTER TABLE public.%I DETACH PARTITION public.%I', wrong.parent, wrong.child);
                EXECUTE format('ALTER TABLE public.%I RENAME TO %I', wrong.child, wrong.child || '_wrong');
            END LOOP;
            FOR wrong IN
                SELECT parent.relname AS parent, child.relname AS child, attname AS key
                  FROM pg_partitioned_table
                  JOIN pg_class AS parent ON parent.oid = partrelid
                  JOIN own_tables ON table_name = parent.relname
                  JOIN pg_attribute ON attrelid = partrelid AND attnum = partattrs[0]
                  JOIN pg_class AS child ON child.relnamespace = parent.relnamespace AND child.relkind = 'r'
                   AND child.relname ~ ('^' || parent.relname || '_p[0-9]{8}_wrong$')
                 WHERE parent.relnamespace = 'public'::regnamespace
            LOOP
                FOR day IN EXECUTE format('SELECT DISTINCT (%I AT TIME ZONE ''UTC'')::date FROM public.%I', wrong.key, wrong.child) LOOP
                    PERFORM ensure_day_partition(wrong.parent, day);
                END LOOP;
                EXECUTE format('INSERT INTO public.%I SELECT * FROM public.%I', wrong.parent, wrong.child);
                EXECUTE format('DROP TABLE public.%I', wrong.child);
            END LOOP;
        END $$;
        """;

    /// <inheritdoc/>
    public override void Down() => Execute.Sql("""
        CREATE OR REPLACE FUNCTION grant_monitoring_roles() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
        BEGIN
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'monitoring_owner') THEN
                GRANT ALL ON ALL TABLES IN SCHEMA public TO monitoring_owner;
            END IF;
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'monitoring_worker') THEN
                GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO monitoring_worker;
                IF to_regclass('public."VersionInfo"') IS NOT NULL THEN
                    REVOKE INSERT, UPDATE, DELETE ON public."VersionInfo" FROM monitoring_worker;
                END IF;
                IF to_regclass('public.security_event_changes') IS NOT NULL THEN
                    REVOKE UPDATE, DELETE ON public.security_event_changes FROM monitoring_worker;
                END IF;
                GRANT EXECUTE ON FUNCTION ensure_day_partition(text, date) TO monitoring_worker;
            END IF;
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'monitoring_api') THEN
                GRANT SELECT ON ALL TABLES IN SCHEMA public TO monitoring_api;
            END IF;
        END $$;
        DROP TABLE own_tables;

        ALTER FUNCTION acknowledge_event(uuid, text, text, text, timestamptz) RESET DateStyle RESET TimeZone;
        ALTER FUNCTION resolve_event(uuid, text, text, text, timestamptz) RESET DateStyle RESET TimeZone;
        ALTER FUNCTION silence_event(text, timestamptz, text, text, text, timestamptz) RESET DateStyle RESET TimeZone;
        ALTER FUNCTION record_key_usage(uuid[], bigint[], timestamptz[]) RESET DateStyle RESET TimeZone;
        ALTER FUNCTION record_refusals(text[], text[]) RESET DateStyle RESET TimeZone;
        ALTER FUNCTION ensure_day_partition(text, date) RESET DateStyle RESET TimeZone;
        ALTER FUNCTION drop_day_partitions_before(text, date) RESET DateStyle RESET TimeZone;
        ALTER FUNCTION chain_audit_log() RESET DateStyle RESET TimeZone;
        ALTER FUNCTION audit_log_hash(bytea, bigint, timestamptz, text[])
            SET search_path = pg_catalog RESET DateStyle RESET TimeZone;
        ALTER FUNCTION refuse_audit_log_change() SET search_path = pg_catalog RESET DateStyle RESET TimeZone;
        ALTER FUNCTION announce_security_event_change() SET search_path = pg_catalog, public RESET DateStyle RESET TimeZone;
        ALTER FUNCTION number_security_event_change() SET search_path = pg_catalog, public RESET DateStyle RESET TimeZone;
        ALTER FUNCTION notify_followers() SET search_path = pg_catalog, public RESET DateStyle RESET TimeZone;
        ALTER FUNCTION wake_notifiers() RESET ALL;
        """);
}
