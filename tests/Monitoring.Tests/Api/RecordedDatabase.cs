using System.Security.Cryptography;
using System.Text;
using Dapper;
using Npgsql;

namespace Monitoring.Tests.Api;

/// <summary>One database with every kind of row that the read service knows, the same to the last digit at every run.</summary>
internal static class RecordedDatabase
{
    /// <summary>When it is asked: between two grid times, so that ages have fractions.</summary>
    public static readonly DateTimeOffset Now = ManualClock.Noon.AddSeconds(7.25);

    // Monitors that are fresh, late, stale, never seen, and young; failures, late starts and late results, holes, checks of the feed.
    private const string ChecksSql = """
        SELECT ensure_day_partition(parent, day::date)
          FROM unnest(ARRAY['check_runs', 'oracle_deviations', 'liquidations', 'hlp_vault_inventory']) AS parent,
               generate_series('2026-11-19'::date, '2026-11-21'::date, '1 day') AS day;
        UPDATE cursor_key SET key = decode(repeat('5a', 32), 'hex');
        INSERT INTO monitors (monitor, interval_seconds, interval_since) VALUES
            ('hlp-vault', 300, '2026-11-19T06:00Z'), ('oracle', 60, '2026-11-21T03:00Z'), ('liquidations', 10, '2026-11-21T11:30Z'),
                ('inventory', 30, '2026-11-20Z'),
            ('watchdog', 10, '2026-11-21T11:50Z'), ('never-ran', 60, '2026-11-21T11:00Z');
        UPDATE monitors SET deadline_seconds = least(greatest(interval_seconds, 5), 60);
        INSERT INTO check_runs (monitor, scheduled_at, trigger, started_at, finished_at, outcome, observations, findings, error, worker,
            recorded_at)
        SELECT 'hlp-vault', at, 'grid', at + interval '5 ms', at + (20 + n % 9) * interval '7.125 ms',
               CASE WHEN n % 11 = 3 THEN 'failed' WHEN n % 23 = 5 THEN 'timed_out' ELSE 'succeeded' END, 1, n % 3,
               CASE WHEN n % 11 = 3 OR n % 23 = 5 THEN 'the venue answered 503 at ' || n END, 'w1', at + CASE WHEN n BETWEEN 60 AND
                   62 THEN interval '5 minutes' ELSE interval '1 second' END
          FROM generate_series(0, 600) AS n, LATERAL (SELECT '2026-11-21T12:00Z'::timestamptz - n * interval '5 minutes' AS at) AS t
         WHERE n NOT BETWEEN 100 AND 112
         UNION ALL
        SELECT 'oracle', at, 'grid', at + CASE WHEN n = 20 THEN interval '70 seconds' ELSE interval '1 ms' END,
            at + CASE WHEN n = 20 THEN interval '71 seconds' ELSE interval '90 ms' END,
               'succeeded', 3, 0, NULL, 'w1', at + CASE WHEN n = 20 THEN interval '91 seconds' ELSE interval '1 second' END
          FROM generate_series(2, 180) AS n, LATERAL (SELECT '2026-11-21T12:00Z'::timestamptz - n * interval '1 minute' AS at) AS t
         WHERE n % 50 <> 7
         UNION ALL
        SELECT 'liquidations', at, CASE WHEN n % 13 = 1 THEN 'feed' ELSE 'grid' END, at, at + interval '33 ms', 'succeeded', 2, 0, NULL,
            'w2', at + interval '1 second'
          FROM generate_series(0, 120) AS n, LATERAL (SELECT '2026-11-21T12:00Z'::timestamptz - n * interval '10 seconds' - (n
              % 13 = 1)::int * interval '3 seconds' AS at) AS t
         UNION ALL
        SELECT 'inventory', at, 'grid', at, at + interval '12 ms', CASE WHEN n < 6 THEN 'failed' ELSE 'succeeded' END, 4, 0,
            CASE WHEN n < 6 THEN 'no answer' END, 'w1', at + interval '1 second'
          FROM generate_series(0, 400) AS n, LATERAL (SELECT '2026-11-21T12:00Z'::timestamptz - n * interval '30 seconds' AS at) AS t
         UNION ALL
        SELECT 'watchdog', at, 'grid', at, at + interval '2 ms', 'succeeded', 0, 0, NULL, 'w1', at + interval '1 second'
          FROM generate_series(0, 60) AS n, LATERAL (SELECT '2026-11-21T12:00Z'::timestamptz - n * interval '10 seconds' AS at) AS t;
        """;

