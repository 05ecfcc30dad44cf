using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Monitoring.Data.Checks;
using Monitoring.Data.Database;
using Monitoring.Data.Events;
using Monitoring.Data.Venues;
using Monitoring.Tests.Events;
using Monitoring.Tests.Venues.Liquidations;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Recording;
using Npgsql;

namespace Monitoring.Tests.Api;

public sealed class LiquidationEndpointTests
{
    private static readonly DateTimeOffset Noon = ManualClock.Noon;
    private readonly ManualClock _clock = new(Noon.AddHours(1));
    private NpgsqlDataSource _db = null!;
    private ApiUnderTest _api = null!;

    [SetUp]
    public async Task Start()
    {
        _db = await TestDatabase.CloneAsync();
        _api = await ApiUnderTest.StartAsync(_db, _clock);
        await new MonitorTable(_db).RegisterAsync("liquidations", TimeSpan.FromMinutes(3), TimeSpan.FromMinutes(1), Noon, default);
    }

    [TearDown]
    public async Task Stop()
    {
        await _api.DisposeAsync();
        await TestDatabase.DropAsync(_db);
    }

    private static LiquidationPattern Pattern(
        int minute, LiquidationPatternType type, decimal score = 50, int count = 5, string subject = "ETH") => new(
        $"{minute:x32}", type, subject, Noon.AddMinutes(minute), Noon.AddMinutes(minute + count), count * 60,
        1_000_000.5m, 4, ["BTC", "ETH"], score, count, -2.5m, """{"direction":"down"}""");

    private async Task StoreAsync(int second, params Observation[] observations)
    {
        var recorder = new ServiceCollection().AddSingleton(_db).AddMonitoringTables().AddSingleton(new EventOptions(3, Severity.High))
            .AddSingleton<TimeProvider>(_clock).AddSingleton(new NotificationRouting([], Severity.High, []))
            .AddSingleton<DatabaseRecorder>().BuildServiceProvider().GetRequiredService<DatabaseRecorder>();
        await recorder.WriteAsync(
            ResultSample.Of("liquidations", Noon.AddSeconds(second), CheckOutcome.Succeeded, [], [], observations), default);
    }

    private Task FillAsync() => StoreAsync(0,
    [
        .. Enumerable.Range(0, 9).Select(i => LiquidationSample.Row(i / 3, $"0x{i}", 1000, coin: i % 2 == 0 ? "ETH" : "xyz:TSLA",
            tid: 100 + i, hash: i < 2 ? null : "0x1", method: i == 8 ? LiquidationMethod.Adl : LiquidationMethod.Market)),
        .. Enumerable.Range(0, 5).Select(i => Pattern(i, i == 4 ? LiquidationPatternType.Adl : LiquidationPatternType.Cascade)),
        new LiquidationSource(LiquidationSample.Maker, true, Noon, Noon, Noon, 2, Noon, Noon),
    ]);

    private async Task<List<JsonNode>> ReadAllAsync(string path, string items)
    {
        var rows = new List<JsonNode>();
        string? next = null;
        do
        {
            var page = await _api.GetAsync(path + (next is null ? "" : $"&before={next}"));
            rows.AddRange(page[items]!.AsArray().Select(row => row!));
            next = (string?)page["next"];
        } while (next is not null);
        return rows;
    }

    [Test]
    public async Task Liquidations_are_paged_to_their_end_newest_first_without_a_row_twice()
    {
        await FillAsync();
        var rows = await ReadAllAsync("/security/liquidations?limit=2", "liquidations");
        Assert.That(rows.Select(row => (long)row["tid"]!), Is.EquivalentTo(Enumerable.Range(100, 9)));
        Assert.That(rows.Select(row => (string)row["timestamp"]!), Is.Ordered.Descending);
        var adl = rows.Single(row => (string)row["method"]! == "adl");
        Assert.That(((string)adl["coin"]!, (string)adl["side"]!, (decimal)adl["notional_usd"]!, (decimal)adl["size"]!,
            (string)adl["liquidated_user"]!, (string)adl["coverage"]!, (string)adl["source_address"]!),
            Is.EqualTo(("ETH", "long", 1000m, 10m, "0x8", "hlp_sample", LiquidationSample.Maker)));
    }

