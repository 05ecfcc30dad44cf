using FluentMigrator;

namespace Monitoring.Migrations.Migrations;

/// <summary>The outbox: notifications, the channels that take them, and silences.</summary>
[Migration(202611211100, "Notifications, their channels, and silences")]
public sealed class Notifications : Migration
{
    /// <inheritdoc/>
    public override void Up() => Execute.Sql("""
        CREATE TABLE silences (
            silence_id  uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
            fingerprint text        NOT NULL CHECK (fingerprint <> ''),
            until       timestamptz NOT NULL,
            note        text,
            created_by  text        NOT NULL,
            created_at  timestamptz NOT NULL DEFAULT now(),
            ended_at    timestamptz,
            CHECK (until > created_at)
        );
        COMMENT ON TABLE silences IS 'No opened or escalated message leaves for this fingerprint until then; measuring goes on.';
        COMMENT ON COLUMN silences.ended_at IS 'When an operator ended it before its time.';
        CREATE INDEX silences_fingerprint_idx ON silences (fingerprint, until) WHERE ended_at IS NULL;
        CREATE INDEX silences_list_idx ON silences (created_at DESC, silence_id DESC);

        CREATE TABLE notifications (
            notification_id uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
            event_id        uuid        NOT NULL REFERENCES security_events ON DELETE CASCADE,
            seq             bigint      NOT NULL REFERENCES security_event_changes ON DELETE CASCADE,
            channel         text        NOT NULL,
            kind            text        NOT NULL CHECK (kind IN ('opened', 'escalated', 'acknowledged', 'resolved')),
            severity        text        NOT NULL CHECK (severity IN ('info', 'low', 'medium', 'high', 'critical')),
            status          text        NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'dead', 'silenced')),
            created_at      timestamptz NOT NULL,
            message_id      uuid,
            attempts        integer     NOT NULL DEFAULT 0,
            next_attempt_at timestamptz,
            claimed_by      text,
            give_up_at      timestamptz,
            delivered_at    timestamptz,
            dead_at         timestamptz,
            last_error      text,
            UNIQUE (seq, channel),
            CHECK ((status = 'delivered') = (delivered_at IS NOT NULL)),
            CHECK ((status = 'dead') = (dead_at IS NOT NULL))
        );
        COMMENT ON TABLE notifications IS 'The outbox: one row per change of an event and channel, written in the transaction of the change.';
        COMMENT ON COLUMN notifications.status IS 'silenced: withdrawn, because its event was acknowledged or resolved while silenced and before anything was sent.';
        COMMENT ON COLUMN notifications.message_id IS 'The message it is or was sent in, given before the first attempt and kept by repeats: the id that receivers see. Rows that share it went as one message.';
        COMMENT ON COLUMN notifications.attempts IS 'Attempts begun.';
        COMMENT ON COLUMN notifications.next_attempt_at IS 'Null: at once. While an attempt runs, when another worker may take it over.';
        CREATE INDEX notifications_pending_idx ON notifications (channel, seq) WHERE status = 'pending';
        CREATE INDEX notifications_pending_message_idx ON notifications (message_id) WHERE status = 'pending';
        CREATE INDEX notifications_event_idx ON notifications (event_id, channel, seq);
        CREATE INDEX notifications_dead_idx ON notifications (channel, dead_at DESC) WHERE status = 'dead';

        CREATE TABLE notification_channels (
            channel           text        PRIMARY KEY,
            configured_at     timestamptz NOT NULL,
            window_until      timestamptz,
            window_critical   boolean     NOT NULL DEFAULT false,
            paused_until      timestamptz,
            last_delivered_at timestamptz,
            last_failed_at    timestamptz,
            last_error        text
        );
        COMMENT ON TABLE notification_channels IS 'The channels that some worker sends through. A claim locks its row, so that workers share one window per channel.';
        COMMENT ON COLUMN notification_channels.configured_at IS 'When a running worker last had this channel configured.';
        COMMENT ON COLUMN notification_channels.window_until IS 'Until then, what comes is gathered for the next message; window_critical: the message that began the window told of something critical.';
        COMMENT ON COLUMN notification_channels.paused_until IS 'The service asked for no message before.';

        -- Whoever was told of an event is told how it goes on, whoever changes it: the worker, the read service or a command.
        CREATE FUNCTION notify_those_told() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
        BEGIN
            IF NEW.kind <> 'escalated' THEN
                UPDATE public.notifications
                   SET status = 'silenced'
                 WHERE event_id = NEW.event_id
                   AND status = 'pending'
                   AND message_id IS NULL
                   AND kind IN ('opened', 'escalated')
                   AND EXISTS (SELECT FROM public.security_events
                                 JOIN public.silences USING (fingerprint)
                                WHERE security_events.event_id = NEW.event_id AND until > NEW.changed_at AND ended_at IS NULL);
            END IF;
            INSERT INTO public.notifications (event_id, seq, channel, kind, severity, created_at)
            SELECT DISTINCT NEW.event_id, NEW.seq, channel, NEW.kind, NEW.severity, NEW.changed_at
              FROM public.notifications
             WHERE event_id = NEW.event_id
               AND kind IN ('opened', 'escalated')
               AND status IN ('pending', 'delivered')
                ON CONFLICT (seq, channel) DO NOTHING;
            RETURN NULL;
        END $$;
        CREATE TRIGGER notify_those_told AFTER INSERT ON security_event_changes
            FOR EACH ROW WHEN (NEW.kind IN ('escalated', 'acknowledged', 'resolved')) EXECUTE FUNCTION notify_those_told();

        CREATE FUNCTION wake_notifiers() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_notify('notifications', '');
            RETURN NULL;
        END $$;
        CREATE TRIGGER wake_notifiers AFTER INSERT ON notifications FOR EACH STATEMENT EXECUTE FUNCTION wake_notifiers();

        SELECT grant_monitoring_roles();
        """);

    /// <inheritdoc/>
    public override void Down() => Execute.Sql("""
        DROP TRIGGER notify_those_told ON security_event_changes;
        DROP FUNCTION notify_those_told();
        DROP TABLE notification_channels;
        DROP TABLE notifications;
        DROP FUNCTION wake_notifiers();
        DROP TABLE silences;
        """);
}