    // Two vaults, so that the one observed last is chosen; nulls wherever they may be; digits that binary fractions do not have.
    private const string VaultSql = """
        INSERT INTO hlp_vault_snapshots (vault_address, observed_at, venue_at, account_value, total_value_locked, pnl_1h, pnl_24h,
            pnl_7d, pnl_30d, all_time_pnl, sharpe_ratio, drawdown_pct,
                                         max_drawdown_pct, z_score, loss_score, drawdown_score, volatility_score, anomaly_score,
                                             is_healthy, health_issues)
        SELECT CASE WHEN n = 90 THEN '0xold' ELSE '0xdfc2' END, at, at - interval '1.234567 s', 373942112.123456 + n * 1000.01,
            373942112.5000 + n, CASE WHEN n % 5 > 0 THEN -1234.5600 * n END,
               CASE WHEN n % 4 > 0 THEN 20000.00001 - n END, CASE WHEN n % 3 > 0 THEN 300000 END, CASE WHEN n % 2 > 0 THEN 4000000.10
                   END, 63400000.123456789012 - n,
               CASE WHEN n % 6 > 0 THEN 1.750 END, 0.10 * (n % 7), 2.250, CASE WHEN n % 7 > 0 THEN -0.5 END, 1.00, 2.5, 3,
                   6.500 + n % 60, n % 10 > 0,
               CASE WHEN n % 10 = 0 THEN ARRAY['component "HLP, A" could not be read', 'näive <b>&amp;</b>'] ELSE '{}' END
          FROM generate_series(0, 90) AS n, LATERAL (SELECT '2026-11-21T12:00Z'::timestamptz - n * interval '5 minutes' AS at) AS t;
        INSERT INTO hlp_vault_hourly (vault_address, hour, snapshots, account_value_sum, account_value_min, account_value_max,
            anomaly_score_sum, anomaly_score_max, unhealthy)
        SELECT vault_address, date_trunc('hour', observed_at, 'UTC'), count(*), sum(account_value), min(account_value),
            max(account_value), sum(anomaly_score), max(anomaly_score),
               count(*) FILTER (WHERE NOT is_healthy)
          FROM hlp_vault_snapshots GROUP BY 1, 2;
        INSERT INTO hlp_vault_components (vault_address, component_address, observed_at, account_value, total_notional_usd,
            unrealized_pnl, positions)
        SELECT '0xdfc2', '0xc' || c, '2026-11-21T12:00Z'::timestamptz - n * interval '5 minutes', 1000000.25 * c - 500000, 12345.678 * c,
            -1.50 * c, c
          FROM generate_series(0, 20) AS n, generate_series(1, 3) AS c;
        INSERT INTO hlp_vault_inventory (vault_address, parent_address, coin, observed_at, size, notional_usd, unrealized_pnl, share_pct,
            open_interest_pct)
        SELECT '0xc' || c, '0xdfc2', coin, '2026-11-21T12:00Z'::timestamptz - n * interval '30 seconds', -1.500 * c + n * 0.001,
            200000.10 * c * length(coin) - n, 3.3 - n,
               CASE WHEN c < 3 THEN 4.50 + n * 0.01 END, CASE WHEN n % 2 = 0 THEN 0.125 END
          FROM generate_series(0, 40) AS n, generate_series(1, 3) AS c, unnest(ARRAY['BTC', 'xyz:TSLA', 'kPEPE']) AS coin
         WHERE NOT (coin = 'kPEPE' AND n < 3);
        INSERT INTO hlp_vault_inventory_hours (vault_address, coin, hour_at, notional_usd, share_pct)
        SELECT vault_address, coin, date_bin('1 hour', observed_at, 'epoch'), max(notional_usd), max(share_pct) FROM hlp_vault_inventory
            GROUP BY 1, 2, 3
        UNION ALL
        SELECT '0xc9', 'DOGE', '2026-11-20T18:00Z', 9999999.5, 33.125;
        """;

