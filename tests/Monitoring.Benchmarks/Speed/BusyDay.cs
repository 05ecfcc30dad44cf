using Npgsql;

namespace Monitoring.Benchmarks.Speed;

/// <summary>A day of five monitors, with events, messages and what the venue did: the overview of a running system is made of it.</summary>
internal static class BusyDay
{
    private const string ChecksSql = """
        SELECT ensure_day_partition(parent, day::date)
          FROM unnest(ARRAY['check_runs', 'oracle_deviations', 'liquidations', 'hlp_vault_inventory']) AS parent,
               generate_series(now() - interval '2 days', now() + interval '1 day', '1 day') AS day;
        INSERT INTO monitors (monitor, interval_seconds, interval_since) VALUES
            ('hlp-vault', 300, now() - interval '20 days'), ('oracle', 60, now() - interval '20 days'), ('liquidations', 180,
                now() - interval '20 days'),
            ('inventory', 60, now() - interval '20 days'), ('watchdog', 10, now() - interval '20 days');
        UPDATE monitors SET deadline_seconds = least(greatest(interval_seconds, 5), 60);
        INSERT INTO check_runs (monitor, scheduled_at, trigger, started_at, finished_at, outcome, observations, findings, error, worker,
            recorded_at)
        SELECT monitor, at, 'grid', at, at + (20 + n % 9) * interval '7.125 ms', CASE WHEN n % 97 = 3 THEN 'failed' ELSE 'succeeded' END,
            1, 0,
               CASE WHEN n % 97 = 3 THEN 'no answer' END, 'w1', at + interval '1 second'
          FROM monitors,
               generate_series(1, 86400 / interval_seconds) AS n,
               LATERAL (SELECT date_bin(make_interval(secs => interval_seconds), now(), 'epoch') - n * make_interval(secs
                   => interval_seconds) AS at) AS t;
        """;

    private const string MarketSql = """
        INSERT INTO oracle_deviations (asset, observed_at, hyperliquid_price, mark_price, binance_price, okx_price, reference_price,
            reference_count, left_out,
                                       max_deviation_pct, max_deviation_source, duration_seconds, is_dangerous, risk_score)
        SELECT 'COIN' || asset, date_trunc('minute', now()) - n * interval '1 minute', 100.25 + asset, 100.26, 100.27, 100.23, 100.25, 2,
            '{}', 0.031, 'binance',
               0, false, 2.08
          FROM generate_series(0, 30) AS n, generate_series(1, 200) AS asset;
        INSERT INTO liquidations (coin, tid, liquidated_user, observed_at, method, side, price, size, notional_usd, hash, source_address,
            coverage)
        SELECT 'COIN' || n % 20, n, '0xu' || n % 500, now() - n * interval '20 seconds', (ARRAY['market', 'backstop', 'adl'])[1 + n % 3],
            'long', 1000, 2.5, 2500,
               '0xh' || n / 4, '0xs', 'hlp_complete'
          FROM generate_series(1, 4000) AS n;
        INSERT INTO liquidation_patterns (pattern_id, pattern_type, subject, start_time, end_time, duration_seconds,
            total_liquidated_usd, affected_users,
                                          assets_involved, suspicion_score, liquidation_count, price_impact, indicators)
        SELECT md5(n::text), 'cascade', 'COIN1', now() - n * interval '1 hour', now() - n * interval '1 hour', 90, 1234567.89, 7,
            '{COIN1}', 55, 6, -1.5, '{"a": 1}'
          FROM generate_series(1, 50) AS n;
        INSERT INTO liquidation_sources (source_address, is_hlp_vault, watched_since, read_until, gaps)
        SELECT '0xs' || n, true, now() - interval '1 day', now(), 0 FROM generate_series(1, 7) AS n;
        INSERT INTO hlp_vault_components (vault_address, component_address, observed_at, account_value, total_notional_usd,
            unrealized_pnl, positions)
        SELECT vault_address, '0xc' || c, observed_at, 1000000.25, 12345.678, -1.5, 3
          FROM (SELECT vault_address, observed_at FROM hlp_vault_snapshots ORDER BY observed_at DESC LIMIT 300) AS s, generate_series(1,
              7) AS c;
        """;

    private const string EventsSql = """
        INSERT INTO security_events (event_id, fingerprint, monitor, rule_id, rule_version, threat_type, severity, status, subject,
            title, description, indicators,
                                     related_addresses, occurrences, clean_checks, first_seen_at, last_seen_at, judged_at, resolved_at)
        SELECT gen_random_uuid(), 'f' || n, 'oracle', 'oracle.deviation', 1, 'oracle_deviation', (ARRAY['low', 'medium',
            'high'])[1 + n % 3],
               CASE WHEN n % 20 = 0 THEN 'open' ELSE 'resolved' END, 'COIN' || n, 't', 'd', '{"x": 1.5}', '{}', 1, 0, at, at, at,
                   CASE WHEN n % 20 > 0 THEN at END
          FROM generate_series(1, 400) AS n, LATERAL (SELECT now() - n * interval '7 minutes' AS at) AS t;
        INSERT INTO security_event_changes (event_id, changed_at, scheduled_at, kind, severity, actor)
        SELECT event_id, first_seen_at, first_seen_at, 'opened', severity, 'worker' FROM security_events;
        INSERT INTO notification_channels (channel, configured_at, last_delivered_at) VALUES ('slack', now(), now()), ('webhook', now(),
            now());
        INSERT INTO notifications (event_id, seq, channel, kind, severity, status, created_at, message_id, attempts, delivered_at,
            dead_at, last_error)
        SELECT event_id, seq, channel, kind, severity, status, changed_at, gen_random_uuid(), 1, CASE WHEN status = 'delivered'
            THEN changed_at END,
               CASE WHEN status = 'dead' THEN changed_at END, CASE WHEN status = 'dead' THEN 'gone' END
          FROM security_event_changes CROSS JOIN unnest(ARRAY['slack', 'webhook']) AS channel
         CROSS JOIN LATERAL (SELECT CASE WHEN seq % 50 = 0 THEN 'dead' WHEN seq % 60 = 0 THEN 'pending' ELSE 'delivered'
             END AS status) AS s;
        ANALYZE;
        """;

    /// <summary>Fills a database whose vault has snapshots already.</summary>
    public static async Task FillAsync(NpgsqlDataSource db, CancellationToken cancellationToken)
    {
        foreach (var sql in (string[])[ChecksSql, MarketSql, EventsSql])
            await ApiBench.ExecuteAsync(db, sql, cancellationToken);
    }
}
