using FluentMigrator;

namespace Monitoring.Migrations.Migrations;

/// <summary>A worker says every few seconds that it lives, so that one that vanished or stands still is missed at once.</summary>
[Migration(202611301200, "The worker's own pulse")]
public sealed class WorkerPulses : Migration
{
    /// <inheritdoc/>
    public override void Up() => Execute.Sql("""
        -- Changed every few seconds: no index holds what changes, and each page has room for the next version of its rows.
        CREATE TABLE worker_pulses (
            worker text PRIMARY KEY,
            version text NOT NULL,
            started_at timestamptz NOT NULL,
            pulsed_at timestamptz NOT NULL,
            stopped_at timestamptz,
            CONSTRAINT worker_pulses_times CHECK (isfinite(started_at) AND isfinite(pulsed_at) AND isfinite(stopped_at))
        ) WITH (fillfactor = 50);
        COMMENT ON TABLE worker_pulses IS 'One row per worker process. All times are the database''s own: no other clock counts.';
        COMMENT ON COLUMN worker_pulses.worker IS 'Host and process id, as in check_runs.';
        COMMENT ON COLUMN worker_pulses.pulsed_at IS 'Moved on every 5 s while the process lives.';
        COMMENT ON COLUMN worker_pulses.stopped_at IS 'When the process ended in good order; NULL = it runs, or it vanished.';

        CREATE FUNCTION try_pulse_write() RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC'
        SET lock_timeout = '1s' AS $$
        BEGIN
            PERFORM FROM public.worker_pulses ORDER BY pulsed_at DESC, worker LIMIT 1 FOR UPDATE;
        END $$;
        COMMENT ON FUNCTION try_pulse_write() IS
            'Does to the newest pulse what a worker needs to be able to do, and changes nothing: whether a pulse could be written now.';
        REVOKE EXECUTE ON FUNCTION try_pulse_write FROM PUBLIC;
        DO $$
        BEGIN
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'monitoring_api') THEN
                GRANT EXECUTE ON FUNCTION try_pulse_write TO monitoring_api;
            END IF;
        END $$;

        SELECT grant_monitoring_roles();
        """);

    /// <inheritdoc/>
    public override void Down() => Execute.Sql("""
        DROP FUNCTION try_pulse_write();
        DROP TABLE worker_pulses;
        """);
}