    private const string MarketSql = """
        INSERT INTO oracle_deviations (asset, observed_at, hyperliquid_price, mark_price, binance_price, coinbase_price, pyth_price,
            kraken_price, okx_price, reference_price, reference_count,
                                       left_out, max_deviation_pct, max_deviation_source, breached_since, duration_seconds, floor_pct,
                                           is_dangerous, severity, risk_score)
        SELECT asset, at, 96412.50 + n, 96410.1, CASE WHEN n % 2 = 0 THEN 96380.25 END, CASE WHEN n % 3 = 0 THEN 96381 END, NULL,
            CASE WHEN n % 5 = 0 THEN 96379.99 END, 96381.0, 96380.60,
               CASE WHEN asset = 'SOL' THEN 1 ELSE 3 END, CASE WHEN n % 4 = 0 THEN ARRAY['pyth stale', 'binance, crossed'] ELSE '{}' END,
               round((CASE WHEN asset = 'BTC' AND n < 12 THEN 1.25 - n * 0.05 WHEN asset = 'ETH' THEN 0.45 ELSE 0.031 END)::numeric, 4),
                   'okx',
               CASE WHEN asset = 'BTC' AND n < 12 THEN '2026-11-21T11:47Z'::timestamptz END, CASE WHEN asset = 'BTC' AND n <
                   12 THEN (11 - n) * 60 ELSE 0 END,
               CASE WHEN n % 2 = 1 THEN 0.75 END, asset = 'BTC' AND n < 11, CASE WHEN asset = 'BTC' AND n <
                   6 THEN 'critical' WHEN asset = 'BTC' AND n < 12 THEN 'high' END,
               CASE WHEN asset <> 'SOL' THEN 41.50 - n % 7 END
          FROM generate_series(2, 90) AS n, unnest(ARRAY['BTC', 'ETH', 'SOL']) AS asset, LATERAL (SELECT '2026-11-21T12:00Z'::timestamptz
              - n * interval '1 minute' AS at) AS t;
        INSERT INTO liquidations (coin, tid, liquidated_user, observed_at, method, side, price, size, notional_usd, counterparty, hash,
            source_address, coverage)
        SELECT (ARRAY['BTC', 'ETH', 'xyz:TSLA', '@107'])[1 + n % 4], 100000000 + n, '0xu' || n % 5, '2026-11-21T11:59Z'::timestamptz
            - (n / 3) * interval '7 minutes' - n * interval '0.001 s',
               (ARRAY['market', 'market', 'backstop', 'adl'])[1 + n % 4], (ARRAY['long', 'short'])[1 + n % 2], 1000.10 + n, 2.500,
                   2500.250 + n, CASE WHEN n % 3 > 0 THEN '0xp' || n END,
               CASE WHEN n % 6 > 0 THEN '0xh' || n / 6 END, '0xs' || n % 2, (ARRAY['hlp_complete', 'hlp_sample', 'account'])[1 + n % 3]
          FROM generate_series(0, 119) AS n;
        INSERT INTO liquidation_patterns (pattern_id, pattern_type, subject, start_time, end_time, duration_seconds,
            total_liquidated_usd, affected_users, assets_involved, suspicion_score,
                                          liquidation_count, price_impact, indicators)
        SELECT md5('pattern ' || n), (ARRAY['flash_loan', 'cascade', 'coordinated', 'manipulation', 'adl'])[1 + n % 5],
            CASE WHEN n % 5 = 2 THEN '0xu1' ELSE 'BTC' END, at, at + interval '90.5 s',
               90.50, 1234567.890 - n, 3 + n, ARRAY['BTC', 'xyz:TSLA'], 55.25 + n, 6, -1.50, jsonb_build_object('direction', 'down',
                   'pct', 1.50, 'coins', ARRAY['BTC'])
          FROM generate_series(0, 12) AS n, LATERAL (SELECT '2026-11-21T11:58Z'::timestamptz - n * interval '17 minutes' AS at) AS t;
        INSERT INTO liquidation_sources (source_address, is_hlp_vault, watched_since, read_until, last_fill_at, gaps, last_gap_from,
            last_gap_until) VALUES
            ('0xs0', true, '2026-11-20Z', '2026-11-21T11:59:50Z', '2026-11-21T11:58Z', 2, '2026-11-20T03:00Z', '2026-11-20T04:00Z'),
                ('0xs1', false, '2026-11-20Z', '2026-11-21T11:59:50Z', NULL, 0, NULL, NULL);
        """;

