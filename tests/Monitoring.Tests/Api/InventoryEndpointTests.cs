using System.Net;
using System.Text;
using Dapper;
using Microsoft.AspNetCore.WebUtilities;
using Monitoring.Data.Checks;
using Monitoring.Data.Database;
using Monitoring.Data.Venues;
using Npgsql;

namespace Monitoring.Tests.Api;

public sealed class InventoryEndpointTests
{
    private static readonly DateTimeOffset Noon = ManualClock.Noon;
    private NpgsqlDataSource _db = null!;
    private ApiUnderTest _api = null!;

    [SetUp]
    public async Task Start()
    {
        _db = await TestDatabase.CloneAsync();
        _api = await ApiUnderTest.StartAsync(_db, new ManualClock(Noon.AddHours(2)));
    }

    [TearDown]
    public async Task Stop()
    {
        await _api.DisposeAsync();
        await TestDatabase.DropAsync(_db);
    }

    // Three checks an hour apart, of two components with three coins each, but for one share that was not known.
    private async Task FillAsync()
    {
        await new DayPartitions(_db).EnsureAsync([new DateOnly(2026, 11, 21)], default);
        await using var connection = await _db.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var rows = from hour in Enumerable.Range(0, 3)
                   from component in new[] { "0xa", "0xb" }
                   from coin in new[] { "BTC", "ETH", "xyz:TSLA" }
                   select (Observation)new HlpVaultPosition(component, "0xhlp", coin, Noon.AddHours(hour), -1.5m, 300,
                       -2, coin == "BTC" ? null : 12.5m, coin == "ETH" ? 0.25m : null);
        var table = new HlpVaultInventory(_db);
        Assert.That(await table.InsertAsync([.. rows], someAreThere: false, transaction, default), Is.EqualTo(18));
        Assert.That(await table.InsertAsync([.. rows], someAreThere: true, transaction, default), Is.Zero,
            "a second recording changes nothing");
        await transaction.CommitAsync();
    }

    [Test]
    public async Task Nothing_stored_is_an_empty_list() =>
        Assert.That((int)(await _api.GetAsync("/security/hlp-vault/inventory"))["count"]!, Is.Zero);

    [Test]
    public async Task Positions_are_listed_newest_check_first_with_their_shares()
    {
        await FillAsync();
        var page = await _api.GetAsync("/security/hlp-vault/inventory?hours=1");
        var rows = page["inventory"]!.AsArray();
        Assert.That(rows.Select(row => $"{(string)row!["timestamp"]!} {(string)row["vault_address"]!} {(string)row["coin"]!}").Take(4),
            Is.EqualTo(new[]
            {
                "2026-11-21T14:00:00Z 0xa BTC", "2026-11-21T14:00:00Z 0xa ETH", "2026-11-21T14:00:00Z 0xa xyz:TSLA",
                "2026-11-21T14:00:00Z 0xb BTC",
            }));
        Assert.That((rows.Count, page["next"]), Is.EqualTo((12, (System.Text.Json.Nodes.JsonNode?)null)));
        Assert.That(((string)rows[1]!["parent_address"]!, (decimal)rows[1]!["size"]!,
            (decimal)rows[1]!["notional_usd"]!, (decimal)rows[1]!["unrealized_pnl"]!, (decimal?)rows[1]!["share_pct"],
            (decimal?)rows[1]!["open_interest_pct"], (decimal?)rows[0]!["share_pct"]),
            Is.EqualTo(("0xhlp", -1.5m, 300m, -2m, (decimal?)12.5m, (decimal?)0.25m, (decimal?)null)));
    }

    [Test]
    public async Task Pages_hold_every_row_once_and_the_last_one_ends()
    {
        await FillAsync();
        var seen = new List<string>();
        for (var path = "/security/hlp-vault/inventory?limit=4"; path is not null;)
        {
            var page = await _api.GetAsync(path);
            seen.AddRange(page["inventory"]!.AsArray().Select(row => $"{row!["timestamp"]}{row["vault_address"]}{row["coin"]}"));
            path = (string?)page["next"] is { } next ? $"/security/hlp-vault/inventory?limit=4&before={next}" : null;
        }

        Assert.That(seen, Has.Count.EqualTo(18).And.Unique);
    }

    [TestCase("limit=0")]
    [TestCase("limit=501")]
    [TestCase("hours=0")]
    [TestCase("before=x")]
    [TestCase("coin=BTC")]
    public async Task Bad_parameter_is_named(string query)
    {
        using var response = await _api.Http.GetAsync($"/security/hlp-vault/inventory?{query}");
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
    }

    [Test]
    public async Task Cursor_with_a_null_character_is_refused()
    {
        var cursor = WebEncoders.Base64UrlEncode(Encoding.UTF8.GetBytes($"{Noon.UtcTicks}|a\0|b"));
        using var response = await _api.Http.GetAsync($"/security/hlp-vault/inventory?before={cursor}");
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
    }

