using System.Net;
using System.Text.Json.Nodes;
using Dapper;
using Npgsql;

namespace Monitoring.Tests.Api;

public sealed class PagingTests
{
    private readonly ManualClock _clock = new(ManualClock.Noon);
    private NpgsqlDataSource _db = null!;
    private ApiUnderTest _api = null!;

    [SetUp]
    public async Task Start()
    {
        _db = await TestDatabase.CloneAsync();
        await SampleRows.FillAsync(_db);
        _api = await ApiUnderTest.StartAsync(_db, _clock);
    }

    [TearDown]
    public async Task Stop()
    {
        await _api.DisposeAsync();
        await TestDatabase.DropAsync(_db);
    }

    // Each is a copy of some rows under a new key: some newer than all, some among those that were read and those that were not.
    private const string Events = """
        INSERT INTO security_events (event_id, fingerprint, monitor, rule_id, rule_version, threat_type, severity, status, subject, title,
                                     description, indicators, related_addresses, occurrences, clean_checks, first_seen_at, last_seen_at,
                                     judged_at, resolved_at)
        SELECT gen_random_uuid(), fingerprint || gen_random_uuid(), monitor, rule_id, rule_version, threat_type, severity, status, subject,
               title, description, indicators, related_addresses, 1, 0, first_seen_at + by, last_seen_at + by, judged_at, resolved_at
          FROM security_events, unnest(ARRAY[interval '2 hours', interval '7 seconds' * @n]) AS by WHERE random() < 0.2
        """;

    [TestCase("/security/hlp-vault/history?hours=5", "snapshots", "timestamp", 60, """
        INSERT INTO hlp_vault_snapshots (vault_address, observed_at, venue_at, account_value, total_value_locked, all_time_pnl,
                                         drawdown_pct, max_drawdown_pct, loss_score, drawdown_score, volatility_score, anomaly_score,
                                         is_healthy, health_issues)
        SELECT '0xv', at, at, 1, 1, 1, 0, 0, 0, 0, 0, 0, true, '{}'
          FROM generate_series('2026-11-21T08:00:01Z'::timestamptz, '2026-11-21T14:00Z', '10 minutes') AS t,
               LATERAL (SELECT t + @n * interval '1 second' AS at) AS u
            ON CONFLICT DO NOTHING
        """)]
    [TestCase("/security/hlp-vault/inventory?hours=1", "inventory", "timestamp,vault_address", 90, """
        INSERT INTO hlp_vault_inventory (vault_address, parent_address, coin, observed_at, size, notional_usd, unrealized_pnl)
        SELECT v, '0xv', 'BTC', '2026-11-21T11:54:00Z'::timestamptz + s * interval '40 seconds', 1, 1, 1
          FROM generate_series(1, 20) AS s, unnest(ARRAY['0xc0' || @n, '0xc9' || @n]) AS v
            ON CONFLICT DO NOTHING
        """)]
    [TestCase("/security/oracle-deviations/history?hours=24", "deviations", "timestamp,asset", 120, """
        INSERT INTO oracle_deviations (asset, observed_at, hyperliquid_price, mark_price, reference_price, reference_count, left_out,
                                       max_deviation_pct, max_deviation_source, duration_seconds, is_dangerous)
        SELECT 'N' || @n, '2026-11-21T11:00:00Z'::timestamptz + s * interval '3 minutes', 1, 1, 1, 2, '{}', 1, 'okx', 0, false
          FROM generate_series(1, 30) AS s
        """)]
    [TestCase("/security/oracle-deviations/history?asset=BTC", "deviations", "timestamp,asset", 40, """
        INSERT INTO oracle_deviations (asset, observed_at, hyperliquid_price, mark_price, reference_price, reference_count, left_out,
                                       max_deviation_pct, max_deviation_source, duration_seconds, is_dangerous)
        SELECT 'BTC', '2026-11-21T11:00:00Z'::timestamptz + s * interval '3 minutes' + @n * interval '1 second', 1, 1, 1, 2, '{}', 1,
               'okx', 0, false
          FROM generate_series(1, 30) AS s
        """)]
    [TestCase("/security/liquidations?coin=BTC&method=market", "liquidations", "tid,liquidated_user", 90, """
        INSERT INTO liquidations (coin, tid, liquidated_user, observed_at, method, side, price, size, notional_usd, source_address,
                                  coverage)
        SELECT 'BTC', 1000 * @n + s, '0xnew', '2026-11-21T11:25:00Z'::timestamptz + s * interval '1 minute', 'market', 'long', 1, 2, 3,
               '0xs', 'account'
          FROM generate_series(1, 60) AS s
        """)]
    [TestCase("/security/liquidation-patterns?pattern_type=cascade", "patterns", "id", 40, """
        INSERT INTO liquidation_patterns (pattern_id, pattern_type, subject, start_time, end_time, duration_seconds, total_liquidated_usd,
                                          affected_users, assets_involved, suspicion_score, liquidation_count, price_impact, indicators)
        SELECT md5(@n || 'x' || s), 'cascade', 'BTC', at, at, 1, 2, 3, '{BTC}', 55, 6, -1.5, '{}'
          FROM generate_series(1, 20) AS s, LATERAL (SELECT '2026-11-21T11:20:00Z'::timestamptz + s * interval '4 minutes' AS at) AS t
        """)]
    [TestCase("/security/events?severity=high", "events", "id", 60, Events)]
    [TestCase("/security/events/database?hours=24", "events", "id", 60, Events)]
    public async Task Every_row_of_the_start_comes_exactly_once_while_others_are_added(
        string path, string items, string key, int expected, string insert)
    {
        string IdOf(JsonNode? row) => string.Join('|', key.Split(',').Select(name => $"{row![name]}"));
        var atStart = (await _api.GetAsync($"{path}&limit=200"))[items]!.AsArray().Select(IdOf).ToList();
        Assert.That(atStart, Has.Count.EqualTo(expected));
        var seen = new List<string>();
        var n = 0;
        for (string? next = $"{path}&limit=7"; next is not null;)
        {
            var page = await _api.GetAsync(next);
            seen.AddRange(page[items]!.AsArray().Select(IdOf));
            next = (string?)page["next"] is { } cursor ? $"{path}&limit=7&before={cursor}" : null;
            _clock.Advance(TimeSpan.FromSeconds(20)); // the window of the last hours must not move on meanwhile
            if (++n <= 5)
                await using (var connection = await _db.OpenConnectionAsync())
                    await connection.ExecuteAsync(insert, new { n });
        }

        Assert.That(seen, Is.Unique);
        Assert.That(seen.Intersect(atStart), Is.EquivalentTo(atStart));
    }

