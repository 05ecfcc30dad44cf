using FluentMigrator;

namespace Monitoring.Migrations.Migrations;

/// <summary>A row of the outbox has one writer, and one function says which silences are in force.</summary>
[Migration(202611291100, "One writer per notification, one definition of a silence")]
public sealed class NotificationWriters : Migration
{
    /// <inheritdoc/>
    public override void Up() => Execute.Sql("""
        -- A table function of one SELECT: PostgreSQL puts it into the query that calls it, so that indexes serve it as before.
        CREATE FUNCTION silences_in_force(moment timestamptz) RETURNS TABLE (silence_id uuid, fingerprint text, until timestamptz)
        LANGUAGE sql STABLE AS $$
            SELECT silence_id, fingerprint, until
              FROM public.silences
             WHERE ended_at IS NULL AND until > moment
        $$;
        COMMENT ON FUNCTION silences_in_force(timestamptz) IS 'Whether a fingerprint is silenced is decided here and nowhere else.';

        DROP TRIGGER notify_those_told ON security_event_changes;
        DROP FUNCTION notify_those_told();

        -- Openings and escalations are written by the worker, because who is notified of them is its configuration. Acknowledgements and
        -- ends come from the worker, the read service and commands, and go to whoever was notified of the event: they are
        -- written here.
        CREATE FUNCTION notify_followers() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
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
        COMMENT ON FUNCTION notify_followers() IS 'Writes the notifications of acknowledgements and ends, whoever made the change.';
        CREATE TRIGGER notify_followers AFTER INSERT ON security_event_changes
            REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION notify_followers();

        SELECT grant_monitoring_roles();
        """);

    /// <inheritdoc/>
    public override void Down() => Execute.Sql("""
        DROP TRIGGER notify_followers ON security_event_changes;
        DROP FUNCTION notify_followers();
        DROP FUNCTION silences_in_force(timestamptz);

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
        """);
}