    [TestCase("coin=ETH", 5)]
    [TestCase("coin=xyz:TSLA", 4)]
    [TestCase("coin=BTC", 0)]
    [TestCase("method=adl", 1)]
    [TestCase("method=market&coin=ETH", 4)]
    [TestCase("hours=1", 9)]
    public async Task Liquidations_are_filtered(string filter, int expected)
    {
        await FillAsync();
        Assert.That((int)(await _api.GetAsync($"/security/liquidations?{filter}"))["count"]!, Is.EqualTo(expected));
        _clock.Advance(TimeSpan.FromHours(2));
        Assert.That((int)(await _api.GetAsync("/security/liquidations?hours=2"))["count"]!, Is.Zero);
    }

    [Test]
    public async Task Patterns_are_paged_and_filtered()
    {
        await FillAsync();
        var rows = await ReadAllAsync("/security/liquidation-patterns?limit=2", "patterns");
        Assert.That(rows.Select(row => (string)row["start_time"]!).ToList(), Has.Count.EqualTo(5).And.Unique.And.Ordered.Descending);
        var adl = (await _api.GetAsync("/security/liquidation-patterns?pattern_type=adl"))["patterns"]!.AsArray().Single()!;
        Assert.That(adl.ToJsonString(), Is.EqualTo("""
            {"id":"00000000000000000000000000000004","pattern_type":"adl","subject":"ETH",
            "start_time":"2026-11-21T12:04:00Z","end_time":"2026-11-21T12:09:00Z","duration_seconds":300,
            "total_liquidated_usd":1000000.5,"affected_users":4,"assets_involved":["BTC","ETH"],"suspicion_score":50,
            "liquidation_count":5,"price_impact":-2.5,"indicators":{"direction":"down"}}
            """.ReplaceLineEndings("")));
    }

    [Test]
    public async Task Pattern_found_again_is_brought_up_to_date_and_never_set_back()
    {
        await StoreAsync(0, Pattern(1, LiquidationPatternType.Cascade, count: 5));
        await StoreAsync(1, Pattern(1, LiquidationPatternType.Cascade, score: 70, count: 9));
        await StoreAsync(2, Pattern(1, LiquidationPatternType.Cascade, score: 40, count: 3));
        var row = (await _api.GetAsync("/security/liquidation-patterns"))["patterns"]!.AsArray().Single()!;
        Assert.That(((decimal)row["suspicion_score"]!, (int)row["liquidation_count"]!), Is.EqualTo((70m, 9)));
    }

    [Test]
    public async Task Dashboard_sums_a_day_by_method_and_says_what_it_can_see()
    {
        var empty = (await _api.GetAsync("/security/dashboard"))["liquidations"]!;
        Assert.That(((decimal)empty["notional_usd"]!, empty["by_method"]!.AsArray().Count, empty["coverage"]!["last_check_at"]),
            Is.EqualTo((0m, 3, (JsonNode?)null)));
        await FillAsync();
        var part = (await _api.GetAsync("/security/dashboard"))["liquidations"]!;
        Assert.That(((decimal)part["notional_usd"]!, (int)part["hours"]!, part["patterns"]!.AsArray().Count), Is.EqualTo((9000m, 24, 5)));
        var market = part["by_method"]![0]!;
        Assert.That(((string)market["method"]!, (long)market["fills"]!, (long)market["affected_users"]!,
            (bool)market["is_complete"]!, (bool)part["by_method"]![2]!["is_complete"]!),
            Is.EqualTo(("market", 8L, 8L, false, true)));
        Assert.That(((int)part["coverage"]!["accounts"]!, (long)part["coverage"]!["gaps"]!, (string)part["coverage"]!["last_check_at"]!),
            Is.EqualTo((1, 2L, "2026-11-21T12:00:00Z")));
        Assert.That((string)part["coverage"]!["note"]!, Does.Contain("no feed of all liquidations"));
        _clock.Advance(TimeSpan.FromHours(24));
        Assert.That((decimal)(await _api.GetAsync("/security/dashboard"))["liquidations"]!["notional_usd"]!, Is.Zero);
    }

    [TestCase("/security/liquidations?before=QUJD")]
    [TestCase("/security/liquidations?coin=a b")]
    [TestCase("/security/liquidations?method=cross")]
    [TestCase("/security/liquidations?hours=169")]
    [TestCase("/security/liquidation-patterns?pattern_type=Adl")]
    [TestCase("/security/liquidation-patterns?limit=201")]
    public async Task Bad_parameter_is_named(string path)
    {
        using var response = await _api.Http.GetAsync(path);
        Assert.That((int)response.StatusCode, Is.EqualTo(400));
    }
}