    [Test]
    public async Task Rows_come_as_csv_too()
    {
        await FillAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/security/hlp-vault/inventory?limit=1");
        request.Headers.Accept.ParseAdd("text/csv");
        using var response = await _api.Http.SendAsync(request);
        Assert.That((await response.Content.ReadAsStringAsync()).Split("\r\n")[..2], Is.EqualTo(new[]
        {
            "timestamp,vault_address,parent_address,coin,size,notional_usd,unrealized_pnl,share_pct,open_interest_pct",
            "2026-11-21T14:00:00Z,0xa,0xhlp,BTC,-1.5,300,-2,,",
        }));
    }

    [Test]
    public async Task Largest_holdings_come_with_their_past()
    {
        Assert.That((await _api.GetAsync("/security/hlp-vault/holdings"))["timestamp"], Is.Null);
        await FillAsync();
        var answer = await _api.GetAsync("/security/hlp-vault/holdings?hours=2&top=2");
        Assert.That(((int)answer["position_count"]!, (int)answer["slot_seconds"]!, (double)answer["age_seconds"]!),
            Is.EqualTo((6, 30, 0d)));
        Assert.That(answer["positions"]!.AsArray().Select(row => $"{row!["vault_address"]} {row["coin"]}"),
            Is.EqualTo(new[] { "0xa BTC", "0xa ETH" }), "all are as large, so by name");
        Assert.That(answer["holdings"]![1]!["points"]!.AsArray()
            .Select(point => $"{point!["timestamp"]} {point["notional_usd"]} {point["share_pct"]}"),
            Is.EqualTo(new[] { "2026-11-21T13:00:00Z 300 12.5", "2026-11-21T14:00:00Z 300 12.5" }));
    }

    [Test]
    public async Task Newest_check_is_whole_however_many_positions_it_has()
    {
        await FillAsync();
        await using (var connection = await _db.OpenConnectionAsync())
            await connection.ExecuteAsync("""
                INSERT INTO hlp_vault_inventory (vault_address, parent_address, coin, observed_at, size, notional_usd, unrealized_pnl)
                SELECT '0xz', '0xhlp', 'C' || n, '2026-11-21T14:00Z', 1, n, 0 FROM generate_series(1, 6000) AS n
                """);
        var answer = await _api.GetAsync("/security/hlp-vault/holdings?hours=2&top=1");
        Assert.That(((string)answer["timestamp"]!, (int)answer["position_count"]!, (string)answer["positions"]![0]!["coin"]!),
            Is.EqualTo(("2026-11-21T14:00:00Z", 6006, "C6000")));
    }

    [Test]
    public async Task Holding_that_was_large_and_is_gone_is_still_shown_by_its_hour()
    {
        await FillAsync();
        await using (var connection = await _db.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            Observation Whale(int minute, decimal notional) =>
                new HlpVaultPosition("0xc", "0xhlp", "ETH", Noon.AddMinutes(minute), 1, notional, 0, notional / 10, null);
            await new HlpVaultInventory(_db).InsertAsync([Whale(1, 400), Whale(2, 900)], someAreThere: false, transaction, default);
            await new HlpVaultInventory(_db).InsertAsync([Whale(3, 500)], someAreThere: false, transaction, default);
            await transaction.CommitAsync();
        }

        foreach (var (hours, expected) in new[] { (3, new[] { "400", "900", "500" }), (72, ["900"]) })
        {
            var largest = (await _api.GetAsync($"/security/hlp-vault/holdings?hours={hours}"))["holdings"]![0]!;
            Assert.That((string)largest["vault_address"]!, Is.EqualTo("0xc"));
            Assert.That(largest["points"]!.AsArray().Select(point => $"{point!["notional_usd"]}"), Is.EqualTo(expected));
        }
    }

    [Test]
    public async Task Monitor_shows_its_gaps_with_their_reason_and_not_the_check_at_work()
    {
        await new MonitorTable(_db).RegisterAsync(
            "inventory", TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(1), Noon.AddHours(1), default);
        await new DayPartitions(_db).EnsureAsync([new DateOnly(2026, 11, 21)], default);
        await using (var connection = await _db.OpenConnectionAsync())
            await connection.ExecuteAsync("""
                INSERT INTO check_runs (monitor, scheduled_at, trigger, started_at, finished_at, outcome, observations, findings, error,
                                        worker, recorded_at)
                SELECT 'inventory', at, 'grid', at, at, CASE minute WHEN 20 THEN 'failed' ELSE 'succeeded' END, 0, 0,
                       CASE minute WHEN 20 THEN 'x' END, 'w', at
                  FROM unnest(ARRAY[0, 10, 20, 30]) AS minute,
                       LATERAL (SELECT '2026-11-21T13:00Z'::timestamptz + minute * interval '1 minute' AS at) AS t
                """);
        var monitor = (await _api.GetAsync("/security/monitors"))["monitors"]![0]!;
        Assert.That(monitor["gap_spans"]!.AsArray().Select(span => $"{span!["reason"]} {span["count"]} {span["from"]} {span["until"]}"),
            Is.EqualTo(new[]
            {
                "worker_down 2 2026-11-21T13:40:00Z 2026-11-21T14:00:00Z", "source_down 1 2026-11-21T13:20:00Z 2026-11-21T13:30:00Z",
            }));
    }
}
