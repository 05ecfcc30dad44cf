using FluentMigrator;

namespace Monitoring.Migrations.Migrations;

/// <summary>What operators may do to events, as functions: the only way in which the read service changes anything.</summary>
[Migration(202611211201, "Operator actions: acknowledge, resolve, silence")]
public sealed class OperatorActions : Migration
{
    /// <inheritdoc/>
    public override void Up() => Execute.Sql("""
        -- All three lock the event first, then number the change, then the audit row: the order of every other writer. They answer what came of it:
        -- done, unchanged (it was so already), resolved (it is over) or not_found.
        CREATE FUNCTION acknowledge_event(target uuid, by_actor text, from_origin text, said text, moment timestamptz) RETURNS text
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        DECLARE
            found_event public.security_events%ROWTYPE;
        BEGIN
            SELECT * INTO found_event FROM public.security_events WHERE event_id = target FOR UPDATE;
            IF NOT FOUND THEN
                RETURN 'not_found';
            ELSIF found_event.status <> 'open' THEN
                RETURN CASE found_event.status WHEN 'resolved' THEN 'resolved' ELSE 'unchanged' END;
            END IF;
            UPDATE public.security_events SET status = 'acknowledged', acknowledged_at = moment, acknowledged_by = by_actor WHERE event_id = target;
            INSERT INTO public.security_event_changes (event_id, changed_at, kind, severity, actor, note)
            VALUES (target, moment, 'acknowledged', found_event.severity, by_actor, said);
            INSERT INTO public.audit_log (actor, origin, action, subject, detail) VALUES (by_actor, from_origin, 'event.acknowledge', target::text, coalesce(said, ''));
            RETURN 'done';
        END $$;

        CREATE FUNCTION resolve_event(target uuid, by_actor text, from_origin text, said text, moment timestamptz) RETURNS text
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        DECLARE
            found_event public.security_events%ROWTYPE;
        BEGIN
            SELECT * INTO found_event FROM public.security_events WHERE event_id = target FOR UPDATE;
            IF NOT FOUND THEN
                RETURN 'not_found';
            ELSIF found_event.status = 'resolved' THEN
                RETURN CASE WHEN EXISTS (SELECT FROM public.security_event_changes
                                          WHERE event_id = target AND kind = 'resolved' AND actor = by_actor AND note = said) THEN 'unchanged' ELSE 'resolved' END;
            END IF;
            -- Not before the newest check that judged it, so that a result on its way with an older time does not open it anew.
            UPDATE public.security_events SET status = 'resolved', resolved_at = greatest(moment, judged_at), resolution = said WHERE event_id = target;
            INSERT INTO public.security_event_changes (event_id, changed_at, kind, severity, actor, note)
            VALUES (target, moment, 'resolved', found_event.severity, by_actor, said);
            INSERT INTO public.audit_log (actor, origin, action, subject, detail) VALUES (by_actor, from_origin, 'event.resolve', target::text, said);
            RETURN 'done';
        END $$;

        -- A new silence takes the place of the one in force, so that it can be made shorter as well as longer. Only what was found once can be silenced:
        -- a misspelt fingerprint would silence nothing.
        CREATE FUNCTION silence_event(target_fingerprint text, silent_until timestamptz, by_actor text, from_origin text, said text, moment timestamptz,
                                      OUT outcome text, OUT made_silence uuid)
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        DECLARE
            found_event public.security_events%ROWTYPE;
        BEGIN
            SELECT * INTO found_event FROM public.security_events
             WHERE event_id = (SELECT event_id FROM public.security_events WHERE fingerprint = target_fingerprint ORDER BY first_seen_at DESC, event_id DESC LIMIT 1)
               FOR UPDATE;
            IF NOT FOUND THEN
                outcome := 'not_found';
                RETURN;
            END IF;
            SELECT silence_id INTO made_silence FROM public.silences
             WHERE fingerprint = target_fingerprint AND ended_at IS NULL AND until = silent_until AND created_by = by_actor AND note IS NOT DISTINCT FROM said;
            IF FOUND THEN
                outcome := 'unchanged';
                RETURN;
            END IF;
            UPDATE public.silences SET ended_at = moment WHERE fingerprint = target_fingerprint AND ended_at IS NULL AND until > moment;
            INSERT INTO public.silences (fingerprint, until, note, created_by, created_at) VALUES (target_fingerprint, silent_until, said, by_actor, moment)
            RETURNING silence_id INTO made_silence;
            IF found_event.status <> 'resolved' THEN
                INSERT INTO public.security_event_changes (event_id, changed_at, kind, severity, actor, note)
                VALUES (found_event.event_id, moment, 'silenced', found_event.severity, by_actor,
                        concat_ws(': ', 'until ' || to_char(silent_until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), said));
            END IF;
            INSERT INTO public.audit_log (actor, origin, action, subject, detail)
            VALUES (by_actor, from_origin, 'event.silence', target_fingerprint,
                    concat_ws(': ', 'until ' || to_char(silent_until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), said));
            outcome := 'done';
        END $$;

        REVOKE EXECUTE ON FUNCTION acknowledge_event(uuid, text, text, text, timestamptz), resolve_event(uuid, text, text, text, timestamptz),
                                   silence_event(text, timestamptz, text, text, text, timestamptz) FROM PUBLIC;
        DO $$
        DECLARE
            grantee text;
        BEGIN
            FOR grantee IN SELECT rolname FROM pg_roles WHERE rolname IN ('monitoring_api', 'monitoring_worker') LOOP
                EXECUTE format('GRANT EXECUTE ON FUNCTION acknowledge_event(uuid, text, text, text, timestamptz), resolve_event(uuid, text, text, text, timestamptz), '
                               'silence_event(text, timestamptz, text, text, text, timestamptz) TO %I', grantee);
            END LOOP;
        END $$;
        """);

    /// <inheritdoc/>
    public override void Down() => Execute.Sql("""
        DROP FUNCTION silence_event(text, timestamptz, text, text, text, timestamptz);
        DROP FUNCTION resolve_event(uuid, text, text, text, timestamptz);
        DROP FUNCTION acknowledge_event(uuid, text, text, text, timestamptz);
        """);
}
