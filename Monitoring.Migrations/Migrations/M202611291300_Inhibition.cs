using FluentMigrator;

namespace Monitoring.Migrations.Migrations;

/// <summary>Events that speak for others, reminders, flapping; and how messages are grouped.</summary>
[Migration(202611291300, "Inhibition, reminders, flapping, grouping by the minute")]
public sealed class Inhibition : Migration
{
    /// <inheritdoc/>
    public override void Up() => Execute.Sql("""
        ALTER TABLE security_events
            ADD COLUMN covers           text[],
            ADD COLUMN inhibited_by     uuid REFERENCES security_events ON DELETE SET NULL,
            ADD COLUMN notified_at      timestamptz,
            ADD COLUMN asked_after      integer NOT NULL DEFAULT 0,
            ADD COLUMN earlier_openings timestamptz[],
            ADD COLUMN told_measure     numeric;
        COMMENT ON COLUMN security_events.covers IS 'The subjects of events of other rules that it speaks for while it is open.';
        COMMENT ON COLUMN security_events.inhibited_by IS 'The event that speaks for it, or did until its end. See inhibitions_in_force.';
        COMMENT ON COLUMN security_events.notified_at IS 'When people were last to hear of it; null: at its opening.';
        COMMENT ON COLUMN security_events.asked_after IS 'Routes that wait for up to so many seconds for an acknowledgement were asked.';
        COMMENT ON COLUMN security_events.earlier_openings IS
            'The openings of the same fingerprint within the hour before its own; null: none. Three of them: it flaps.';
        COMMENT ON COLUMN security_events.told_measure IS 'While it flaps: the worst measure that people heard of.';
        CREATE INDEX security_events_covering_idx ON security_events (event_id) WHERE covers IS NOT NULL AND status <> 'resolved';
        CREATE INDEX security_events_inhibited_idx ON security_events (inhibited_by) WHERE inhibited_by IS NOT NULL;
        CREATE INDEX security_events_reminder_idx ON security_events (severity, (coalesce(notified_at, first_seen_at)))
            WHERE status = 'open';

        -- Table functions of one SELECT, as silences_in_force: PostgreSQL puts them into the query that calls them.
        CREATE FUNCTION inhibitions_in_force(moment timestamptz) RETURNS TABLE (event_id uuid, inhibited_by uuid)
        LANGUAGE sql STABLE AS $$
            SELECT inhibited.event_id, speaker.event_id
              FROM public.security_events AS inhibited
              JOIN public.security_events AS speaker ON speaker.event_id = inhibited.inhibited_by
             WHERE speaker.status <> 'resolved'
               AND NOT EXISTS (SELECT FROM public.silences_in_force(moment) AS silence WHERE silence.fingerprint = speaker.fingerprint)
        $$;
        COMMENT ON FUNCTION inhibitions_in_force(timestamptz) IS
            'Whether an inhibition holds is decided here and nowhere else: the event that speaks is open and not silenced. Which event '
            'speaks for which, the worker decides by its rules.';

        CREATE FUNCTION announces(kind text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
            SELECT kind IN ('opened', 'escalated', 'worsened', 'flapping', 'reminded')
        $$;
        COMMENT ON FUNCTION announces(text) IS
            'Whether messages of this kind call for people: silences and inhibitions hold those back, and what comes later follows them.';

        ALTER TABLE notifications DROP CONSTRAINT notifications_status_check;
        ALTER TABLE notifications ADD CONSTRAINT notifications_status_check
            CHECK (status IN ('pending', 'delivered', 'dead', 'silenced', 'inhibited'));
        COMMENT ON COLUMN notifications.status IS
            'silenced, inhibited: withdrawn, because its event was acknowledged or resolved while it was that and before anything was '
            'sent.';

        ALTER TABLE notification_channels DROP COLUMN window_until, DROP COLUMN window_critical;
        ALTER TABLE notification_channels ADD COLUMN recent_messages timestamptz[] NOT NULL DEFAULT '{}';
        COMMENT ON COLUMN notification_channels.recent_messages IS
            'When the newest messages left, repeats aside: after some in a minute, what comes is gathered.';

        CREATE OR REPLACE FUNCTION notify_followers() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
        BEGIN
            IF NOT EXISTS (SELECT FROM added WHERE kind IN ('acknowledged', 'resolved', 'expired')) THEN
                RETURN NULL;
            END IF;
            -- What was held back until now is withdrawn: nobody needs to hear of the beginning any more.
            UPDATE public.notifications
               SET status = 'silenced'
             WHERE notification_id = ANY (ARRAY(
                       SELECT held.notification_id
                         FROM added
                        CROSS JOIN LATERAL (SELECT n.notification_id
                                              FROM public.notifications AS n
                                             WHERE n.event_id = added.event_id AND n.status = 'pending' AND n.message_id IS NULL
                                               AND public.announces(n.kind)
                                               AND EXISTS (SELECT FROM public.security_events AS e
                                                             JOIN public.silences_in_force(added.changed_at) USING (fingerprint)
                                                            WHERE e.event_id = n.event_id)
                                            OFFSET 0) AS held
                        WHERE added.kind IN ('acknowledged', 'resolved', 'expired')));
            -- An inhibition holds to the end when the event that speaks ends together with the one that it speaks for.
            IF EXISTS (SELECT FROM added JOIN public.security_events AS e USING (event_id) WHERE e.inhibited_by IS NOT NULL) THEN
                UPDATE public.notifications
                   SET status = 'inhibited'
                 WHERE notification_id = ANY (ARRAY(
                           SELECT held.notification_id
                             FROM added
                            CROSS JOIN LATERAL (SELECT n.notification_id
                                                  FROM public.notifications AS n
                                                  JOIN public.security_events AS e USING (event_id)
                                                 WHERE n.event_id = added.event_id AND n.status = 'pending' AND n.message_id IS NULL
                                                   AND public.announces(n.kind)
                                                   AND (EXISTS (SELECT FROM public.inhibitions_in_force(added.changed_at) AS inhibition
                                                                 WHERE inhibition.event_id = n.event_id)
                                                        OR EXISTS (SELECT FROM added AS ended
                                                                    WHERE ended.event_id = e.inhibited_by
                                                                      AND ended.kind IN ('resolved', 'expired')))
                                                OFFSET 0) AS held
                            WHERE added.kind IN ('acknowledged', 'resolved', 'expired')));
            END IF;
            -- Lateral with DISTINCT, so that the plan reads an index for one change and for 50,000 alike.
            INSERT INTO public.notifications (event_id, seq, channel, kind, severity, created_at)
            SELECT added.event_id, added.seq, notified.channel, added.kind, added.severity, added.changed_at
              FROM added
             CROSS JOIN LATERAL (SELECT DISTINCT n.channel
                                   FROM public.notifications AS n
                                  WHERE n.event_id = added.event_id AND public.announces(n.kind)
                                    AND n.status IN ('pending', 'delivered')) AS notified
             WHERE added.kind IN ('acknowledged', 'resolved', 'expired');
            RETURN NULL;
        END $$;

        SELECT grant_monitoring_roles();
        """);

