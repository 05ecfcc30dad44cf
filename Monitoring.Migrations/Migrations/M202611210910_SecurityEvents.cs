using FluentMigrator;

namespace Monitoring.Migrations.Migrations;

/// <summary>Security events and the append-only list of their changes.</summary>
[Migration(202611210910, "Security events and their changes")]
public sealed class SecurityEvents : Migration
{
    /// <inheritdoc/>
    public override void Up() => Execute.Sql("""
        CREATE TABLE security_events (
            event_id           uuid        PRIMARY KEY,
            fingerprint        text        NOT NULL,
            monitor            text        NOT NULL,
            rule_id            text        NOT NULL,
            rule_version       integer     NOT NULL,
            threat_type        text        NOT NULL,
            severity           text        NOT NULL CHECK (severity IN ('info', 'low', 'medium', 'high', 'critical')),
            status             text        NOT NULL CHECK (status IN ('open', 'acknowledged', 'resolved')),
            subject            text        NOT NULL,
            title              text        NOT NULL,
            description        text        NOT NULL,
            indicators         jsonb       NOT NULL,
            related_addresses  text[]      NOT NULL,
            estimated_loss_usd numeric,
            occurrences        bigint      NOT NULL CHECK (occurrences > 0),
            clean_checks       integer     NOT NULL,
            first_seen_at      timestamptz NOT NULL,
            last_seen_at       timestamptz NOT NULL,
            judged_at          timestamptz NOT NULL,
            acknowledged_at    timestamptz,
            acknowledged_by    text,
            resolved_at        timestamptz,
            resolution         text,
            CHECK ((status = 'resolved') = (resolved_at IS NOT NULL)),
            CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL)),
            CHECK (first_seen_at <= last_seen_at)
        );
        COMMENT ON TABLE security_events IS 'The lasting record of a finding: open, then perhaps acknowledged, then resolved.';
        COMMENT ON COLUMN security_events.fingerprint IS 'Rule id and subject; unique among events that are not resolved.';
        COMMENT ON COLUMN security_events.indicators IS 'The newest values of the rule''s evidence.';
        COMMENT ON COLUMN security_events.clean_checks IS 'Successful checks in a row that judged the rule and did not find it, since last_seen_at.';
        COMMENT ON COLUMN security_events.judged_at IS 'The newest check that found it or found it gone.';
        CREATE UNIQUE INDEX security_events_unresolved_fingerprint_key ON security_events (fingerprint) WHERE status <> 'resolved';
        CREATE INDEX security_events_unresolved_monitor_idx ON security_events (monitor) WHERE status <> 'resolved';
        CREATE INDEX security_events_fingerprint_idx ON security_events (fingerprint, first_seen_at DESC, event_id DESC);
        CREATE INDEX security_events_list_idx ON security_events ((status <> 'resolved') DESC, first_seen_at DESC, event_id DESC);
        CREATE INDEX security_events_first_seen_idx ON security_events (first_seen_at DESC, event_id DESC);
        CREATE INDEX security_events_last_seen_idx ON security_events (last_seen_at DESC);

        CREATE TABLE security_event_changes (
            seq          bigint      PRIMARY KEY,
            event_id     uuid        NOT NULL REFERENCES security_events ON DELETE CASCADE,
            changed_at   timestamptz NOT NULL,
            scheduled_at timestamptz,
            kind         text        NOT NULL CHECK (kind IN ('opened', 'escalated', 'acknowledged', 'silenced', 'resolved')),
            severity     text        NOT NULL CHECK (severity IN ('info', 'low', 'medium', 'high', 'critical')),
            actor        text        NOT NULL,
            note         text,
            evidence     jsonb
        );
        COMMENT ON TABLE security_event_changes IS 'Every change of every event; append only.';
        COMMENT ON COLUMN security_event_changes.seq IS 'In commit order and without holes, so that a reader who has seen n has seen all up to n.';
        COMMENT ON COLUMN security_event_changes.evidence IS 'Values, thresholds and arithmetic of the finding at that moment.';
        CREATE INDEX security_event_changes_event_idx ON security_event_changes (event_id, seq);

        -- A sequence leaves holes and hands out numbers before they are committed; the lock on this one row does neither.
        CREATE TABLE security_event_change_counter (
            only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
            last_seq bigint  NOT NULL
        );
        INSERT INTO security_event_change_counter (last_seq) VALUES (0);

        CREATE FUNCTION number_security_event_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
        BEGIN
            UPDATE public.security_event_change_counter SET last_seq = last_seq + 1 RETURNING last_seq INTO NEW.seq;
            RETURN NEW;
        END $$;
        CREATE TRIGGER number_security_event_change BEFORE INSERT ON security_event_changes
            FOR EACH ROW EXECUTE FUNCTION number_security_event_change();

        SELECT grant_monitoring_roles();
        """);

    /// <inheritdoc/>
    public override void Down() => Execute.Sql("""
        DROP TABLE security_event_changes;
        DROP FUNCTION number_security_event_change();
        DROP TABLE security_event_change_counter;
        DROP TABLE security_events;
        """);
}
