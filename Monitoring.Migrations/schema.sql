CREATE FUNCTION public.acknowledge_event(target uuid, by_actor text, from_origin text, said text, moment timestamp with time zone) RETURNS text
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "TimeZone" TO 'UTC'
    AS $$
    SELECT public.apply_acknowledgement(
        target, public.checked_line('actor', by_actor, 64, true), public.checked_line('origin', from_origin, 200, true),
        public.checked_line('note', said, 2000, false),
        public.checked_moment(moment, (SELECT first_seen_at FROM public.security_events WHERE event_id = target)))
$$;
CREATE FUNCTION public.announce_security_event_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "TimeZone" TO 'UTC'
    AS $$
DECLARE
    newest bigint;
BEGIN
    SELECT max(seq) INTO newest FROM added;
    IF newest IS NOT NULL THEN
        PERFORM pg_notify('security_event_changes', newest::text);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION public.announce_security_event_change() IS 'Tells listeners of the channel security_event_changes the number of the newest change, once it is committed.';
CREATE FUNCTION public.announces(kind text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT kind IN ('opened', 'escalated', 'worsened', 'flapping', 'reminded')
$$;
COMMENT ON FUNCTION public.announces(kind text) IS 'Whether messages of this kind call for people: silences and inhibitions hold those back, and what comes later follows them.';
CREATE FUNCTION public.apply_acknowledgement(target uuid, by_actor text, from_origin text, said text, moment timestamp with time zone) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "TimeZone" TO 'UTC'
    AS $$
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
CREATE FUNCTION public.apply_key_usage(ids uuid[], counts bigint[], times timestamp with time zone[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "TimeZone" TO 'UTC'
    AS $$
    UPDATE public.api_keys AS k
       SET requests = k.requests + used.n, last_used_at = greatest(k.last_used_at, used.at)
      FROM unnest(ids, counts, times) AS used (id, n, at)
     WHERE k.key_id = used.id AND used.n > 0
$$;
COMMENT ON FUNCTION public.apply_key_usage(ids uuid[], counts bigint[], times timestamp with time zone[]) IS 'Adds to the use of keys what was counted since the last call.';
CREATE FUNCTION public.apply_refusals(origins text[], details text[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "TimeZone" TO 'UTC'
    AS $$
    INSERT INTO public.audit_log (actor, origin, action, subject, detail)
    SELECT 'unknown', left(refused.origin, 100), 'access.refuse', 'api', left(refused.detail, 500) FROM unnest(origins, details) AS refused (origin, detail) LIMIT 10
$$;
COMMENT ON FUNCTION public.apply_refusals(origins text[], details text[]) IS 'Appends summaries of refused requests to the audit log, at most ten in a call.';
CREATE FUNCTION public.apply_resolution(target uuid, by_actor text, from_origin text, said text, moment timestamp with time zone) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "TimeZone" TO 'UTC'
    AS $$
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
CREATE FUNCTION public.apply_silence(target_fingerprint text, silent_until timestamp with time zone, by_actor text, from_origin text, said text, moment timestamp with time zone, OUT outcome text, OUT made_silence uuid) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "TimeZone" TO 'UTC'
    AS $$
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
CREATE FUNCTION public.audit_log_hash(previous_hash bytea, seq bigint, recorded_at timestamp with time zone, VARIADIC texts text[]) RETURNS bytea
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "TimeZone" TO 'UTC'
    AS $$
    SELECT sha256(previous_hash || convert_to(
        seq || ':' || (extract(epoch FROM recorded_at) * 1000000)::bigint
            || (SELECT string_agg(':' || octet_length(convert_to(part, 'UTF8')) || ':' || part, '' ORDER BY place) FROM unnest(texts) WITH ORDINALITY AS given (part, place)),
        'UTF8'))
$$;
CREATE FUNCTION public.chain_audit_log() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "TimeZone" TO 'UTC'
    AS $$
BEGIN
    SELECT last_seq + 1, last_hash INTO STRICT NEW.seq, NEW.previous_hash FROM public.audit_log_head FOR UPDATE;
    NEW.recorded_at := clock_timestamp();
    NEW.hash := public.audit_log_hash(NEW.previous_hash, NEW.seq, NEW.recorded_at, NEW.actor, NEW.origin, NEW.action, NEW.subject, NEW.detail);
    UPDATE public.audit_log_head SET last_seq = NEW.seq, last_hash = NEW.hash;
    RETURN NEW;
END $$;
CREATE FUNCTION public.checked_line(parameter text, given text, longest integer, needed boolean) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "TimeZone" TO 'UTC'
    AS $$
DECLARE
    cleaned text;
BEGIN
    IF length(given) > longest THEN
        PERFORM public.refuse_value(parameter, format('must have at most %s characters', longest));
    END IF;
    cleaned := nullif(public.cleaned_line(given), '');
    IF cleaned IS NULL AND needed THEN
        PERFORM public.refuse_value(parameter, 'must not be empty');
    END IF;
    RETURN cleaned;
END $$;
CREATE FUNCTION public.checked_moment(given timestamp with time zone, first_seen timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "TimeZone" TO 'UTC'
    AS $$
BEGIN
    IF given IS NULL OR NOT isfinite(given) OR given > clock_timestamp() + interval '366 days'
       OR given < coalesce(first_seen, clock_timestamp()) - interval '366 days' THEN
        PERFORM public.refuse_value('time', 'must be at most a year away');
    END IF;
    RETURN least(given, clock_timestamp());
END $$;
CREATE FUNCTION public.cleaned_line(given text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "TimeZone" TO 'UTC'
    AS $$
    SELECT btrim(regexp_replace(
        regexp_replace(given, '[\u061C\u200B\u200C\u200E\u200F\u202A-\u202E\u2060-\u206F\uFEFF]+', '', 'g'),
        '[\u0001-\u0020\u007F-\u00A0\u2028\u2029]+', ' ', 'g'))
$$;
COMMENT ON FUNCTION public.cleaned_line(given text) IS 'One line without characters that control a terminal or change the direction of writing.';
CREATE FUNCTION public.drop_day_partitions_before(parent text, day date) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    SET lock_timeout TO '5s'
    SET "DateStyle" TO 'ISO, YMD'
    SET "TimeZone" TO 'UTC'
    AS $_$
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
END $_$;
COMMENT ON FUNCTION public.drop_day_partitions_before(parent text, day date) IS 'Drops the partitions of all UTC days before this one and answers their names.';
CREATE FUNCTION public.ensure_day_partition(parent text, day date) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "TimeZone" TO 'UTC'
    AS $$
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
COMMENT ON FUNCTION public.ensure_day_partition(parent text, day date) IS 'Makes the partition of one UTC day where it is missing.';
CREATE FUNCTION public.grant_monitoring_roles() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "TimeZone" TO 'UTC'
    AS $$
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
CREATE FUNCTION public.inhibitions_in_force(moment timestamp with time zone) RETURNS TABLE(event_id uuid, inhibited_by uuid)
    LANGUAGE sql STABLE
    AS $$
    SELECT inhibited.event_id, speaker.event_id
      FROM public.security_events AS inhibited
      JOIN public.security_events AS speaker ON speaker.event_id = inhibited.inhibited_by
     WHERE speaker.status <> 'resolved'
       AND NOT EXISTS (SELECT FROM public.silences_in_force(moment) AS silence WHERE silence.fingerprint = speaker.fingerprint)
$$;
COMMENT ON FUNCTION public.inhibitions_in_force(moment timestamp with time zone) IS 'Whether an inhibition holds is decided here and nowhere else: the event that speaks is open and not silenced. Which event speaks for which, the worker decides by its rules.';
CREATE FUNCTION public.notify_followers() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "TimeZone" TO 'UTC'
    AS $$
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
COMMENT ON FUNCTION public.notify_followers() IS 'Writes the notifications of acknowledgements and ends, whoever made the change.';
CREATE FUNCTION public.number_security_event_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "TimeZone" TO 'UTC'
    AS $$
BEGIN
    UPDATE public.security_event_change_counter SET last_seq = last_seq + 1 RETURNING last_seq INTO NEW.seq;
    RETURN NEW;
END $$;
CREATE FUNCTION public.record_key_usage(ids uuid[], counts bigint[], times timestamp with time zone[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "TimeZone" TO 'UTC'
    AS $$
BEGIN
    IF greatest(cardinality(ids), cardinality(counts), cardinality(times)) > 20000 THEN
        PERFORM public.refuse_value('ids', 'must be at most 20000');
    END IF;
    PERFORM public.apply_key_usage(array_agg(id), array_agg(n), array_agg(at))
       FROM unnest(ids, counts, times) AS given (id, n, at)
       JOIN public.api_keys ON key_id = id AND requests < 1000000000000000000
      WHERE n BETWEEN 1 AND 1000000000000 AND isfinite(at) AND at <= clock_timestamp() + interval '366 days';
END $$;
COMMENT ON FUNCTION public.record_key_usage(ids uuid[], counts bigint[], times timestamp with time zone[]) IS 'Adds to the use of keys what was counted since the last call.';
CREATE FUNCTION public.record_refusals(origins text[], details text[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "TimeZone" TO 'UTC'
    AS $$
BEGIN
    IF greatest(cardinality(origins), cardinality(details)) > 100 THEN
        PERFORM public.refuse_value('origins', 'must be at most 100');
    END IF;
    PERFORM public.apply_refusals(
                array_agg(coalesce(nullif(public.cleaned_line(left(origin, 100)), ''), 'unknown') ORDER BY place),
                array_agg(coalesce(public.cleaned_line(left(detail, 500)), '') ORDER BY place))
       FROM unnest(origins, details) WITH ORDINALITY AS given (origin, detail, place);
END $$;
COMMENT ON FUNCTION public.record_refusals(origins text[], details text[]) IS 'Appends summaries of refused requests to the audit log, at most ten in a call.';
CREATE FUNCTION public.refuse_audit_log_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "TimeZone" TO 'UTC'
    AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append only: % on % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE FUNCTION public.refuse_value(parameter text, problem text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "TimeZone" TO 'UTC'
    AS $$
BEGIN
    RAISE EXCEPTION '% %', parameter, problem USING ERRCODE = 'invalid_parameter_value', COLUMN = parameter;
END $$;
COMMENT ON FUNCTION public.refuse_value(parameter text, problem text) IS 'Ends a call: this parameter cannot be taken. The error''s column names it.';
CREATE FUNCTION public.resolve_event(target uuid, by_actor text, from_origin text, said text, moment timestamp with time zone) RETURNS text
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "TimeZone" TO 'UTC'
    AS $$
    SELECT public.apply_resolution(
        target, public.checked_line('actor', by_actor, 64, true), public.checked_line('origin', from_origin, 200, true),
        public.checked_line('note', said, 2000, true),
        public.checked_moment(moment, (SELECT first_seen_at FROM public.security_events WHERE event_id = target)))
$$;
CREATE FUNCTION public.silence_event(target_fingerprint text, silent_until timestamp with time zone, by_actor text, from_origin text, said text, moment timestamp with time zone, OUT outcome text, OUT made_silence uuid) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "TimeZone" TO 'UTC'
    AS $$
BEGIN
    moment := public.checked_moment(moment, (SELECT max(first_seen_at) FROM public.security_events
                                              WHERE fingerprint = target_fingerprint));
    IF silent_until IS NULL OR NOT isfinite(silent_until) OR silent_until <= moment
       OR silent_until > moment + interval '367 days' THEN
        PERFORM public.refuse_value('until', 'must be a time to come, at most a year ahead');
    END IF;
    SELECT made.outcome, made.made_silence INTO outcome, made_silence FROM public.apply_silence(
        target_fingerprint, silent_until, public.checked_line('actor', by_actor, 64, true),
        public.checked_line('origin', from_origin, 200, true), public.checked_line('note', said, 2000, false), moment) AS made;
END $$;
CREATE FUNCTION public.silences_in_force(moment timestamp with time zone) RETURNS TABLE(silence_id uuid, fingerprint text, until timestamp with time zone)
    LANGUAGE sql STABLE
    AS $$
    SELECT silence_id, fingerprint, until
      FROM public.silences
     WHERE ended_at IS NULL AND until > moment
$$;
COMMENT ON FUNCTION public.silences_in_force(moment timestamp with time zone) IS 'Whether a fingerprint is silenced is decided here and nowhere else.';
CREATE FUNCTION public.try_pulse_write() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "TimeZone" TO 'UTC'
    SET lock_timeout TO '1s'
    AS $$
BEGIN
    PERFORM FROM public.worker_pulses ORDER BY pulsed_at DESC, worker LIMIT 1 FOR UPDATE;
END $$;
COMMENT ON FUNCTION public.try_pulse_write() IS 'Does to the newest pulse what a worker needs to be able to do, and changes nothing: whether a pulse could be written now.';
CREATE FUNCTION public.wake_notifiers() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "TimeZone" TO 'UTC'
    AS $$
BEGIN
    PERFORM pg_notify('notifications', '');
    RETURN NULL;
END $$;
CREATE TABLE public."VersionInfo" (
    "Version" bigint NOT NULL,
    "AppliedOn" timestamp without time zone,
    "Description" character varying(1024)
);
CREATE TABLE public.api_keys (
    key_id uuid NOT NULL,
    name text NOT NULL,
    prefix text NOT NULL,
    key_hash bytea NOT NULL,
    scopes text[] NOT NULL,
    requests_per_minute integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    created_by text NOT NULL,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    revoked_by text,
    last_used_at timestamp with time zone,
    requests bigint DEFAULT 0 NOT NULL,
    CONSTRAINT api_keys_check CHECK (((revoked_at IS NULL) = (revoked_by IS NULL))),
    CONSTRAINT api_keys_key_hash_check CHECK ((octet_length(key_hash) = 32)),
    CONSTRAINT api_keys_name_check CHECK (((name ~ '^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$'::text) AND (name <> ALL (ARRAY['anonymous'::text, 'worker'::text])))),
    CONSTRAINT api_keys_requests_per_minute_check CHECK (((requests_per_minute >= 1) AND (requests_per_minute <= 1000000))),
    CONSTRAINT api_keys_scopes_check CHECK (((scopes <@ ARRAY['read'::text, 'operate'::text]) AND (cardinality(scopes) > 0)))
);
COMMENT ON TABLE public.api_keys IS 'Keys of the read service. The key itself is stored nowhere, only its SHA-256.';
COMMENT ON COLUMN public.api_keys.prefix IS 'The first characters of the key, for people to recognise it.';
CREATE TABLE public.audit_log (
    seq bigint NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    origin text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    detail text NOT NULL,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL
);
COMMENT ON TABLE public.audit_log IS 'What operators did and whom the read service refused; append only. Number, time and hashes are the database''s own.';
COMMENT ON COLUMN public.audit_log.origin IS 'Where from: an address, or the machine of the command line.';
COMMENT ON COLUMN public.audit_log.hash IS 'SHA-256 over previous_hash and the row''s other columns, as audit_log_hash writes them.';
CREATE TABLE public.audit_log_head (
    only_row boolean DEFAULT true NOT NULL,
    last_seq bigint NOT NULL,
    last_hash bytea NOT NULL,
    CONSTRAINT audit_log_head_only_row_check CHECK (only_row)
);
COMMENT ON TABLE public.audit_log_head IS 'Number and hash of the newest row of audit_log, so that a removed last row is missed.';
CREATE TABLE public.channel_tests (
    test_id uuid NOT NULL,
    channel text NOT NULL,
    tested_at timestamp with time zone NOT NULL,
    outcome text NOT NULL,
    reason text,
    CONSTRAINT channel_tests_outcome_check CHECK ((outcome = ANY (ARRAY['delivered'::text, 'retry'::text, 'dead'::text])))
);
COMMENT ON TABLE public.channel_tests IS 'Each test message that an operator sent, and what came of it.';
COMMENT ON COLUMN public.channel_tests.test_id IS 'The notification id that the receiver saw.';
CREATE TABLE public.check_runs (
    monitor text NOT NULL,
    scheduled_at timestamp with time zone NOT NULL,
    trigger text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone NOT NULL,
    outcome text NOT NULL,
    observations integer NOT NULL,
    findings integer NOT NULL,
    error text,
    worker text NOT NULL,
    recorded_at timestamp with time zone DEFAULT now() NOT NULL,
    clock_offset_seconds numeric,
    CONSTRAINT check_runs_check CHECK (((outcome = 'succeeded'::text) = (error IS NULL))),
    CONSTRAINT check_runs_outcome_check CHECK ((outcome = ANY (ARRAY['succeeded'::text, 'failed'::text, 'timed_out'::text]))),
    CONSTRAINT check_runs_trigger_check CHECK ((trigger = ANY (ARRAY['grid'::text, 'feed'::text])))
)
PARTITION BY RANGE (scheduled_at);
COMMENT ON TABLE public.check_runs IS 'The ledger: one row per monitor and scheduled time, whatever became of the check.';
COMMENT ON COLUMN public.check_runs.clock_offset_seconds IS 'Added to the clock of the worker''s machine, which was wrong by so much; NULL = nothing.';
CREATE TABLE public.cursor_key (
    only_row boolean DEFAULT true NOT NULL,
    key bytea NOT NULL,
    CONSTRAINT cursor_key_only_row_check CHECK (only_row)
);
COMMENT ON TABLE public.cursor_key IS 'Seals the cursors of lists, so that every process of the read service knows its own and those of the others, also after a restart.';
CREATE TABLE public.hlp_vault_components (
    vault_address text NOT NULL,
    component_address text NOT NULL,
    observed_at timestamp with time zone NOT NULL,
    account_value numeric NOT NULL,
    total_notional_usd numeric NOT NULL,
    unrealized_pnl numeric NOT NULL,
    positions integer NOT NULL
);
COMMENT ON TABLE public.hlp_vault_components IS 'The accounts of the vaults of which a vault consists, at each check.';
CREATE TABLE public.hlp_vault_hourly (
    vault_address text NOT NULL,
    hour timestamp with time zone NOT NULL,
    snapshots integer NOT NULL,
    account_value_sum numeric NOT NULL,
    account_value_min numeric NOT NULL,
    account_value_max numeric NOT NULL,
    anomaly_score_sum numeric NOT NULL,
    anomaly_score_max numeric NOT NULL,
    unhealthy integer NOT NULL
);
COMMENT ON TABLE public.hlp_vault_hourly IS 'Sums of hlp_vault_snapshots by UTC hour, kept up to date by the statement that stores a snapshot.';
CREATE TABLE public.hlp_vault_inventory (
    vault_address text NOT NULL,
    parent_address text NOT NULL,
    coin text NOT NULL,
    observed_at timestamp with time zone NOT NULL,
    size numeric NOT NULL,
    notional_usd numeric NOT NULL,
    unrealized_pnl numeric NOT NULL,
    share_pct numeric,
    open_interest_pct numeric
)
PARTITION BY RANGE (observed_at);
COMMENT ON TABLE public.hlp_vault_inventory IS 'One row per open position of a component vault and check; money in USD.';
COMMENT ON COLUMN public.hlp_vault_inventory.vault_address IS 'The component vault that holds the position.';
COMMENT ON COLUMN public.hlp_vault_inventory.size IS 'In base units; a short is negative.';
COMMENT ON COLUMN public.hlp_vault_inventory.notional_usd IS 'Without sign.';
COMMENT ON COLUMN public.hlp_vault_inventory.share_pct IS 'Notional in percent of the parent''s account value; null where that was not above zero.';
COMMENT ON COLUMN public.hlp_vault_inventory.open_interest_pct IS 'Size in percent of the coin''s open interest; null where that was not known.';
CREATE TABLE public.hlp_vault_inventory_hours (
    vault_address text NOT NULL,
    coin text NOT NULL,
    hour_at timestamp with time zone NOT NULL,
    notional_usd numeric NOT NULL,
    share_pct numeric
);
COMMENT ON TABLE public.hlp_vault_inventory_hours IS 'The largest notional and share of each position within each hour (UTC); kept up by the transaction that writes hlp_vault_inventory, and kept when its partitions go.';
CREATE TABLE public.hlp_vault_snapshots (
    vault_address text NOT NULL,
    observed_at timestamp with time zone NOT NULL,
    venue_at timestamp with time zone NOT NULL,
    account_value numeric NOT NULL,
    total_value_locked numeric NOT NULL,
    pnl_1h numeric,
    pnl_24h numeric,
    pnl_7d numeric,
    pnl_30d numeric,
    all_time_pnl numeric NOT NULL,
    sharpe_ratio numeric,
    drawdown_pct numeric NOT NULL,
    max_drawdown_pct numeric NOT NULL,
    z_score numeric,
    loss_score numeric NOT NULL,
    drawdown_score numeric NOT NULL,
    volatility_score numeric NOT NULL,
    anomaly_score numeric NOT NULL,
    is_healthy boolean NOT NULL,
    health_issues text[] NOT NULL,
    recorded_at timestamp with time zone DEFAULT now() NOT NULL
);
COMMENT ON TABLE public.hlp_vault_snapshots IS 'What each check saw of a vault; money in USD.';
COMMENT ON COLUMN public.hlp_vault_snapshots.observed_at IS 'The scheduled time of the check.';
COMMENT ON COLUMN public.hlp_vault_snapshots.venue_at IS 'The time that the venue gave its figures.';
COMMENT ON COLUMN public.hlp_vault_snapshots.drawdown_pct IS 'Present fall of flow-adjusted equity from its peak of the last 30 days.';
COMMENT ON COLUMN public.hlp_vault_snapshots.max_drawdown_pct IS 'Largest fall of flow-adjusted equity within the last 30 days.';
CREATE TABLE public.liquidation_patterns (
    pattern_id text NOT NULL,
    pattern_type text NOT NULL,
    subject text NOT NULL,
    start_time timestamp with time zone NOT NULL,
    end_time timestamp with time zone NOT NULL,
    duration_seconds numeric NOT NULL,
    total_liquidated_usd numeric NOT NULL,
    affected_users integer NOT NULL,
    assets_involved text[] NOT NULL,
    suspicion_score numeric NOT NULL,
    liquidation_count integer NOT NULL,
    price_impact numeric NOT NULL,
    indicators jsonb NOT NULL,
    recorded_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT liquidation_patterns_pattern_type_check CHECK ((pattern_type = ANY (ARRAY['flash_loan'::text, 'cascade'::text, 'coordinated'::text, 'manipulation'::text, 'adl'::text])))
);
COMMENT ON TABLE public.liquidation_patterns IS 'Liquidations that belong together; the id is made of type, subject and start.';
COMMENT ON COLUMN public.liquidation_patterns.price_impact IS 'Signed change in percent from the first price to the last.';
CREATE TABLE public.liquidation_sources (
    source_address text NOT NULL,
    is_hlp_vault boolean NOT NULL,
    watched_since timestamp with time zone NOT NULL,
    read_until timestamp with time zone NOT NULL,
    last_fill_at timestamp with time zone,
    gaps bigint NOT NULL,
    last_gap_from timestamp with time zone,
    last_gap_until timestamp with time zone
);
COMMENT ON TABLE public.liquidation_sources IS 'How far the fills of each account have been read; a gap is a stretch that the venue had dropped before it was read.';
CREATE TABLE public.liquidations (
    coin text NOT NULL,
    tid bigint NOT NULL,
    liquidated_user text NOT NULL,
    observed_at timestamp with time zone NOT NULL,
    method text NOT NULL,
    side text NOT NULL,
    price numeric NOT NULL,
    size numeric NOT NULL,
    notional_usd numeric NOT NULL,
    counterparty text,
    hash text,
    source_address text NOT NULL,
    coverage text NOT NULL,
    recorded_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT liquidations_coverage_check CHECK ((coverage = ANY (ARRAY['hlp_complete'::text, 'hlp_sample'::text, 'account'::text]))),
    CONSTRAINT liquidations_method_check CHECK ((method = ANY (ARRAY['market'::text, 'backstop'::text, 'adl'::text]))),
    CONSTRAINT liquidations_side_check CHECK ((side = ANY (ARRAY['long'::text, 'short'::text])))
)
PARTITION BY RANGE (observed_at);
COMMENT ON TABLE public.liquidations IS 'One row per fill of a liquidation, as far as the accounts that are followed let it be seen.';
COMMENT ON COLUMN public.liquidations.observed_at IS 'The time of the fill, as the venue states it.';
COMMENT ON COLUMN public.liquidations.side IS 'The side of the position that was liquidated.';
COMMENT ON COLUMN public.liquidations.hash IS 'The transaction; null where the venue gives none.';
COMMENT ON COLUMN public.liquidations.source_address IS 'The account in whose fills the row was found.';
COMMENT ON COLUMN public.liquidations.coverage IS 'What that source can see: all of this kind against the HLP vaults, a sample, or all of one account.';
CREATE TABLE public.monitors (
    monitor text NOT NULL,
    interval_seconds integer NOT NULL,
    interval_since timestamp with time zone NOT NULL,
    deadline_seconds integer DEFAULT 60 NOT NULL,
    CONSTRAINT monitors_deadline_seconds_check CHECK ((deadline_seconds > 0)),
    CONSTRAINT monitors_interval_seconds_check CHECK ((interval_seconds > 0))
);
COMMENT ON TABLE public.monitors IS 'The monitors that some worker runs, so that silence can be told from calm.';
COMMENT ON COLUMN public.monitors.interval_since IS 'When the present interval took effect; gaps are judged from here.';
COMMENT ON COLUMN public.monitors.deadline_seconds IS 'How long one check may take; until then its absence says nothing.';
CREATE TABLE public.notification_channels (
    channel text NOT NULL,
    configured_at timestamp with time zone NOT NULL,
    paused_until timestamp with time zone,
    last_delivered_at timestamp with time zone,
    last_failed_at timestamp with time zone,
    last_error text,
    recent_messages timestamp with time zone[] DEFAULT '{}'::timestamp with time zone[] NOT NULL
);
COMMENT ON TABLE public.notification_channels IS 'The channels that some worker sends through. A claim locks its row, so that workers share one window per channel.';
COMMENT ON COLUMN public.notification_channels.configured_at IS 'When a running worker last had this channel configured.';
COMMENT ON COLUMN public.notification_channels.paused_until IS 'The service asked for no message before.';
COMMENT ON COLUMN public.notification_channels.recent_messages IS 'When the newest messages left, repeats aside: after some in a minute, what comes is gathered.';
CREATE TABLE public.notifications (
    notification_id uuid DEFAULT gen_random_uuid() NOT NULL,
    event_id uuid NOT NULL,
    seq bigint NOT NULL,
    channel text NOT NULL,
    kind text NOT NULL,
    severity text NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    message_id uuid,
    attempts integer DEFAULT 0 NOT NULL,
    next_attempt_at timestamp with time zone,
    claimed_by text,
    give_up_at timestamp with time zone,
    delivered_at timestamp with time zone,
    dead_at timestamp with time zone,
    last_error text,
    CONSTRAINT notifications_check CHECK (((status = 'delivered'::text) = (delivered_at IS NOT NULL))),
    CONSTRAINT notifications_check1 CHECK (((status = 'dead'::text) = (dead_at IS NOT NULL))),
    CONSTRAINT notifications_kind_check CHECK ((kind = ANY (ARRAY['opened'::text, 'escalated'::text, 'worsened'::text, 'flapping'::text, 'acknowledged'::text, 'unacknowledged'::text, 'silenced'::text, 'unsilenced'::text, 'reminded'::text, 'resolved'::text, 'expired'::text, 'reopened'::text]))),
    CONSTRAINT notifications_severity_check CHECK ((severity = ANY (ARRAY['info'::text, 'low'::text, 'medium'::text, 'high'::text, 'critical'::text]))),
    CONSTRAINT notifications_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'delivered'::text, 'dead'::text, 'silenced'::text, 'inhibited'::text])))
);
COMMENT ON TABLE public.notifications IS 'The outbox: one row per change of an event and channel, written in the transaction of the change.';
COMMENT ON COLUMN public.notifications.status IS 'silenced, inhibited: withdrawn, because its event was acknowledged or resolved while it was that and before anything was sent.';
COMMENT ON COLUMN public.notifications.message_id IS 'The message it is or was sent in, given before the first attempt and kept by repeats: the id that receivers see. Rows that share it went as one message.';
COMMENT ON COLUMN public.notifications.attempts IS 'Attempts begun.';
COMMENT ON COLUMN public.notifications.next_attempt_at IS 'Null: at once. While an attempt runs, when another worker may take it over.';
CREATE TABLE public.oracle_deviations (
    asset text NOT NULL,
    observed_at timestamp with time zone NOT NULL,
    hyperliquid_price numeric NOT NULL,
    mark_price numeric NOT NULL,
    binance_price numeric,
    coinbase_price numeric,
    pyth_price numeric,
    kraken_price numeric,
    okx_price numeric,
    reference_price numeric,
    reference_count integer NOT NULL,
    left_out text[] NOT NULL,
    max_deviation_pct numeric NOT NULL,
    max_deviation_source text NOT NULL,
    breached_since timestamp with time zone,
    duration_seconds integer NOT NULL,
    floor_pct numeric,
    is_dangerous boolean NOT NULL,
    severity text,
    risk_score numeric,
    recorded_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT oracle_deviations_severity_check CHECK ((severity = ANY (ARRAY['info'::text, 'low'::text, 'medium'::text, 'high'::text, 'critical'::text])))
)
PARTITION BY RANGE (observed_at);
COMMENT ON TABLE public.oracle_deviations IS 'One row per asset and check wherever a reference price exists; prices in the quote of the venue''s oracle.';
COMMENT ON COLUMN public.oracle_deviations.hyperliquid_price IS 'The venue''s oracle price, not its mid.';
COMMENT ON COLUMN public.oracle_deviations.reference_price IS 'Median of the references that were used; null where a price of 0 or below was judged without any.';
COMMENT ON COLUMN public.oracle_deviations.left_out IS 'References that were not used, each with the reason.';
COMMENT ON COLUMN public.oracle_deviations.breached_since IS 'First check of the breach without interruption; duration_seconds counts from here.';
COMMENT ON COLUMN public.oracle_deviations.floor_pct IS 'The asset''s own floor: below it a deviation is ordinary. Null without enough history.';
COMMENT ON COLUMN public.oracle_deviations.risk_score IS 'Null where there were too few references to judge.';
CREATE TABLE public.own_tables (
    table_name text NOT NULL
);
COMMENT ON TABLE public.own_tables IS 'The tables that the migrations made: the roles of the programs get rights on these and no others.';
CREATE TABLE public.security_event_change_counter (
    only_row boolean DEFAULT true NOT NULL,
    last_seq bigint NOT NULL,
    CONSTRAINT security_event_change_counter_only_row_check CHECK (only_row)
);
CREATE TABLE public.security_event_changes (
    seq bigint NOT NULL,
    event_id uuid NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    scheduled_at timestamp with time zone,
    kind text NOT NULL,
    severity text NOT NULL,
    actor text NOT NULL,
    note text,
    evidence jsonb,
    CONSTRAINT security_event_changes_kind_check CHECK ((kind = ANY (ARRAY['opened'::text, 'escalated'::text, 'worsened'::text, 'flapping'::text, 'acknowledged'::text, 'unacknowledged'::text, 'silenced'::text, 'unsilenced'::text, 'reminded'::text, 'resolved'::text, 'expired'::text, 'reopened'::text]))),
    CONSTRAINT security_event_changes_severity_check CHECK ((severity = ANY (ARRAY['info'::text, 'low'::text, 'medium'::text, 'high'::text, 'critical'::text])))
);
COMMENT ON TABLE public.security_event_changes IS 'Every change of every event; append only.';
COMMENT ON COLUMN public.security_event_changes.seq IS 'In commit order and without holes, so that a reader who has seen n has seen all up to n.';
COMMENT ON COLUMN public.security_event_changes.evidence IS 'Values, thresholds and arithmetic of the finding at that moment.';
CREATE TABLE public.security_events (
    event_id uuid NOT NULL,
    fingerprint text NOT NULL,
    monitor text NOT NULL,
    rule_id text NOT NULL,
    rule_version integer NOT NULL,
    threat_type text NOT NULL,
    severity text NOT NULL,
    status text NOT NULL,
    subject text NOT NULL,
    title text NOT NULL,
    description text NOT NULL,
    indicators jsonb NOT NULL,
    related_addresses text[] NOT NULL,
    estimated_loss_usd numeric,
    occurrences bigint NOT NULL,
    clean_checks integer NOT NULL,
    first_seen_at timestamp with time zone NOT NULL,
    last_seen_at timestamp with time zone NOT NULL,
    judged_at timestamp with time zone NOT NULL,
    acknowledged_at timestamp with time zone,
    acknowledged_by text,
    resolved_at timestamp with time zone,
    resolution text,
    subject_kind text,
    network text,
    account text,
    subject_id text,
    transaction_hash text,
    labels jsonb DEFAULT '{}'::jsonb NOT NULL,
    covers text[],
    inhibited_by uuid,
    notified_at timestamp with time zone,
    asked_after integer DEFAULT 0 NOT NULL,
    earlier_openings timestamp with time zone[],
    told_measure numeric,
    worsened_at timestamp with time zone,
    measure text,
    unit text,
    current_value numeric,
    worst_value numeric,
    worst_at timestamp with time zone,
    threshold_value numeric,
    situation_id uuid,
    CONSTRAINT security_events_check CHECK (((status = 'resolved'::text) = (resolved_at IS NOT NULL))),
    CONSTRAINT security_events_check1 CHECK (((acknowledged_at IS NULL) = (acknowledged_by IS NULL))),
    CONSTRAINT security_events_check2 CHECK ((first_seen_at <= last_seen_at)),
    CONSTRAINT security_events_occurrences_check CHECK ((occurrences > 0)),
    CONSTRAINT security_events_severity_check CHECK ((severity = ANY (ARRAY['info'::text, 'low'::text, 'medium'::text, 'high'::text, 'critical'::text]))),
    CONSTRAINT security_events_status_check CHECK ((status = ANY (ARRAY['open'::text, 'acknowledged'::text, 'resolved'::text])))
)
WITH (fillfactor='50');
COMMENT ON TABLE public.security_events IS 'The lasting record of a finding: open, then perhaps acknowledged, then resolved.';
COMMENT ON COLUMN public.security_events.fingerprint IS 'Rule id and subject; unique among events that are not resolved.';
COMMENT ON COLUMN public.security_events.subject IS 'The subject''s parts as one text; with the rule id the fingerprint.';
COMMENT ON COLUMN public.security_events.title IS 'Of the worst so far, at worst_at.';
COMMENT ON COLUMN public.security_events.description IS 'Of now, at last_seen_at.';
COMMENT ON COLUMN public.security_events.indicators IS 'The newest values of the rule''s evidence.';
COMMENT ON COLUMN public.security_events.clean_checks IS 'Successful checks in a row that judged the rule and did not find it, since last_seen_at.';
COMMENT ON COLUMN public.security_events.judged_at IS 'The newest check that found it or found it gone.';
COMMENT ON COLUMN public.security_events.subject_kind IS 'A coin, an account. Null, as the other parts, before they were kept.';
COMMENT ON COLUMN public.security_events.account IS 'The account that holds the subject, where the subject is part of one.';
COMMENT ON COLUMN public.security_events.labels IS 'Texts by name that its rule gave it.';
COMMENT ON COLUMN public.security_events.covers IS 'The subjects of events of other rules that it speaks for while it is open.';
COMMENT ON COLUMN public.security_events.inhibited_by IS 'The event that speaks for it, or did until its end. See inhibitions_in_force.';
COMMENT ON COLUMN public.security_events.notified_at IS 'When people were last to hear of it; null: at its opening.';
COMMENT ON COLUMN public.security_events.asked_after IS 'Routes that wait for up to so many seconds for an acknowledgement were asked.';
COMMENT ON COLUMN public.security_events.earlier_openings IS 'The openings of the same fingerprint within the hour before its own; null: none. Three of them: it flaps.';
COMMENT ON COLUMN public.security_events.told_measure IS 'The worst value of its measure that people heard of.';
COMMENT ON COLUMN public.security_events.worsened_at IS 'When people last heard that it grew worse.';
COMMENT ON COLUMN public.security_events.measure IS 'The value of its evidence that says how bad it is. Null, as the other values, before they were kept.';
COMMENT ON COLUMN public.security_events.unit IS 'USD, %, points, s, h, x, or empty.';
COMMENT ON COLUMN public.security_events.current_value IS 'At last_seen_at.';
COMMENT ON COLUMN public.security_events.threshold_value IS 'Of the severity reached; null where that asks for no value of the measure.';
COMMENT ON COLUMN public.security_events.situation_id IS 'The situation that it is part of.';
CREATE TABLE public.silences (
    silence_id uuid DEFAULT gen_random_uuid() NOT NULL,
    fingerprint text NOT NULL,
    until timestamp with time zone NOT NULL,
    note text,
    created_by text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT silences_check CHECK ((until > created_at)),
    CONSTRAINT silences_fingerprint_check CHECK ((fingerprint <> ''::text))
);
COMMENT ON TABLE public.silences IS 'No opened or escalated message leaves for this fingerprint until then; measuring goes on.';
COMMENT ON COLUMN public.silences.ended_at IS 'When an operator ended it before its time.';
CREATE TABLE public.source_cursors (
    monitor text NOT NULL,
    source text NOT NULL,
    covered int8multirange NOT NULL,
    read_until bigint GENERATED ALWAYS AS (upper(covered)) STORED NOT NULL,
    missing int8multirange GENERATED ALWAYS AS ((int8multirange(range_merge(covered)) - covered)) STORED NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT source_cursors_covered_check CHECK ((NOT isempty(covered)))
);
COMMENT ON TABLE public.source_cursors IS 'What each monitor has read of each of its sources, written with the check that read it.';
COMMENT ON COLUMN public.source_cursors.covered IS 'All that was read, in numbers of blocks, milliseconds and the like. Only ever grows.';
COMMENT ON COLUMN public.source_cursors.missing IS 'What was not read between the first position and the last.';
CREATE TABLE public.worker_pulses (
    worker text NOT NULL,
    version text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    pulsed_at timestamp with time zone NOT NULL,
    stopped_at timestamp with time zone,
    CONSTRAINT worker_pulses_times CHECK ((isfinite(started_at) AND isfinite(pulsed_at) AND isfinite(stopped_at)))
)
WITH (fillfactor='50');
COMMENT ON TABLE public.worker_pulses IS 'One row per worker process. All times are the database''s own: no other clock counts.';
COMMENT ON COLUMN public.worker_pulses.worker IS 'Host and process id, as in check_runs.';
COMMENT ON COLUMN public.worker_pulses.pulsed_at IS 'Moved on every 5 s while the process lives.';
COMMENT ON COLUMN public.worker_pulses.stopped_at IS 'When the process ended in good order; NULL = it runs, or it vanished.';
ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_key_hash_key UNIQUE (key_hash);
ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (key_id);
ALTER TABLE ONLY public.audit_log_head
    ADD CONSTRAINT audit_log_head_pkey PRIMARY KEY (only_row);
ALTER TABLE ONLY public.audit_log
    ADD CONSTRAINT audit_log_pkey PRIMARY KEY (seq);
ALTER TABLE ONLY public.channel_tests
    ADD CONSTRAINT channel_tests_pkey PRIMARY KEY (test_id);
ALTER TABLE ONLY public.check_runs
    ADD CONSTRAINT check_runs_pkey PRIMARY KEY (monitor, scheduled_at);
ALTER TABLE ONLY public.cursor_key
    ADD CONSTRAINT cursor_key_pkey PRIMARY KEY (only_row);
ALTER TABLE ONLY public.hlp_vault_components
    ADD CONSTRAINT hlp_vault_components_pkey PRIMARY KEY (vault_address, component_address, observed_at);
ALTER TABLE ONLY public.hlp_vault_hourly
    ADD CONSTRAINT hlp_vault_hourly_pkey PRIMARY KEY (vault_address, hour);
ALTER TABLE ONLY public.hlp_vault_inventory_hours
    ADD CONSTRAINT hlp_vault_inventory_hours_pkey PRIMARY KEY (vault_address, coin, hour_at);
ALTER TABLE ONLY public.hlp_vault_inventory
    ADD CONSTRAINT hlp_vault_inventory_pkey PRIMARY KEY (vault_address, coin, observed_at);
ALTER TABLE ONLY public.hlp_vault_snapshots
    ADD CONSTRAINT hlp_vault_snapshots_pkey PRIMARY KEY (vault_address, observed_at);
ALTER TABLE ONLY public.liquidation_patterns
    ADD CONSTRAINT liquidation_patterns_pkey PRIMARY KEY (pattern_id);
ALTER TABLE ONLY public.liquidation_sources
    ADD CONSTRAINT liquidation_sources_pkey PRIMARY KEY (source_address);
ALTER TABLE ONLY public.liquidations
    ADD CONSTRAINT liquidations_pkey PRIMARY KEY (coin, tid, liquidated_user, observed_at);
ALTER TABLE ONLY public.monitors
    ADD CONSTRAINT monitors_pkey PRIMARY KEY (monitor);
ALTER TABLE ONLY public.notification_channels
    ADD CONSTRAINT notification_channels_pkey PRIMARY KEY (channel);
ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_pkey PRIMARY KEY (notification_id);
ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_seq_channel_key UNIQUE (seq, channel);
ALTER TABLE ONLY public.oracle_deviations
    ADD CONSTRAINT oracle_deviations_pkey PRIMARY KEY (asset, observed_at);
ALTER TABLE ONLY public.own_tables
    ADD CONSTRAINT own_tables_pkey PRIMARY KEY (table_name);
ALTER TABLE ONLY public.security_event_change_counter
    ADD CONSTRAINT security_event_change_counter_pkey PRIMARY KEY (only_row);
ALTER TABLE ONLY public.security_event_changes
    ADD CONSTRAINT security_event_changes_pkey PRIMARY KEY (seq);
ALTER TABLE ONLY public.security_events
    ADD CONSTRAINT security_events_pkey PRIMARY KEY (event_id);
ALTER TABLE ONLY public.silences
    ADD CONSTRAINT silences_pkey PRIMARY KEY (silence_id);
ALTER TABLE ONLY public.source_cursors
    ADD CONSTRAINT source_cursors_pkey PRIMARY KEY (monitor, source);
ALTER TABLE ONLY public.worker_pulses
    ADD CONSTRAINT worker_pulses_pkey PRIMARY KEY (worker);
CREATE UNIQUE INDEX "UC_Version" ON public."VersionInfo" USING btree ("Version");
CREATE UNIQUE INDEX api_keys_name_key ON public.api_keys USING btree (name) WHERE (revoked_at IS NULL);
CREATE INDEX channel_tests_channel_idx ON public.channel_tests USING btree (channel, outcome, tested_at DESC);
CREATE INDEX check_runs_failure_idx ON ONLY public.check_runs USING btree (monitor, scheduled_at) WHERE (outcome <> 'succeeded'::text);
CREATE INDEX check_runs_success_idx ON ONLY public.check_runs USING btree (monitor, scheduled_at) WHERE ((outcome = 'succeeded'::text) AND (trigger = 'grid'::text));
CREATE INDEX hlp_vault_components_observed_idx ON public.hlp_vault_components USING btree (vault_address, observed_at);
CREATE INDEX hlp_vault_inventory_hours_hour_idx ON public.hlp_vault_inventory_hours USING btree (hour_at);
CREATE INDEX hlp_vault_inventory_list_idx ON ONLY public.hlp_vault_inventory USING btree (observed_at DESC, vault_address, coin);
CREATE INDEX hlp_vault_snapshots_observed_idx ON public.hlp_vault_snapshots USING btree (observed_at DESC);
CREATE INDEX liquidation_patterns_end_idx ON public.liquidation_patterns USING btree (end_time DESC);
CREATE INDEX liquidation_patterns_start_idx ON public.liquidation_patterns USING btree (start_time DESC, pattern_id DESC);
CREATE INDEX liquidations_coin_idx ON ONLY public.liquidations USING btree (coin, observed_at DESC, tid DESC, liquidated_user DESC);
CREATE INDEX liquidations_observed_idx ON ONLY public.liquidations USING btree (observed_at DESC, coin DESC, tid DESC, liquidated_user DESC);
CREATE INDEX notifications_dead_idx ON public.notifications USING btree (channel, dead_at DESC) WHERE (status = 'dead'::text);
CREATE INDEX notifications_event_idx ON public.notifications USING btree (event_id, channel, seq);
CREATE INDEX notifications_pending_idx ON public.notifications USING btree (channel, seq) WHERE (status = 'pending'::text);
CREATE INDEX notifications_pending_message_idx ON public.notifications USING btree (message_id) WHERE (status = 'pending'::text);
CREATE INDEX oracle_deviations_large_idx ON ONLY public.oracle_deviations USING btree (observed_at DESC, asset DESC) WHERE (max_deviation_pct >= 0.3);
CREATE INDEX oracle_deviations_observed_idx ON ONLY public.oracle_deviations USING btree (observed_at DESC, asset DESC);
CREATE INDEX security_event_changes_event_idx ON public.security_event_changes USING btree (event_id, seq);
CREATE INDEX security_events_covering_idx ON public.security_events USING btree (event_id) WHERE ((covers IS NOT NULL) AND (status <> 'resolved'::text));
CREATE INDEX security_events_fingerprint_idx ON public.security_events USING btree (fingerprint, first_seen_at DESC, event_id DESC);
CREATE INDEX security_events_first_seen_idx ON public.security_events USING btree (first_seen_at DESC, event_id DESC);
CREATE INDEX security_events_inhibited_idx ON public.security_events USING btree (inhibited_by) WHERE (inhibited_by IS NOT NULL);
CREATE INDEX security_events_list_idx ON public.security_events USING btree (((status <> 'resolved'::text)) DESC, first_seen_at DESC, event_id DESC);
CREATE INDEX security_events_reminder_idx ON public.security_events USING btree (severity, COALESCE(notified_at, first_seen_at)) WHERE (status = 'open'::text);
CREATE INDEX security_events_resolved_idx ON public.security_events USING btree (resolved_at, first_seen_at) WHERE (status = 'resolved'::text);
CREATE UNIQUE INDEX security_events_unresolved_fingerprint_key ON public.security_events USING btree (fingerprint) WHERE (status <> 'resolved'::text);
CREATE INDEX security_events_unresolved_monitor_idx ON public.security_events USING btree (monitor) WHERE (status <> 'resolved'::text);
CREATE INDEX silences_fingerprint_idx ON public.silences USING btree (fingerprint, until) WHERE (ended_at IS NULL);
CREATE INDEX silences_list_idx ON public.silences USING btree (created_at DESC, silence_id DESC);
CREATE TRIGGER announce_security_event_change AFTER INSERT ON public.security_event_changes REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.announce_security_event_change();
CREATE TRIGGER chain_audit_log BEFORE INSERT ON public.audit_log FOR EACH ROW EXECUTE FUNCTION public.chain_audit_log();
CREATE TRIGGER notify_followers AFTER INSERT ON public.security_event_changes REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.notify_followers();
CREATE TRIGGER number_security_event_change BEFORE INSERT ON public.security_event_changes FOR EACH ROW WHEN ((new.seq IS NULL)) EXECUTE FUNCTION public.number_security_event_change();
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_log FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_audit_log_change();
CREATE TRIGGER refuse_change BEFORE INSERT OR DELETE OR TRUNCATE ON public.audit_log_head FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_audit_log_change();
CREATE TRIGGER refuse_update BEFORE UPDATE ON public.audit_log_head FOR EACH STATEMENT WHEN ((pg_trigger_depth() = 0)) EXECUTE FUNCTION public.refuse_audit_log_change();
CREATE TRIGGER wake_notifiers AFTER INSERT ON public.notifications FOR EACH STATEMENT EXECUTE FUNCTION public.wake_notifiers();
ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_event_id_fkey FOREIGN KEY (event_id) REFERENCES public.security_events(event_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_seq_fkey FOREIGN KEY (seq) REFERENCES public.security_event_changes(seq) ON DELETE CASCADE;
ALTER TABLE ONLY public.security_event_changes
    ADD CONSTRAINT security_event_changes_event_id_fkey FOREIGN KEY (event_id) REFERENCES public.security_events(event_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.security_events
    ADD CONSTRAINT security_events_inhibited_by_fkey FOREIGN KEY (inhibited_by) REFERENCES public.security_events(event_id) ON DELETE SET NULL;