    /// <inheritdoc/>
    public override void Down() => Execute.Sql("""
        CREATE OR REPLACE FUNCTION notify_followers() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
        BEGIN
            IF NOT EXISTS (SELECT FROM added WHERE kind IN ('acknowledged', 'resolved', 'expired')) THEN
                RETURN NULL;
            END IF;
            -- What a silence held back until now is withdrawn: nobody needs to hear of the beginning any more.
            UPDATE public.notifications
               SET status = 'silenced'
             WHERE notification_id = ANY (ARRAY(
                       SELECT held.notification_id
                         FROM added
                        CROSS JOIN LATERAL (SELECT n.notification_id
                                              FROM public.notifications AS n
                                             WHERE n.event_id = added.event_id AND n.status = 'pending' AND n.message_id IS NULL
                                               AND n.kind IN ('opened', 'escalated')
                                               AND EXISTS (SELECT FROM public.security_events AS e
                                                             JOIN public.silences_in_force(added.changed_at) USING (fingerprint)
                                                            WHERE e.event_id = n.event_id)
                                            OFFSET 0) AS held
                        WHERE added.kind IN ('acknowledged', 'resolved', 'expired')));
            -- Lateral with DISTINCT, so that the plan reads an index for one change and for 50,000 alike.
            INSERT INTO public.notifications (event_id, seq, channel, kind, severity, created_at)
            SELECT added.event_id, added.seq, notified.channel, added.kind, added.severity, added.changed_at
              FROM added
             CROSS JOIN LATERAL (SELECT DISTINCT n.channel
                                   FROM public.notifications AS n
                                  WHERE n.event_id = added.event_id AND n.kind IN ('opened', 'escalated')
                                    AND n.status IN ('pending', 'delivered')) AS notified
             WHERE added.kind IN ('acknowledged', 'resolved', 'expired');
            RETURN NULL;
        END $$;

        -- Made anew, so that its columns stand in their order.
        ALTER TABLE notification_channels RENAME TO notification_channels_later;
        ALTER INDEX notification_channels_pkey RENAME TO notification_channels_later_pkey;
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
        INSERT INTO notification_channels (channel, configured_at, paused_until, last_delivered_at, last_failed_at, last_error)
        SELECT channel, configured_at, paused_until, last_delivered_at, last_failed_at, last_error
          FROM notification_channels_later;
        DROP TABLE notification_channels_later;
        COMMENT ON TABLE notification_channels IS
            'The channels that some worker sends through. A claim locks its row, so that workers share one window per channel.';
        COMMENT ON COLUMN notification_channels.configured_at IS 'When a running worker last had this channel configured.';
        COMMENT ON COLUMN notification_channels.paused_until IS 'The service asked for no message before.';
        COMMENT ON COLUMN notification_channels.window_until IS
            'Until then, what comes is gathered for the next message; window_critical: the message that began the window told of '
            'something critical.';

        UPDATE notifications SET status = 'silenced' WHERE status = 'inhibited';
        ALTER TABLE notifications DROP CONSTRAINT notifications_status_check;
        ALTER TABLE notifications ADD CONSTRAINT notifications_status_check
            CHECK (status IN ('pending', 'delivered', 'dead', 'silenced'));
        COMMENT ON COLUMN notifications.status IS
            'silenced: withdrawn, because its event was acknowledged or resolved while silenced and before anything was sent.';

        DROP FUNCTION inhibitions_in_force(timestamptz);
        DROP FUNCTION announces(text);
        ALTER TABLE security_events
            DROP COLUMN told_measure, DROP COLUMN earlier_openings, DROP COLUMN asked_after, DROP COLUMN notified_at,
            DROP COLUMN inhibited_by, DROP COLUMN covers;

        SELECT grant_monitoring_roles();
        """);
}
