using FluentMigrator;

namespace Monitoring.Migrations.Migrations;

/// <summary>
/// Ten thousands of open events: cheap to see again, numbered and announced in one go; the parts of their subjects; cursors of sources.
/// </summary>
[Migration(202611291000, "Many events at once, their subjects in parts, cursors of sources")]
public sealed class ManyEvents : Migration
{
    /// <inheritdoc/>
    public override void Up() => Execute.Sql("""
        -- What every check changes (occurrences, last_seen_at, clean_checks, judged_at, indicators) stands in no index, not even in the
        -- predicate of one, and pages have room for it: then seeing an event again writes its row and nothing else.
        DROP INDEX security_events_last_seen_idx;
        CREATE INDEX security_events_resolved_idx ON security_events (resolved_at, first_seen_at) WHERE status = 'resolved';
        ALTER TABLE security_events SET (fillfactor = 50);

        ALTER TABLE security_events
            ADD COLUMN subject_kind     text,
            ADD COLUMN network          text,
            ADD COLUMN account          text,
            ADD COLUMN subject_id       text,
            ADD COLUMN transaction_hash text,
            ADD COLUMN labels           jsonb NOT NULL DEFAULT '{}';
        COMMENT ON COLUMN security_events.subject IS 'The subject''s parts as one text; with the rule id the fingerprint.';
        COMMENT ON COLUMN security_events.subject_kind IS 'A coin, an account. Null, as the other parts, before they were kept.';
        COMMENT ON COLUMN security_events.account IS 'The account that holds the subject, where the subject is part of one.';
        COMMENT ON COLUMN security_events.labels IS 'Texts by name that its rule gave it.';
        UPDATE security_events
           SET subject_kind = 'position', account = split_part(subject, ':', 1), subject_id = substr(subject, strpos(subject, ':') + 1)
         WHERE rule_id = 'hlp.inventory' AND strpos(subject, ':') > 0;

        ALTER TABLE security_event_changes DROP CONSTRAINT security_event_changes_kind_check;
        ALTER TABLE security_event_changes ADD CONSTRAINT security_event_changes_kind_check CHECK (kind IN (
            'opened', 'escalated', 'worsened', 'flapping', 'acknowledged', 'unacknowledged', 'silenced', 'unsilenced', 'reminded',
            'resolved', 'expired', 'reopened'));
        ALTER TABLE notifications DROP CONSTRAINT notifications_kind_check;
        ALTER TABLE notifications ADD CONSTRAINT notifications_kind_check CHECK (kind IN (
            'opened', 'escalated', 'worsened', 'flapping', 'acknowledged', 'unacknowledged', 'silenced', 'unsilenced', 'reminded',
            'resolved', 'expired', 'reopened'));

        -- Who appends many changes takes the counter once and numbers them; single rows are numbered here.
        DROP TRIGGER number_security_event_change ON security_event_changes;
        CREATE TRIGGER number_security_event_change BEFORE INSERT ON security_event_changes
            FOR EACH ROW WHEN (NEW.seq IS NULL) EXECUTE FUNCTION number_security_event_change();

        DROP TRIGGER announce_security_event_change ON security_event_changes;
        CREATE OR REPLACE FUNCTION announce_security_event_change() RETURNS trigger
        LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
        DECLARE
            newest bigint;
        BEGIN
            SELECT max(seq) INTO newest FROM added;
            IF newest IS NOT NULL THEN
                PERFORM pg_notify('security_event_changes', newest::text);
            END IF;
            RETURN NULL;
        END $$;
        COMMENT ON FUNCTION announce_security_event_change() IS
            'Tells listeners of the channel security_event_changes the number of the newest change, once it is committed.';
        CREATE TRIGGER announce_security_event_change AFTER INSERT ON security_event_changes
            REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION announce_security_event_change();

        CREATE TABLE source_cursors (
            monitor    text           NOT NULL,
            source     text           NOT NULL,
            covered    int8multirange NOT NULL CHECK (NOT isempty(covered)),
            read_until bigint         NOT NULL GENERATED ALWAYS AS (upper(covered)) STORED,
            missing    int8multirange NOT NULL GENERATED ALWAYS AS (int8multirange(range_merge(covered)) - covered) STORED,
            updated_at timestamptz    NOT NULL DEFAULT now(),
            PRIMARY KEY (monitor, source)
        );
        COMMENT ON TABLE source_cursors IS 'What each monitor has read of each of its sources, written with the check that read it.';
        COMMENT ON COLUMN source_cursors.covered IS 'All that was read, in numbers of blocks, milliseconds and the like. Only ever grows.';
        COMMENT ON COLUMN source_cursors.missing IS 'What was not read between the first position and the last.';

        SELECT grant_monitoring_roles();
        """);

    /// <summary>An event that expired was resolved, as far as the version before knows.</summary>
    public override void Down() => Execute.Sql("""
        DROP TABLE source_cursors;

        DROP TRIGGER announce_security_event_change ON security_event_changes;
        CREATE OR REPLACE FUNCTION announce_security_event_change() RETURNS trigger
        LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
        BEGIN
            PERFORM pg_notify('security_event_changes', NEW.seq::text);
            RETURN NULL;
        END $$;
        COMMENT ON FUNCTION announce_security_event_change() IS
            'Tells listeners of the channel security_event_changes the number of a new change, once it is committed.';
        CREATE TRIGGER announce_security_event_change AFTER INSERT ON security_event_changes
            FOR EACH ROW EXECUTE FUNCTION announce_security_event_change();

        DROP TRIGGER number_security_event_change ON security_event_changes;
        CREATE TRIGGER number_security_event_change BEFORE INSERT ON security_event_changes
            FOR EACH ROW EXECUTE FUNCTION number_security_event_change();

        UPDATE notifications SET kind = 'resolved' WHERE kind = 'expired';
        ALTER TABLE notifications DROP CONSTRAINT notifications_kind_check;
        ALTER TABLE notifications ADD CONSTRAINT notifications_kind_check
            CHECK (kind IN ('opened', 'escalated', 'acknowledged', 'resolved'));
        UPDATE security_event_changes SET kind = 'resolved' WHERE kind = 'expired';
        ALTER TABLE security_event_changes DROP CONSTRAINT security_event_changes_kind_check;
        ALTER TABLE security_event_changes ADD CONSTRAINT security_event_changes_kind_check
            CHECK (kind IN ('opened', 'escalated', 'acknowledged', 'silenced', 'resolved'));

        COMMENT ON COLUMN security_events.subject IS NULL;
        ALTER TABLE security_events
            DROP COLUMN labels, DROP COLUMN transaction_hash, DROP COLUMN subject_id,
            DROP COLUMN account, DROP COLUMN network, DROP COLUMN subject_kind;
        ALTER TABLE security_events RESET (fillfactor);
        DROP INDEX security_events_resolved_idx;
        CREATE INDEX security_events_last_seen_idx ON security_events (last_seen_at DESC);
        """);
}
