using Dapper;
using Microsoft.Extensions.Logging;
using Monitoring.Simulator.Model;
using Monitoring.Tests.Api;

namespace Monitoring.Tests.EndToEnd;

/// <summary>The oracle's scenarios from the venue and the price sources to the read service, on a clock that the test moves.</summary>
public sealed class OracleScenarioTests
{
    private readonly ManualClock _clock = new(ManualClock.Noon);
    private WorkerUnderTest _worker = null!;
    private ApiUnderTest? _api;

    private async Task StartAsync(string scenario)
    {
        _worker = await WorkerUnderTest.CreateAsync(_clock, scenario, monitor: "oracle");
        _api = await ApiUnderTest.StartAsync(_worker.Db, _clock);
        await _worker.RegisterAsync();
    }

    private async Task PlayAsync(int seconds)
    {
        for (var second = 0; second < seconds; second += 2)
        {
            var result = await _worker.CheckAsync(_clock.GetUtcNow());
            Assert.That(result.Run.Error, Is.Null);
            _clock.Advance(TimeSpan.FromSeconds(2));
        }
    }

    private async Task<IEnumerable<(string Rule, string Severity)>> EventsAsync() =>
        (await _api!.GetAsync("/security/events"))["events"]!.AsArray().Select(e => ((string)e!["rule_id"]!, (string)e["severity"]!));

    [TearDown]
    public async Task Stop()
    {
        if (_api is not null)
            await _api.DisposeAsync();
        await _worker.DisposeAsync();
    }

    [Test]
    public async Task Attack_on_one_oracle_is_critical_and_dangerous()
    {
        await StartAsync("oracle-attack");
        await PlayAsync(20);
        Assert.That(await EventsAsync(), Is.Empty);
        await PlayAsync(6);
        Assert.That(await EventsAsync(), Is.EqualTo(new[] { ("oracle.deviation", "critical") }));
        Assert.That((await _api!.GetAsync("/security/dashboard"))["oracle_monitoring"]!["dangerous_assets"]!.AsArray(),
            Is.Empty, "not for thirty seconds yet");

        await PlayAsync(40);
        var now = await _api.GetAsync("/security/oracle-deviations");
        var row = now["deviations"]!.AsArray().Single()!;
        Assert.That(((string)row["asset"]!, (bool)row["is_dangerous"]!, (string)row["severity"]!,
            (int)row["references"]!, (decimal)row["risk_score"]!),
            Is.EqualTo(("BTC", true, "critical", 5, 80m)));
        Assert.That((decimal)row["max_deviation_pct"]!, Is.EqualTo(1.5m).Within(0.03m));
        Assert.That((decimal)row["binance_price"]!, Is.EqualTo(82200m).Within(10m));
        Assert.That((await _api.GetAsync("/security/oracle-deviations?active_only=false"))["deviations"]!.AsArray()
            .Select(r => (string)r!["asset"]!), Is.EquivalentTo(new[] { "BTC", "ETH", "SOL", "kPEPE" }));
        var dashboard = await _api.GetAsync("/security/dashboard");
        Assert.That(dashboard["oracle_monitoring"]!["dangerous_assets"]!.ToJsonString(), Is.EqualTo("""["BTC"]"""));
        Assert.That(dashboard["overall_risk"]!["parts"]!.AsArray().Select(part => ((string)part!["name"]!, (decimal)part["score"]!)),
            Has.Member(("oracle_risk", 80m)));

        await PlayAsync(34);
        Assert.That((await _api.GetAsync("/security/events?status=resolved"))["events"]!.AsArray(), Has.Count.EqualTo(1));
        Assert.That((await _api.GetAsync("/security/oracle-deviations"))["deviations"]!.AsArray(), Is.Empty);
        Assert.That(_worker.Logs.Lines.Where(line => line.Level >= LogLevel.Warning).Select(line => line.Text),
            Is.All.StartsWith("Critical oracle.deviation Opened"));
    }

    [Test]
    public async Task Depeg_of_the_quote_currency_is_exactly_one_event()
    {
        await StartAsync("usdt-depeg");
        await PlayAsync(101);
        Assert.That(await EventsAsync(), Is.EqualTo(new[] { ("oracle.common-mode", "medium") }));
        await using var connection = await _worker.Db.OpenConnectionAsync();
        Assert.That(await connection.QuerySingleAsync<(decimal, long)>(
            "SELECT max(max_deviation_pct), count(DISTINCT asset) FROM oracle_deviations"),
            Is.EqualTo((0m, 4L)).Using<(decimal, long)>((a, b) => a.Item1 < 0.1m && a.Item2 == b.Item2));
    }

