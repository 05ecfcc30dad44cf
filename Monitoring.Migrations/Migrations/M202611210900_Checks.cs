using FluentMigrator;

namespace Monitoring.Migrations.Migrations;

/// <summary>Roles, day partitions, the monitors and the ledger of their checks.</summary>
[Migration(202611210900, "Roles, day partitions, monitors and their check runs")]
public sealed class Checks : Migration
{
    /// <inheritdoc/>
    public override void Up() => Execute.Sql("""
        -- Group roles without login. They belong to the whole server, so they may exist already, and another database may be making them at this moment.
        DO $$
        DECLARE
            role_name text;
        BEGIN
            FOREACH role_name IN ARRAY ARRAY['monitoring_owner', 'monitoring_worker', 'monitoring_api'] LOOP
                BEGIN
                    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
                        EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
                    END IF;
                EXCEPTION
                    WHEN insufficient_privilege THEN
                        RAISE NOTICE 'role % cannot be created by this account; everything works with one account', role_name;
                    WHEN duplicate_object OR unique_violation THEN
                        NULL;
                END;
            END LOOP;
        END $$;

        -- Called at the end of every migration that makes tables: grants each role what it needs on all of them.
        CREATE FUNCTION grant_monitoring_roles() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
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
        REVOKE EXECUTE ON FUNCTION grant_monitoring_roles() FROM PUBLIC;

        -- Runs as its owner, because a worker that may only write rows must still be able to store what it sees on a new day.
        CREATE FUNCTION ensure_day_partition(parent text, day date) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        DECLARE
            child text := parent || '_p' || to_char(day, 'YYYYMMDD');
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = to_regclass('public.' || quote_ident(parent))) THEN
                RAISE EXCEPTION 'table % is not partitioned by day', parent;
            END IF;
            IF to_regclass('public.' || quote_ident(child)) IS NOT NULL THEN
                RETURN;
            END IF;
            PERFORM pg_advisory_xact_lock(hashtextextended('partition ' || child, 0));
            EXECUTE format('CREATE TABLE IF NOT EXISTS public.%I PARTITION OF public.%I FOR VALUES FROM (%L) TO (%L)', child, parent,
                           day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
        END $$;
        REVOKE EXECUTE ON FUNCTION ensure_day_partition(text, date) FROM PUBLIC;
        COMMENT ON FUNCTION ensure_day_partition(text, date) IS 'Makes the partition of one UTC day where it is missing.';

        CREATE TABLE monitors (
            monitor          text        PRIMARY KEY,
            interval_seconds integer     NOT NULL CHECK (interval_seconds > 0),
            interval_since   timestamptz NOT NULL
        );
        COMMENT ON TABLE monitors IS 'The monitors that some worker runs, so that silence can be told from calm.';
        COMMENT ON COLUMN monitors.interval_since IS 'When the present interval took effect; gaps are judged from here.';

        CREATE TABLE check_runs (
            monitor      text        NOT NULL,
            scheduled_at timestamptz NOT NULL,
            trigger      text        NOT NULL CHECK (trigger IN ('grid', 'feed')),
            started_at   timestamptz NOT NULL,
            finished_at  timestamptz NOT NULL,
            outcome      text        NOT NULL CHECK (outcome IN ('succeeded', 'failed', 'timed_out')),
            observations integer     NOT NULL,
            findings     integer     NOT NULL,
            error        text,
            worker       text        NOT NULL,
            recorded_at  timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (monitor, scheduled_at),
            CHECK ((outcome = 'succeeded') = (error IS NULL))
        ) PARTITION BY RANGE (scheduled_at);
        COMMENT ON TABLE check_runs IS 'The ledger: one row per monitor and scheduled time, whatever became of the check.';

        SELECT grant_monitoring_roles();
        """);

    /// <summary>The roles stay: they belong to the whole server, and another database may use them.</summary>
    public override void Down() => Execute.Sql("""
        DROP TABLE check_runs;
        DROP TABLE monitors;
        DROP FUNCTION ensure_day_partition(text, date);
        DROP FUNCTION grant_monitoring_roles();
        """);
}
