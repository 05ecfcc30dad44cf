using Dapper;
using Npgsql;

namespace Monitoring.Tests.Api;

/// <summary>Some rows in every table that the read service lists, up to noon.</summary>
internal static class SampleRows
{
    public static async Task FillAsync(NpgsqlDataSource db)
    {
        await using var connection = await db.OpenConnectionAsync();
        await connection.ExecuteAsync("""
            SELECT ensure_day_partition(parent, day::date)
              FROM unnest(ARRAY['check_runs', 'oracle_deviations', 'liquidations', 'hlp_vault_inventory']) AS parent,
                   generate_series('2026-11-20'::date, '2026-11-21'::date, '1 day') AS day;
            INSERT INTO monitors VALUES ('hlp-vault', 300, '2026-11-20Z'), ('oracle', 60, '2026-11-20Z');
            INSERT INTO check_runs (monitor, scheduled_at, trigger, started_at, finished_at, outcome, observations, findings, error, worker)
            SELECT 'hlp-vault', at, 'grid', at, at + interval '20 ms', CASE WHEN n % 7 = 0 THEN 'failed' ELSE 'succeeded' END, 1, 0,
                   CASE WHEN n % 7 = 0 THEN 'no answer' END, 'w'
              FROM generate_series(1, 60) AS n, LATERAL (SELECT '2026-11-21T12:00Z'::timestamptz - n * interval '5 minutes' AS at) AS t;
            INSERT INTO hlp_vault_snapshots (vault_address, observed_at, venue_at, account_value, total_value_locked, pnl_24h,
                                             all_time_pnl, drawdown_pct, max_drawdown_pct, loss_score, drawdown_score, volatility_score,
                                             anomaly_score, is_healthy, health_issues)
            SELECT '0xv', at, at, 1.50, 1, CASE WHEN n % 2 = 0 THEN -1.25 END, 1, 0, 0, 0, 0, 0, 12.5, true, ARRAY['one', 'tw,o']
              FROM generate_series(1, 60) AS n, LATERAL (SELECT '2026-11-21T12:00Z'::timestamptz - n * interval '5 minutes' AS at) AS t;
            INSERT INTO hlp_vault_inventory (vault_address, parent_address, coin, observed_at, size, notional_usd, unrealized_pnl,
                                             share_pct)
            SELECT '0xc' || c, '0xv', 'BTC', '2026-11-21T12:00Z'::timestamptz - n * interval '10 seconds', -1, 2, 3,
                   CASE WHEN c = 1 THEN 4.5 END
              FROM generate_series(1, 30) AS n, generate_series(1, 3) AS c;
            INSERT INTO oracle_deviations (asset, observed_at, hyperliquid_price, mark_price, okx_price, reference_price, reference_count,
                                           left_out, max_deviation_pct, max_deviation_source, duration_seconds, is_dangerous, severity,
                                           risk_score)
            SELECT a, '2026-11-21T12:00Z'::timestamptz - n * interval '1 minute', 1, 1, 1, 1, 2, ARRAY['pyth stale'], 0.5 + n, 'okx', 0,
                   n = 1, 'high', 41.5
              FROM generate_series(1, 40) AS n, unnest(ARRAY['BTC', 'ETH', 'SOL']) AS a;
            INSERT INTO liquidations (coin, tid, liquidated_user, observed_at, method, side, price, size, notional_usd, counterparty, hash,
                                      source_address, coverage)
            SELECT 'BTC', n, '0xu' || n % 5, '2026-11-21T12:00Z'::timestamptz - (n / 3) * interval '1 minute', 'market', 'long', 1, 2, 3,
                   NULL, '0xh', '0xs', 'account'
              FROM generate_series(1, 90) AS n;
            INSERT INTO liquidation_patterns (pattern_id, pattern_type, subject, start_time, end_time, duration_seconds,
                                              total_liquidated_usd, affected_users, assets_involved, suspicion_score, liquidation_count,
                                              price_impact, indicators)
            SELECT md5(n::text), 'cascade', 'BTC', at, at, 1, 2, 3, ARRAY['BTC'], 55, 6, -1.5, '{"a": 1}'
              FROM generate_series(1, 40) AS n, LATERAL (SELECT '2026-11-21T12:00Z'::timestamptz - n * interval '1 minute' AS at) AS t;
            INSERT INTO security_events (event_id, fingerprint, monitor, rule_id, rule_version, threat_type, severity, status, subject,
                                         title, description, indicators, related_addresses, occurrences, clean_checks, first_seen_at,
                                         last_seen_at, judged_at, resolved_at)
            SELECT md5(n::text)::uuid, 'f' || n, 'hlp-vault', 'hlp.loss', 1, 'hlp_exploitation', 'high',
                   CASE WHEN n % 2 = 0 THEN 'resolved' ELSE 'open' END, '0xv', '<script>alert(1)</script>', 'd', '{"x": 1.5}', '{0xv}', 1,
                   0, at, at, at, CASE WHEN n % 2 = 0 THEN at END
              FROM generate_series(1, 60) AS n, LATERAL (SELECT '2026-11-21T12:00Z'::timestamptz - n * interval '1 minute' AS at) AS t;
            INSERT INTO security_event_changes (event_id, changed_at, scheduled_at, kind, severity, actor, evidence)
            SELECT event_id, first_seen_at, first_seen_at, 'opened', severity, 'worker',
                   '{"thresholds": {"a": 1}, "values": {"a": 2}, "arithmetic": ["2 reaches 1"]}'
              FROM security_events;
            """);
    }

    /// <summary>How many rows each table has and a checksum of them: equal while nothing has changed.</summary>
    public static async Task<IReadOnlyDictionary<string, string>> FingerprintAsync(NpgsqlDataSource db)
    {
        await using var connection = await db.OpenConnectionAsync();
        var prints = new Dictionary<string, string>();
        foreach (var table in await connection.QueryAsync<string>(
            "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"))
            prints[table] = await connection.QuerySingleAsync<string>(
                $"SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {table} AS t");
        return prints;
    }
}
