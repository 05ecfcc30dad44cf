using FluentMigrator;

namespace Monitoring.Migrations.Migrations;

/// <summary>
/// The functions that the read service may call check what they take, and hand it on to those that did the work before: whoever has that
/// account, or a defect of ours, must not store what nobody can read.
/// </summary>
[Migration(202611291360, "Operators' functions check what they take")]
public sealed class CheckedActions : Migration
{
    /// <inheritdoc/>
    public override void Up() => Execute.Sql("""
        CREATE FUNCTION refuse_value(parameter text, problem text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
        BEGIN
            RAISE EXCEPTION '% %', parameter, problem USING ERRCODE = 'invalid_parameter_value', COLUMN = parameter;
        END $$;
        COMMENT ON FUNCTION refuse_value(text, text) IS 'Ends a call: this parameter cannot be taken. The error''s column names it.';

        CREATE FUNCTION cleaned_line(given text) RETURNS text LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog AS $$
            SELECT btrim(regexp_replace(
                regexp_replace(given, '[\u061C\u200B\u200C\u200E\u200F\u202A-\u202E\u2060-\u206F\uFEFF]+', '', 'g'),
                '[\u0001-\u0020\u007F-\u00A0\u2028\u2029]+', ' ', 'g'))
        $$;
        COMMENT ON FUNCTION cleaned_line(text) IS 'One line without characters that control a terminal or change the direction of writing.';

        CREATE FUNCTION checked_line(parameter text, given text, longest integer, needed boolean) RETURNS text
        LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
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

        -- A time to come is never stored as one that was: a resolution would hide the findings until then.
        CREATE FUNCTION checked_moment(given timestamptz, first_seen timestamptz) RETURNS timestamptz
        LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
        BEGIN
            IF given IS NULL OR NOT isfinite(given) OR given > clock_timestamp() + interval '366 days'
               OR given < coalesce(first_seen, clock_timestamp()) - interval '366 days' THEN
                PERFORM public.refuse_value('time', 'must be at most a year away');
            END IF;
            RETURN least(given, clock_timestamp());
        END $$;

        ALTER FUNCTION acknowledge_event(uuid, text, text, text, timestamptz) RENAME TO apply_acknowledgement;
        ALTER FUNCTION resolve_event(uuid, text, text, text, timestamptz) RENAME TO apply_resolution;
        ALTER FUNCTION silence_event(text, timestamptz, text, text, text, timestamptz) RENAME TO apply_silence;
        ALTER FUNCTION record_key_usage(uuid[], bigint[], timestamptz[]) RENAME TO apply_key_usage;
        ALTER FUNCTION record_refusals(text[], text[]) RENAME TO apply_refusals;

        CREATE FUNCTION acknowledge_event(target uuid, by_actor text, from_origin text, said text, moment timestamptz) RETURNS text
        LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
            SELECT public.apply_acknowledgement(
                target, public.checked_line('actor', by_actor, 64, true), public.checked_line('origin', from_origin, 200, true),
                public.checked_line('note', said, 2000, false),
                public.checked_moment(moment, (SELECT first_seen_at FROM public.security_events WHERE event_id = target)))
        $$;

        CREATE FUNCTION resolve_event(target uuid, by_actor text, from_origin text, said text, moment timestamptz) RETURNS text
        LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
            SELECT public.apply_resolution(
                target, public.checked_line('actor', by_actor, 64, true), public.checked_line('origin', from_origin, 200, true),
                public.checked_line('note', said, 2000, true),
                public.checked_moment(moment, (SELECT first_seen_at FROM public.security_events WHERE event_id = target)))
        $$;

        CREATE FUNCTION silence_event(
            target_fingerprint text, silent_until timestamptz, by_actor text, from_origin text, said text, moment timestamptz,
            OUT outcome text, OUT made_silence uuid)
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
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

        -- What is not possible counts for nothing, and does not keep the others from being counted.
        CREATE FUNCTION record_key_usage(ids uuid[], counts bigint[], times timestamptz[]) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        BEGIN
            IF greatest(cardinality(ids), cardinality(counts), cardinality(times)) > 20000 THEN
                PERFORM public.refuse_value('ids', 'must be at most 20000');
            END IF;
            PERFORM public.apply_key_usage(array_agg(id), array_agg(n), array_agg(at))
               FROM unnest(ids, counts, times) AS given (id, n, at)
               JOIN public.api_keys ON key_id = id AND requests < 1000000000000000000
              WHERE n BETWEEN 1 AND 1000000000000 AND isfinite(at) AND at <= clock_timestamp() + interval '366 days';
        END $$;
        COMMENT ON FUNCTION record_key_usage(uuid[], bigint[], timestamptz[]) IS
            'Adds to the use of keys what was counted since the last call.';

        CREATE FUNCTION record_refusals(origins text[], details text[]) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        BEGIN
            IF greatest(cardinality(origins), cardinality(details)) > 100 THEN
                PERFORM public.refuse_value('origins', 'must be at most 100');
            END IF;
            PERFORM public.apply_refusals(
                        array_agg(coalesce(nullif(public.cleaned_line(left(origin, 100)), ''), 'unknown') ORDER BY place),
                        array_agg(coalesce(public.cleaned_line(left(detail, 500)), '') ORDER BY place))
               FROM unnest(origins, details) WITH ORDINALITY AS given (origin, detail, place);
        END $$;
        COMMENT ON FUNCTION record_refusals(text[], text[]) IS
            'Appends summaries of refused requests to the audit log, at most ten in a call.';

        REVOKE EXECUTE ON FUNCTION acknowledge_event, resolve_event, silence_event, record_key_usage, record_refusals FROM PUBLIC;
        ALTER FUNCTION refuse_value SET search_path = pg_catalog, pg_temp SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC';
        ALTER FUNCTION cleaned_line SET search_path = pg_catalog, pg_temp SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC';
        ALTER FUNCTION checked_line SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC';
        ALTER FUNCTION checked_moment SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC';
        ALTER FUNCTION acknowledge_event SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC';
        ALTER FUNCTION resolve_event SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC';
        ALTER FUNCTION silence_event SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC';
        ALTER FUNCTION record_key_usage SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC';
        ALTER FUNCTION record_refusals SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC';
        DO $$
        DECLARE
            grantee text;
        BEGIN
            FOR grantee IN SELECT rolname FROM pg_roles WHERE rolname IN ('monitoring_api', 'monitoring_worker') LOOP
                EXECUTE format('GRANT EXECUTE ON FUNCTION acknowledge_event, resolve_event, silence_event TO %I', grantee);
                EXECUTE format('REVOKE EXECUTE ON FUNCTION apply_acknowledgement, apply_resolution, apply_silence, apply_key_usage, '
                               'apply_refusals FROM %I', grantee);
            END LOOP;
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'monitoring_api') THEN
                GRANT EXECUTE ON FUNCTION record_key_usage, record_refusals TO monitoring_api;
            END IF;
        END $$;
        """);