    [Test]
    public async Task Depeg_of_twenty_minutes_is_exactly_one_event_at_the_default_interval()
    {
        var scenario = ScenarioLoader.Load("usdt-depeg") with
        {
            Moves = [new(120, 30, Usdt: new(0.992m)), new(120 + 1200, 30, Usdt: new(1))],
        };
        _worker = await WorkerUnderTest.CreateAsync(_clock, scenario, "oracle", null, ("ORACLE_CHECK_INTERVAL", "60"));
        _api = await ApiUnderTest.StartAsync(_worker.Db, _clock);
        for (var minute = 0; minute < 30; minute++, _clock.Advance(TimeSpan.FromMinutes(1)))
            Assert.That((await _worker.CheckAsync(_clock.GetUtcNow())).Run.Error, Is.Null);
        var events = (await _api.GetAsync("/security/events?limit=200"))["events"]!.AsArray();
        Assert.That(events.Select(e => ((string)e!["rule_id"]!, (string)e["severity"]!, (string)e["status"]!, (long)e["occurrences"]!)),
            Is.EqualTo(new[] { ("oracle.common-mode", "medium", "resolved", 20L) }),
            "found in each of the twenty minutes, and in no other");
    }

    // A breach that has lasted for 28 s when the worker is replaced by one that remembers nothing.
    [TestCase(29, false)]
    [TestCase(30, true)]
    public async Task Breach_is_dangerous_after_thirty_seconds_with_a_restart_in_between(int seconds, bool dangerous)
    {
        var scenario = ScenarioLoader.Load("calm") with { Moves = [new(2, Oracle: new("BTC", 1.006m))] };
        _worker = await WorkerUnderTest.CreateAsync(_clock, scenario, "oracle", null);
        await PlayAsync(30);
        _worker.Restart();
        var first = ManualClock.Noon.AddSeconds(2);
        _clock.Advance(first.AddSeconds(seconds) - _clock.GetUtcNow());
        var row = (await _worker.CheckAsync(_clock.GetUtcNow())).Observations.OfType<Data.Venues.OracleDeviation>()
            .Single(row => row.Asset == "BTC");
        Assert.That((row.BreachedSince, row.DurationSeconds, row.IsDangerous, row.Severity),
            Is.EqualTo(((DateTimeOffset?)first, seconds, dangerous, (Data.Events.Severity?)Data.Events.Severity.High)));
    }

    [Test]
    public async Task Depeg_that_no_rate_tells_of_is_exactly_one_event_too()
    {
        await StartAsync("usdt-depeg");
        await PlayAsync(10);
        // Two of the three sources of the rate are gone, and so are all prices of the third but one.
        foreach (var source in new[] { "coinbase", "pyth" })
            _worker.Venue.Faults.Add(new(Simulator.Faults.FaultKind.Http500, source));
        await PlayAsync(60);
        // And one of each source, which has been away for a minute by now.
        Assert.That(await EventsAsync(), Is.EquivalentTo(new[]
        {
            ("oracle.common-mode", "medium"), ("monitor.stale", "high"), ("monitor.stale", "high"),
        }));
    }

    [Test]
    public async Task Thin_coin_without_history_is_never_above_low()
    {
        await StartAsync("thin-coin-noise");
        await PlayAsync(91);
        Assert.That(await EventsAsync(), Is.EqualTo(new[] { ("oracle.deviation", "low") }));
        Assert.That((string)(await _api!.GetAsync("/security/dashboard"))["overall_risk"]!["level"]!,
            Is.Not.EqualTo("HIGH").And.Not.EqualTo("CRITICAL"));
    }

    [Test]
    public async Task Thin_coin_with_history_is_calm()
    {
        await StartAsync("thin-coin-noise");
        await using (var connection = await _worker.Db.OpenConnectionAsync())
            await connection.ExecuteAsync("""
                SELECT ensure_day_partition('oracle_deviations', '2026-11-20'), ensure_day_partition('oracle_deviations', '2026-11-21');
                INSERT INTO oracle_deviations (asset, observed_at, hyperliquid_price, mark_price, reference_price, reference_count,
                                               left_out, max_deviation_pct, max_deviation_source, breached_since, duration_seconds,
                                               is_dangerous)
                SELECT 'SAGA', at, 1, 1, 1, 2, '{}', 1.0 + (extract(minute FROM at) / 200), 'okx', '2026-11-20Z', 0, false
                  FROM generate_series('2026-11-21 00:00Z'::timestamptz, '2026-11-21 11:59Z', '1 minute') AS at
                """);
        await PlayAsync(60);
        Assert.That(await EventsAsync(), Is.Empty);
        var row = (await _api!.GetAsync("/security/oracle-deviations?active_only=false"))["deviations"]!.AsArray()
            .Single(r => (string)r!["asset"]! == "SAGA")!;
        Assert.That(((decimal)row["max_deviation_pct"]!, (decimal)row["floor_pct"]!), Is.EqualTo((1.14m, 3.8m)).Using<(decimal, decimal)>(
            (a, b) => Math.Abs(a.Item1 - b.Item1) < 0.1m && Math.Abs(a.Item2 - b.Item2) < 0.2m));
    }

    [Test]
    public async Task Calm_market_raises_nothing()
    {
        await StartAsync("calm");
        await PlayAsync(91);
        Assert.That(await EventsAsync(), Is.Empty);
        Assert.That(_worker.Logs.Lines.Where(line => line.Level >= LogLevel.Warning), Is.Empty);
    }
}
