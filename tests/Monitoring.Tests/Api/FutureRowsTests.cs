using System.Text.Json.Nodes;
using Dapper;
using Npgsql;

namespace Monitoring.Tests.Api;

/// <summary>Lists over rows of which some were stored by a worker whose clock was ahead for a while.</summary>
public sealed class FutureRowsTests
{
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow(); // what the database calls now cannot be set

    // Of each list three rows of the last minutes and two of the hours to come.
    private const string FillSql = """
        SELECT ensure_day_partition(parent, (@now + day * interval '1 day')::date)
          FROM unnest(ARRAY['oracle_deviations', 'liquidations', 'hlp_vault_inventory']) AS parent, generate_series(-1, 1) AS day;
        CREATE TEMPORARY TABLE moments AS
        SELECT n, @now + by AS at
          FROM unnest(ARRAY[interval '-9 min', interval '-6 min', interval '-3 min', interval '2 hours', interval '3 hours'])
               WITH ORDINALITY AS t (by, n);
        INSERT INTO hlp_vault_snapshots (vault_address, observed_at, venue_at, account_value, total_value_locked, all_time_pnl,
                                         drawdown_pct, max_drawdown_pct, loss_score, drawdown_score, volatility_score, anomaly_score,
                                         is_healthy, health_issues)
        SELECT '0xv', at, at, 1, 1, 1, 0, 0, 0, 0, 0, 0, true, '{}'::text[] FROM moments
         UNION ALL
        SELECT '0xother', max(at) + interval '1 min', max(at), 1, 1, 1, 0, 0, 0, 0, 0, 0, true, '{}'::text[] FROM moments;
        INSERT INTO hlp_vault_hourly (vault_address, hour, snapshots, account_value_sum, account_value_min, account_value_max,
                                      anomaly_score_sum, anomaly_score_max, unhealthy)
        SELECT vault_address, date_trunc('hour', observed_at, 'UTC'), count(*), sum(account_value), min(account_value),
               max(account_value), 0, 0, 0
          FROM hlp_vault_snapshots GROUP BY 1, 2;
        INSERT INTO hlp_vault_inventory (vault_address, parent_address, coin, observed_at, size, notional_usd, unrealized_pnl)
        SELECT '0xc', '0xv', 'BTC', at, 1, 1, 1 FROM moments;
        INSERT INTO hlp_vault_inventory_hours (vault_address, coin, hour_at, notional_usd)
        SELECT '0xc', CASE WHEN at > @now THEN 'ETH' ELSE 'BTC' END, date_bin('1 hour', at, 'epoch'), max(n) FROM moments GROUP BY 2, 3;
        INSERT INTO oracle_deviations (asset, observed_at, hyperliquid_price, mark_price, reference_price, reference_count, left_out,
                                       max_deviation_pct, max_deviation_source, duration_seconds, is_dangerous)
        SELECT 'BTC', at, 1, 1, 1, 2, '{}', 1, 'okx', 0, false FROM moments;
        INSERT INTO liquidations (coin, tid, liquidated_user, observed_at, method, side, price, size, notional_usd, source_address,
                                  coverage)
        SELECT 'BTC', n, '0xu', at, 'market', 'long', 1, 2, 3, '0xs', 'account' FROM moments;
        INSERT INTO liquidation_patterns (pattern_id, pattern_type, subject, start_time, end_time, duration_seconds, total_liquidated_usd,
                                          affected_users, assets_involved, suspicion_score, liquidation_count, price_impact, indicators)
        SELECT 'p' || n, 'cascade', 'BTC', at, at, 1, 2, 3, '{BTC}', 55, 6, -1.5, '{}' FROM moments;
        INSERT INTO security_events (event_id, fingerprint, monitor, rule_id, rule_version, threat_type, severity, status, subject, title,
                                     description, indicators, related_addresses, occurrences, clean_checks, first_seen_at, last_seen_at,
                                     judged_at)
        SELECT gen_random_uuid(), 'f' || n, 'm', 'r', 1, 't', 'high', 'open', 's', 't', 'd', '{}', '{}', 1, 0, at, at, at FROM moments;
        """;

    private const int True = 3;
    private const int Ahead = 2;

    private NpgsqlDataSource _db = null!;