    // Every rule that /explain knows rows for, an event each, and one that it does not; each state, and notifications in each.
    private const string EventsSql = """
        INSERT INTO security_events (event_id, fingerprint, monitor, rule_id, rule_version, threat_type, severity, status, subject,
            title, description, indicators, related_addresses,
                                     estimated_loss_usd, occurrences, clean_checks, first_seen_at, last_seen_at, judged_at,
                                         acknowledged_at, acknowledged_by, resolved_at, resolution)
        SELECT md5('event ' || n)::uuid, rule || ' ' || subject || ' ' || n, monitor, rule, 1, threat, severity, status, subject,
            title || n, 'a "quoted", <b>line</b>', found::jsonb, ARRAY[subject],
               CASE WHEN n % 2 = 0 THEN 1250000.50 END, n + 1, 0, at, at + n * interval '30 seconds', at + n * interval '30 seconds',
               CASE WHEN status = 'acknowledged' THEN at + interval '31 s' END, CASE WHEN status = 'acknowledged' THEN 'anna' END,
                   CASE WHEN status = 'resolved' THEN at + interval '15 min' END,
               CASE WHEN status = 'resolved' AND n % 2 = 0 THEN 'gone, checked by hand' END
          FROM (VALUES
            (0, 'hlp-vault', 'hlp.loss', 'hlp_exploitation', 'critical', 'open', '0xdfc2', 'vault lost ', '{"pnl_1h_usd": -2500000.50}',
                5),
            (1, 'inventory', 'hlp.inventory', 'hlp_concentration', 'medium', 'acknowledged', '0xc1:BTC', 'holds much ',
                '{"share_pct": 15.5}', 4),
            (2, 'oracle', 'oracle.deviation', 'oracle_manipulation', 'critical', 'open', 'BTC', 'oracle off ',
                '{"duration_seconds": 300, "max_deviation_pct": 1.1}', 3),
            (3, 'oracle', 'oracle.common-mode', 'quote_depeg', 'medium', 'resolved', 'USDT', 'quote off ', '{"off": ["BTC", "SOL"]}', 4),
            (4, 'watchdog', 'monitor.stale', 'monitor_stale', 'high', 'open', 'inventory', 'blind ',
                '{"monitor": "inventory", "last_success_at": "2026-11-21T11:57:00Z"}', 1),
            (5, 'liquidations', 'liquidation.cascade', 'cascade_liquidation', 'high', 'resolved', 'BTC', 'cascade ',
                '{"pattern_id": "' || md5('pattern 1') || '", "start_time": "2026-11-21T11:30:00Z"}', 19),
            (6, 'liquidations', 'liquidation.coordinated', 'suspicious_liquidation', 'medium', 'open', '0xu1', 'accounts ',
                '{"pattern_id": "' || md5('pattern 2') || '", "accounts": ["0xu2"]}', 35),
            (7, 'liquidations', 'liquidation.adl', 'auto_deleveraging', 'high', 'resolved', 'BTC', 'adl ',
                '{"pattern_id": "' || md5('pattern 4') || '"}', 70),
            (8, 'liquidations', 'liquidation.flash-loan', 'flash_loan_attack', 'critical', 'resolved', 'BTC', 'flash ',
                '{"pattern_id": "none"}', 70),
            (9, 'recorder', 'database.away', 'database_unavailable', 'high', 'resolved', 'database', 'away ', '{}', 900),
            (10, 'hlp-vault', 'hlp.drawdown', 'hlp_exploitation', 'low', 'resolved', '0xdfc2', 'fell ', '{"drawdown_pct": 10.00}', 2000),
            (11, 'hlp-vault', 'hlp.sigma', 'hlp_anomaly', 'info', 'open', '0xdfc2', 'sigma ', '{}', 10)
          ) AS event (n, monitor, rule, threat, severity, status, subject, title, found, minutes),
              LATERAL (SELECT '2026-11-21T12:00Z'::timestamptz - minutes * interval '1 minute' AS at) AS t;
        UPDATE security_events
           SET subject_kind = 'position', account = split_part(subject, ':', 1), subject_id = split_part(subject, ':', 2)
         WHERE rule_id = 'hlp.inventory';
        INSERT INTO security_event_changes (event_id, changed_at, scheduled_at, kind, severity, actor, note, evidence)
        SELECT event_id, changed_at, scheduled_at, kind, severity, actor, note, evidence
          FROM (SELECT event_id, first_seen_at + interval '0.5 s' AS changed_at, first_seen_at AS scheduled_at, 'opened' AS kind,
              severity, 'worker' AS actor, NULL AS note,
                       jsonb_build_object('thresholds', '{"critical_usd": -2000000, "high_usd": -1000000.0}'::jsonb, 'values',
                           indicators, 'arithmetic', ARRAY['2 reaches 1', '<&>']) AS evidence
                  FROM security_events
                 UNION ALL
                SELECT event_id, acknowledged_at, NULL, 'acknowledged', severity, 'anna', 'looking', NULL FROM security_events WHERE
                    acknowledged_at IS NOT NULL
                 UNION ALL
                SELECT event_id, last_seen_at + interval '0.5 s', last_seen_at, 'escalated', severity, 'worker', NULL,
                       jsonb_build_object('thresholds', '{"a": 1}'::jsonb, 'values', indicators, 'arithmetic',
                           ARRAY['3 reaches 1']) FROM security_events WHERE rule_id = 'oracle.deviation'
                 UNION ALL
                SELECT event_id, first_seen_at + interval '40 s', NULL, 'silenced', severity, 'bob', 'until 2026-11-21T18:00:00Z',
                    NULL FROM security_events WHERE rule_id = 'hlp.sigma'
                 UNION ALL
                SELECT event_id, resolved_at, CASE WHEN resolution IS NULL THEN resolved_at END, 'resolved', severity,
                    CASE WHEN resolution IS NULL THEN 'worker' ELSE 'anna' END, resolution, NULL
                  FROM security_events WHERE status = 'resolved') AS change
         ORDER BY changed_at, event_id, kind;
        INSERT INTO notification_channels (channel, configured_at, last_delivered_at, last_failed_at, last_error) VALUES
            ('slack', '2026-11-21T11:59:30Z', '2026-11-21T11:56Z', '2026-11-21T11:58Z', '429'), ('webhook', '2026-11-21T11:20Z',
                '2026-11-10Z', NULL, NULL), ('email', '2026-11-21T11:59:45Z', NULL, NULL, NULL);
        INSERT INTO channel_tests (test_id, channel, tested_at, outcome, reason) VALUES
            (md5('test 1')::uuid, 'email', '2026-11-20T09:00Z', 'delivered', NULL), (md5('test 2')::uuid, 'webhook', '2026-11-21T09:00Z',
                'dead', '404');
        INSERT INTO notifications (notification_id, event_id, seq, channel, kind, severity, status, created_at, message_id, attempts,
            next_attempt_at, delivered_at, dead_at, last_error)
        SELECT md5('notification ' || seq || channel)::uuid, event_id, seq, channel, kind, severity, status, changed_at,
            CASE WHEN status IN ('delivered', 'dead') THEN md5('message ' || seq)::uuid END,
               CASE WHEN status = 'pending' THEN 0 ELSE 2 END, CASE WHEN status = 'pending' AND seq % 2 = 0 THEN changed_at + interval
                   '1 min' END,
               CASE WHEN status = 'delivered' THEN changed_at + interval '1.5 s' END, CASE WHEN status = 'dead' THEN
                   changed_at + interval '2 min' END, CASE WHEN status = 'dead' THEN 'no such channel' END
          FROM security_event_changes
         CROSS JOIN unnest(ARRAY['slack', 'webhook']) AS channel
         CROSS JOIN LATERAL (SELECT (ARRAY['delivered', 'pending', 'dead', 'silenced'])[1 + (seq + length(channel)) % 4] AS status) AS s
         WHERE kind IN ('opened', 'escalated', 'acknowledged', 'resolved');
        INSERT INTO silences (silence_id, fingerprint, until, note, created_by, created_at, ended_at)
        SELECT md5('silence ' || rule_id)::uuid, fingerprint, '2026-11-21T18:00Z'::timestamptz, CASE WHEN rule_id = 'hlp.sigma'
            THEN 'known' END,
            'bob', first_seen_at + interval '40 s',
               CASE WHEN rule_id = 'monitor.stale' THEN '2026-11-21T11:59:59Z'::timestamptz END
          FROM security_events WHERE rule_id IN ('hlp.sigma', 'monitor.stale', 'hlp.loss')
         UNION ALL
        SELECT md5('silence over')::uuid, 'gone x', '2026-11-20T18:00Z', NULL, 'anna', '2026-11-20T12:00Z', NULL;
        """;

    /// <summary>Fills the tables of a new clone.</summary>
    public static async Task FillAsync(NpgsqlDataSource db)
    {
        await using var connection = await db.OpenConnectionAsync();
        foreach (var sql in (string[])[ChecksSql, VaultSql, MarketSql, EventsSql])
            await connection.ExecuteAsync(sql);
    }

    /// <summary>The id of an event by its number in the fill.</summary>
    public static Guid EventId(int number) => new(Convert.FromHexString(Md5($"event {number}")), bigEndian: true);

#pragma warning disable CA5351 // names rows as md5() of PostgreSQL does, and keeps no secret
    private static string Md5(string text) => Convert.ToHexString(MD5.HashData(Encoding.UTF8.GetBytes(text)));
#pragma warning restore CA5351
}