    [Test]
    public async Task Cursor_that_is_altered_or_of_another_list_is_refused()
    {
        var cursor = (string)(await _api.GetAsync("/security/liquidations?coin=BTC&limit=5"))["next"]!;
        await _api.GetAsync($"/security/liquidations?coin=BTC&limit=50&before={cursor}"); // another size of page is no other list
        await using (var second = await ApiUnderTest.StartAsync(_db, _clock))
            await second.GetAsync($"/security/liquidations?coin=BTC&limit=5&before={cursor}"); // nor is another process
        var flipped = (cursor[20] == 'A' ? 'B' : 'A') + cursor[21..];
        foreach (var foreign in new[]
        {
            $"/security/liquidations?coin=BTC&before={cursor[..20]}{flipped}", $"/security/liquidations?coin=BTC&before={cursor[..^3]}",
            $"/security/liquidations?coin=BTC&before={cursor}AAAA", $"/security/liquidations?coin=ETH&before={cursor}",
            $"/security/liquidations?before={cursor}", $"/security/liquidations?coin=BTC&hours=3&before={cursor}",
            $"/security/liquidation-patterns?before={cursor}", $"/security/events?before={cursor}",
            $"/security/liquidations?coin=BTC&before={new string('A', 60)}",
        })
        {
            using var response = await _api.Http.GetAsync(foreign);
            var problem = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
            Assert.That((response.StatusCode, problem["errors"]?["before"] is not null),
                Is.EqualTo((HttpStatusCode.BadRequest, true)), foreign);
        }
    }

    [TestCase("from=2026-11-21T11:30:00Z&to=2026-11-21T11:40:00Z", 10)]
    [TestCase("to=2026-11-21T11:40:00Z&hours=1", 20)]
    [TestCase("from=2026-11-21T13:30:00%2B02:00", 30)]
    [TestCase("from=2020-01-01T00:00:00Z", 40)]
    public async Task Window_is_from_up_to_but_without_to(string window, int rows) =>
        Assert.That((int)(await _api.GetAsync($"/security/oracle-deviations/history?asset=BTC&{window}"))["count"]!, Is.EqualTo(rows));

    [TestCase("from=2026-11-21T11:30:00Z&hours=2", "hours")]
    [TestCase("from=2026-11-21T11:30:00Z&to=2026-11-21T11:30:00Z", "from")]
    public async Task Window_that_contradicts_itself_is_refused(string window, string name)
    {
        using var response = await _api.Http.GetAsync($"/security/liquidations?{window}");
        Assert.That((response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!["errors"]![name] is not null),
            Is.EqualTo((HttpStatusCode.BadRequest, true)));
    }
}