    [SetUp]
    public async Task Fill()
    {
        _db = await TestDatabase.CloneAsync();
        await using var connection = await _db.OpenConnectionAsync();
        await connection.ExecuteAsync(FillSql, new { now = Now });
    }

    [TearDown]
    public Task Drop() => TestDatabase.DropAsync(_db);

    private static IEnumerable<TestCaseData> Lists() =>
        from list in new[]
        {
            ("/security/hlp-vault/history?", "snapshots", "timestamp"), ("/security/hlp-vault/history?hours=5&", "snapshots", "timestamp"),
            ("/security/hlp-vault/inventory?", "inventory", "timestamp"),
            ("/security/oracle-deviations/history?", "deviations", "timestamp"),
            ("/security/oracle-deviations/history?asset=BTC&", "deviations", "timestamp"),
            ("/security/liquidations?coin=BTC&", "liquidations", "timestamp"),
            ("/security/liquidation-patterns?", "patterns", "start_time"), ("/security/events/database?", "events", "timestamp"),
        }
        select new TestCaseData(list.Item1, list.Item2, list.Item3).SetArgDisplayNames(list.Item1);

    [TestCaseSource(nameof(Lists))]
    public async Task Rows_ahead_of_now_come_with_a_to_behind_them_and_never_before_the_true_ones(string path, string items, string time)
    {
        await using var api = await ApiUnderTest.StartAsync(_db, TimeProvider.System);
        var to = $"to={Now.AddHours(4):yyyy-MM-ddTHH:mm:ssZ}&";
        foreach (var (filter, expected) in new[] { ("", True), (to, True + Ahead) })
        {
            var seen = new List<DateTimeOffset>();
            for (string? next = ""; next is not null;)
            {
                var page = await api.GetAsync($"{path}{filter}limit=1{next}");
                seen.AddRange(page[items]!.AsArray().Select(row => (DateTimeOffset)row![time]!));
                next = (string?)page["next"] is { } cursor ? $"&before={cursor}" : null;
            }

            Assert.That(seen, Is.Ordered.Descending.And.Unique.And.Count.EqualTo(expected), filter);
            Assert.That(seen.Count(at => at > Now), Is.EqualTo(expected - True), filter);
            using var request = new HttpRequestMessage(HttpMethod.Get, $"{path}{filter}");
            request.Headers.Accept.ParseAdd("application/x-ndjson");
            using var answer = await api.Http.SendAsync(request);
            var lines = (await answer.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.That(lines.Select(line => (DateTimeOffset)JsonNode.Parse(line)![time]!), Is.EqualTo(seen), filter);
        }
    }

    [TestCaseSource(nameof(Lists))]
    public async Task Service_whose_own_clock_is_behind_shows_what_is_true_by_the_clock_of_the_database(
        string path, string items, string time)
    {
        await using var api = await ApiUnderTest.StartAsync(_db, new ManualClock(Now.AddHours(-3)));
        var seen = (await api.GetAsync(path.TrimEnd('?', '&')))[items]!.AsArray().Select(row => (DateTimeOffset)row![time]!).ToList();
        Assert.That((seen.Count, seen.Max() > Now), Is.EqualTo((True, false)));
    }

    [Test]
    public async Task Overviews_take_no_row_ahead_of_now_for_the_newest()
    {
        await using var api = await ApiUnderTest.StartAsync(_db, TimeProvider.System);
        var patterns = (await api.GetAsync("/security/dashboard"))["liquidations"]!["patterns"]!.AsArray();
        Assert.That(patterns.Select(pattern => (string)pattern!["id"]!), Is.EqualTo(new[] { "p3", "p2", "p1" }));
        Assert.That((int)(await api.GetAsync("/security/hlp-vault/statistics"))["total_snapshots"]!, Is.EqualTo(True + Ahead),
            "of the vault that was observed last");
        var held = (await api.GetAsync("/security/hlp-vault/holdings?hours=168&top=1"))["holdings"]!.AsArray();
        Assert.That(held.Select(holding => (string)holding!["coin"]!), Is.EqualTo(new[] { "BTC" }));
    }

    [Test]
    public async Task Open_event_is_never_hidden()
    {
        await using var api = await ApiUnderTest.StartAsync(_db, TimeProvider.System);
        Assert.That((int)(await api.GetAsync("/security/events"))["count"]!, Is.EqualTo(True + Ahead), "it is shown while it lasts");
    }
}
