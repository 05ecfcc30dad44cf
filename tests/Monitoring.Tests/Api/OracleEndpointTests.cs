using Microsoft.Extensions.DependencyInjection;
using Monitoring.Data.Checks;
using Monitoring.Data.Database;
using Monitoring.Data.Events;
using Monitoring.Data.Venues;
using Monitoring.Tests.Events;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Recording;
using Npgsql;

namespace Monitoring.Tests.Api;

public sealed class OracleEndpointTests
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
    }

    [TearDown]
    public async Task Stop()
    {
        await _api.DisposeAsync();
        await TestDatabase.DropAsync(_db);
    }

    private static OracleDeviation Row(string asset, DateTimeOffset at, decimal pct, bool dangerous = false) => new(
        asset, at, 100 + pct, 100, 100, null, null, 100.0005m, null, 100, 2, ["okx: stale", "pyth: missing"], pct, "binance",
        pct >= 0.5m ? Noon : null, pct >= 0.5m ? (int)(at - Noon).TotalSeconds : 0, 0.3m, dangerous,
        pct >= 1 ? Severity.Critical : pct >= 0.5m ? Severity.High : null, pct * 10);

    // An hour of minutes: BTC ever farther off, ETH calm.
    private async Task FillAsync()
    {
        var recorder = new ServiceCollection().AddSingleton(_db).AddMonitoringTables().AddSingleton(new EventOptions(3, Severity.High))
            .AddSingleton<TimeProvider>(_clock).AddSingleton(new NotificationRouting([], Severity.High, []))
            .AddSingleton<DatabaseRecorder>().BuildServiceProvider().GetRequiredService<DatabaseRecorder>();
        for (var i = 0; i < 60; i++)
            await recorder.WriteAsync(ResultSample.Of("oracle", Noon.AddMinutes(i), CheckOutcome.Succeeded, [], [],
                Row("BTC", Noon.AddMinutes(i), i * 0.025m, dangerous: i >= 30), Row("ETH", Noon.AddMinutes(i), 0.01m)), default);
    }

    [Test]
    public async Task Nothing_stored_is_an_empty_list_and_no_part_of_the_dashboard()
    {
        Assert.That((await _api.GetAsync("/security/oracle-deviations")).ToJsonString(),
            Is.EqualTo("""{"success":true,"count":0,"timestamp":null,"age_seconds":null,"deviations":[],"next":null}"""));
        Assert.That((await _api.GetAsync("/security/dashboard"))["oracle_monitoring"], Is.Null);
    }

    [Test]
    public async Task Active_ones_are_answered_by_default_and_all_on_request()
    {
        await FillAsync();
        var active = (await _api.GetAsync("/security/oracle-deviations"))["deviations"]!.AsArray();
        Assert.That(active.Single()!.ToJsonString(), Is.EqualTo("""
            {"timestamp":"2026-11-21T12:59:00Z","asset":"BTC","hyperliquid_price":101.475,"mark_price":100,
            "binance_price":100,"coinbase_price":null,"pyth_price":null,"kraken_price":100.0005,"okx_price":null,
            "reference_price":100,"references":2,"left_out_count":2,"left_out":["okx: stale","pyth: missing"],
            "max_deviation_pct":1.475,"max_deviation_source":"binance","duration_seconds":3540,"floor_pct":0.3,
            "is_dangerous":true,"severity":"critical","risk_score":14.75}
            """.ReplaceLineEndings("")));
        Assert.That((await _api.GetAsync("/security/oracle-deviations?active_only=false"))["deviations"]!.AsArray()
            .Select(row => (string)row!["asset"]!), Is.EqualTo(new[] { "BTC", "ETH" }));
    }

    [Test]
    public async Task Calm_is_told_from_blind_by_the_age_of_the_newest_check()
    {
        await new ServiceCollection().AddSingleton(_db).AddMonitoringTables().AddSingleton(new EventOptions(3, Severity.High))
            .AddSingleton<TimeProvider>(_clock).AddSingleton(new NotificationRouting([], Severity.High, []))
            .AddSingleton<DatabaseRecorder>().BuildServiceProvider().GetRequiredService<DatabaseRecorder>()
            .WriteAsync(ResultSample.Of("oracle", Noon, CheckOutcome.Succeeded, [], [], Row("ETH", Noon, 0.01m)), default);
        Assert.That((await _api.GetAsync("/security/oracle-deviations")).ToJsonString(),
            Is.EqualTo("""{"success":true,"count":0,"timestamp":"2026-11-21T12:00:00Z","age_seconds":3600,"deviations":[],"next":null}"""));
    }

    [TestCase("", 48), TestCase("&asset=BTC", 48), TestCase("&asset=ETH", 0), TestCase("&min_deviation_pct=0", 120),
        TestCase("&min_deviation_pct=1.475", 1), TestCase("&asset=ETH&min_deviation_pct=0.01", 60), TestCase("&asset=XYZ", 0)]
    public async Task History_is_paged_to_its_end_newest_first_without_a_row_twice(string filter, int rows)
    {
        await FillAsync();
        var seen = new List<(string, string)>();
        for (var path = $"/security/oracle-deviations/history?limit=7{filter}"; ;)
        {
            var page = await _api.GetAsync(path);
            seen.AddRange(page["deviations"]!.AsArray().Select(row => ((string)row!["timestamp"]!, (string)row["asset"]!)));
            if ((string?)page["next"] is not { } next)
                break;
            path = $"/security/oracle-deviations/history?limit=7{filter}&before={next}";
        }

        Assert.That(seen, Has.Count.EqualTo(rows).And.Unique.And.Ordered.Descending);
    }

    [Test]
    public async Task Dashboard_takes_the_largest_risk_of_what_is_dangerous()
    {
        await FillAsync();
        var dashboard = await _api.GetAsync("/security/dashboard");
        Assert.That(dashboard["oracle_monitoring"]!.ToJsonString(), Is.EqualTo(
            """{"timestamp":"2026-11-21T12:59:00Z","age_seconds":60,"assets":2,"active_deviations":1,"dangerous_assets":["BTC"]"""
                + ""","risk_score":14.75,"max_deviation_pct":1.475,"max_deviation_asset":"BTC"}"""));
        Assert.That(dashboard["overall_risk"]!["parts"]!.AsArray().Select(part => ((string)part!["name"]!, (decimal)part["score"]!)),
            Has.Member(("oracle_risk", 14.75m)));
    }
}
