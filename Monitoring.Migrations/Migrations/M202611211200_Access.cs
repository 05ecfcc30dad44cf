using FluentMigrator;

namespace Monitoring.Migrations.Migrations;

/// <summary>Who may ask the read service, and the record of what operators did.</summary>
[Migration(202611211200, "API keys and the audit log")]
public sealed class Access : Migration
{
    /// <inheritdoc/>
    public override void Up() => Execute.Sql("""
        CREATE TABLE audit_log (
            seq           bigint      PRIMARY KEY,
            recorded_at   timestamptz NOT NULL,
            actor         text        NOT NULL,
            origin        text        NOT NULL,
            action        text        NOT NULL,
            subject       text        NOT NULL,
            detail        text        NOT NULL,
            previous_hash bytea       NOT NULL,
            hash          bytea       NOT NULL
        );
        COMMENT ON TABLE audit_log IS 'What operators did and whom the read service refused; append only. Number, time and hashes are the database''s own.';
        COMMENT ON COLUMN audit_log.origin IS 'Where from: an address, or the machine of the command line.';
        COMMENT ON COLUMN audit_log.hash IS 'SHA-256 over previous_hash and the row''s other columns, as audit_log_hash writes them.';

        CREATE TABLE audit_log_head (
            only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
            last_seq  bigint  NOT NULL,
            last_hash bytea   NOT NULL
        );
        COMMENT ON TABLE audit_log_head IS 'Number and hash of the newest row of audit_log, so that a removed last row is missed.';
        INSERT INTO audit_log_head (last_seq, last_hash) VALUES (0, decode(repeat('00', 32), 'hex'));

        -- Each text goes in with its length before it, so that no two rows give the same bytes.
        CREATE FUNCTION audit_log_hash(previous_hash bytea, seq bigint, recorded_at timestamptz, VARIADIC texts text[]) RETURNS bytea
        LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
            SELECT sha256(previous_hash || convert_to(
                seq || ':' || (extract(epoch FROM recorded_at) * 1000000)::bigint
                    || (SELECT string_agg(':' || octet_length(convert_to(part, 'UTF8')) || ':' || part, '' ORDER BY place) FROM unnest(texts) WITH ORDINALITY AS given (part, place)),
                'UTF8'))
        $$;

        CREATE FUNCTION chain_audit_log() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
        BEGIN
            SELECT last_seq + 1, last_hash INTO STRICT NEW.seq, NEW.previous_hash FROM public.audit_log_head FOR UPDATE;
            NEW.recorded_at := clock_timestamp();
            NEW.hash := public.audit_log_hash(NEW.previous_hash, NEW.seq, NEW.recorded_at, NEW.actor, NEW.origin, NEW.action, NEW.subject, NEW.detail);
            UPDATE public.audit_log_head SET last_seq = NEW.seq, last_hash = NEW.hash;
            RETURN NEW;
        END $$;
        CREATE TRIGGER chain_audit_log BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION chain_audit_log();

        CREATE FUNCTION refuse_audit_log_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
        BEGIN
            RAISE EXCEPTION 'the audit log is append only: % on % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
        END $$;
        CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_log_change();
        CREATE TRIGGER refuse_change BEFORE INSERT OR DELETE OR TRUNCATE ON audit_log_head FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_log_change();
        -- The head moves with a new row of the log and no other way.
        CREATE TRIGGER refuse_update BEFORE UPDATE ON audit_log_head FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION refuse_audit_log_change();

        CREATE TABLE api_keys (
            key_id              uuid        PRIMARY KEY,
            name                text        NOT NULL CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$' AND name NOT IN ('anonymous', 'worker')),
            prefix              text        NOT NULL,
            key_hash            bytea       NOT NULL UNIQUE CHECK (octet_length(key_hash) = 32),
            scopes              text[]      NOT NULL CHECK (scopes <@ ARRAY['read', 'operate'] AND cardinality(scopes) > 0),
            requests_per_minute integer     NOT NULL CHECK (requests_per_minute BETWEEN 1 AND 1000000),
            created_at          timestamptz NOT NULL,
            created_by          text        NOT NULL,
            expires_at          timestamptz,
            revoked_at          timestamptz,
            revoked_by          text,
            last_used_at        timestamptz,
            requests            bigint      NOT NULL DEFAULT 0,
            CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
        );
        COMMENT ON TABLE api_keys IS 'Keys of the read service. The key itself is stored nowhere, only its SHA-256.';
        COMMENT ON COLUMN api_keys.prefix IS 'The first characters of the key, for people to recognise it.';
        CREATE UNIQUE INDEX api_keys_name_key ON api_keys (name) WHERE revoked_at IS NULL;

        -- What the read service may write, and nothing else: its role has no right on any table but to read it.
        CREATE FUNCTION record_key_usage(ids uuid[], counts bigint[], times timestamptz[]) RETURNS void
        LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
            UPDATE public.api_keys AS k
               SET requests = k.requests + used.n, last_used_at = greatest(k.last_used_at, used.at)
              FROM unnest(ids, counts, times) AS used (id, n, at)
             WHERE k.key_id = used.id AND used.n > 0
        $$;
        COMMENT ON FUNCTION record_key_usage(uuid[], bigint[], timestamptz[]) IS 'Adds to the use of keys what was counted since the last call.';

        CREATE FUNCTION record_refusals(origins text[], details text[]) RETURNS void
        LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
            INSERT INTO public.audit_log (actor, origin, action, subject, detail)
            SELECT 'unknown', left(refused.origin, 100), 'access.refuse', 'api', left(refused.detail, 500) FROM unnest(origins, details) AS refused (origin, detail) LIMIT 10
        $$;
        COMMENT ON FUNCTION record_refusals(text[], text[]) IS 'Appends summaries of refused requests to the audit log, at most ten in a call.';
        REVOKE EXECUTE ON FUNCTION record_key_usage(uuid[], bigint[], timestamptz[]), record_refusals(text[], text[]) FROM PUBLIC;

        DO $$
        BEGIN
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'monitoring_api') THEN
                GRANT EXECUTE ON FUNCTION record_key_usage(uuid[], bigint[], timestamptz[]), record_refusals(text[], text[]) TO monitoring_api;
            END IF;
        END $$;
        SELECT grant_monitoring_roles();
        """);

    /// <inheritdoc/>
    public override void Down() => Execute.Sql("""
        DROP FUNCTION record_refusals(text[], text[]);
        DROP FUNCTION record_key_usage(uuid[], bigint[], timestamptz[]);
        DROP TABLE api_keys;
        DROP TABLE audit_log_head;
        DROP TABLE audit_log;
        DROP FUNCTION refuse_audit_log_change();
        DROP FUNCTION chain_audit_log();
        DROP FUNCTION audit_log_hash(bytea, bigint, timestamptz, text[]);
        """);
}