    /// <inheritdoc/>
    public override void Down() => Execute.Sql("""
        DROP FUNCTION acknowledge_event, resolve_event, silence_event, record_key_usage, record_refusals;
        ALTER FUNCTION apply_acknowledgement(uuid, text, text, text, timestamptz) RENAME TO acknowledge_event;
        ALTER FUNCTION apply_resolution(uuid, text, text, text, timestamptz) RENAME TO resolve_event;
        ALTER FUNCTION apply_silence(text, timestamptz, text, text, text, timestamptz) RENAME TO silence_event;
        ALTER FUNCTION apply_key_usage(uuid[], bigint[], timestamptz[]) RENAME TO record_key_usage;
        ALTER FUNCTION apply_refusals(text[], text[]) RENAME TO record_refusals;
        DROP FUNCTION checked_moment(timestamptz, timestamptz);
        DROP FUNCTION checked_line(text, text, integer, boolean);
        DROP FUNCTION cleaned_line(text);
        DROP FUNCTION refuse_value(text, text);
        DO $$
        DECLARE
            grantee text;
        BEGIN
            FOR grantee IN SELECT rolname FROM pg_roles WHERE rolname IN ('monitoring_api', 'monitoring_worker') LOOP
                EXECUTE format('GRANT EXECUTE ON FUNCTION acknowledge_event, resolve_event, silence_event TO %I', grantee);
            END LOOP;
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'monitoring_api') THEN
                GRANT EXECUTE ON FUNCTION record_key_usage, record_refusals TO monitoring_api;
            END IF;
        END $$;
        """);
}
