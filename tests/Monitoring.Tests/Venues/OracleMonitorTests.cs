using Dapper;
using Microsoft.Extensions.Configuration;
using Monitoring.Data.Checks;
using Monitoring.Data.Configuration;
using Monitoring.Data.Venues;
using Monitoring.Simulator.Faults;
using Monitoring.Simulator.Model;
using Monitoring.Simulator.References;
using Monitoring.Worker.Hosting;
using Monitoring.Worker.Venues;
using Monitoring.Worker.Venues.Hyperliquid;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.Oracle;
using static Monitoring.Tests.Venues.OracleSample;

namespace Monitoring.Tests.Venues;

/// <summary>The monitor against the simulator: whatever one source does, the check succeeds with the others.</summary>
public sealed class OracleMonitorTests
{
    private static readonly DateTimeOffset Noon = ManualClock.Noon;
    private WorkerUnderTest _worker = null!;

    [SetUp]
    public async Task StartWorker() => _worker = await WorkerUnderTest.CreateAsync(TimeProvider.System, monitor: "oracle");

    [TearDown]
    public async Task StopWorker() => await _worker.DisposeAsync();

    private static DateTimeOffset Now => DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());

    public static IEnumerable<TestCaseData> Faults() =>
        from source in ReferenceSources.All
        from kind in Enum.GetValues<FaultKind>()
        // a hang is waited out: once is enough
        where kind is not FaultKind.Slow && (kind is not FaultKind.Hang || source == ReferenceSources.Okx)
        select new TestCaseData(source, kind);

    [TestCaseSource(nameof(Faults))]
    public async Task Source_that_fails_is_left_out_and_counted(string source, object kind)
    {
        _worker.Venue.Faults.Add(new Fault((FaultKind)kind, source));
        var result = await _worker.CheckAsync(Now);
        Assert.That((result.Run.Outcome, result.Run.Error), Is.EqualTo((CheckOutcome.Succeeded, (string?)null)));
        var btc = result.Observations.OfType<OracleDeviation>().Single(row => row.Asset == "BTC");
        Assert.That((btc.ReferenceCount, string.Join(';', btc.LeftOut), btc.Severity),
            Is.EqualTo((4, $"{source}: failed", (Data.Events.Severity?)null)));
        Assert.That(_worker.Logs.Lines.Count(line => line.Text.StartsWith($"reference {source} is left out", StringComparison.Ordinal)),
            Is.EqualTo(1));

        _worker.Venue.Faults.Clear();
        var good = await _worker.CheckAsync(Now.AddSeconds(2));
        Assert.That(good.Observations.OfType<OracleDeviation>().Single(row => row.Asset == "BTC").LeftOut, Is.Empty);
    }

    [Test]
    public async Task Venue_that_fails_fails_the_check()
    {
        _worker.Venue.Faults.Add(new Fault(FaultKind.Null, "metaAndAssetCtxs"));
        var result = await _worker.CheckAsync(Now);
        Assert.That((result.Run.Outcome, result.Observations.Count), Is.EqualTo((CheckOutcome.Failed, 0)));
    }

    [Test]
    public async Task Check_without_any_source_has_failed()
    {
        foreach (var source in ReferenceSources.All)
            _worker.Venue.Faults.Add(new Fault(FaultKind.Http500, source));
        var result = await _worker.CheckAsync(Now);
        Assert.That((result.Run.Outcome, result.Observations.Count, result.Findings.Count), Is.EqualTo((CheckOutcome.Failed, 0, 0)));
        Assert.That(result.Run.Error,
            Is.EqualTo("none of 3 assets has the 2 fresh references that a verdict needs; of 5 price sources 5 failed: "
                + "binance (HTTP 500), okx (HTTP 500), coinbase (HTTP 500), kraken (HTTP 500), pyth (HTTP 500)"));
    }

    [Test]
    public async Task Check_with_one_source_has_failed_and_its_rows_are_stored()
    {
        foreach (var source in ReferenceSources.All.Where(source => source != ReferenceSources.Okx))
            _worker.Venue.Faults.Add(new Fault(FaultKind.Http500, source));
        var result = await _worker.CheckAsync(Now);
        Assert.That((result.Run.Outcome, result.Run.Observations, result.Findings.Count), Is.EqualTo((CheckOutcome.Failed, 3, 0)));
        Assert.That((await _worker.Db.ReadAsync(batch => OracleDeviations.ListNow(batch, ManualClock.Noon.AddDays(1)))).Select(row =>
            (row.ReferenceCount, row.MaxDeviationSource, row.RiskScore)),
            Is.EqualTo(Enumerable.Repeat((1, "okx", (decimal?)null), 3)));
    }

    [Test]
    public async Task Asset_whose_references_are_all_refused_is_said_to_be_blind_until_they_fit()
    {
        var clock = new ManualClock(Noon);
        var scenario = ScenarioLoader.Load("calm") with
        {
            Moves = [new Move(0, Oracle: new OracleMove("SOL", 1.5m)), new Move(75, Oracle: new OracleMove("SOL", 1))],
        };
        await using var worker = await WorkerUnderTest.CreateAsync(clock, scenario, "oracle");
        for (var second = 0; second <= 100; second += 10, clock.Advance(TimeSpan.FromSeconds(10)))
        {
            var result = await worker.CheckAsync(clock.GetUtcNow());
            Assert.That(result.Run.Error, Is.Null);
            Assert.That(result.Observations.OfType<OracleDeviation>().Any(row => row.Asset == "SOL"),
                Is.EqualTo(second >= 80), $"{second} s");
            Assert.That(result.Findings.Select(finding => (finding.Fingerprint, finding.Severity)),
                Is.EqualTo(second is 60 or 70 ? new[] { ("monitor.stale:oracle SOL", Data.Events.Severity.High) } : []), $"{second} s");
            Assert.That(result.Unjudged.Any(fingerprint => fingerprint.EndsWith("SOL", StringComparison.Ordinal)),
                Is.EqualTo(second < 80), $"{second} s");
            if (second == 60)
                Assert.That(result.Findings.Single().Description, Does.Contain(
                    "is off by more than a fifth from binance, okx, coinbase, kraken, pyth: another asset there, or a wrong oracle"));
        }

        await using var connection = await worker.Db.OpenConnectionAsync();
        Assert.That(await connection.QueryAsync<(string, string)>("SELECT fingerprint, status FROM security_events"),
            Is.EqualTo(new[] { ("monitor.stale:oracle SOL", "resolved") }));
    }

    [Test]
    public async Task Source_that_is_off_is_not_asked()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(
            TimeProvider.System, monitor: "oracle", settings: [("KRAKEN_API_URL", "off"), ("OKX_API_URL", "")]);
        var btc = (await worker.CheckAsync(Now)).Observations.OfType<OracleDeviation>().Single(row => row.Asset == "BTC");
        Assert.That((btc.ReferenceCount, btc.LeftOut.Length, worker.Venue.Requests["kraken"],
            worker.Venue.Requests["okx"], worker.Venue.Requests["pyth"]),
            Is.EqualTo((3, 0, 0L, 0L, 1L)));
    }

    [Test]
    public async Task Rows_are_stored_as_they_were_judged()
    {
        var at = Now;
        var rows = (await _worker.CheckAsync(at)).Observations.OfType<OracleDeviation>().ToList();
        Assert.That(rows.Select(row => row.Asset), Is.EqualTo(new[] { "BTC", "ETH", "SOL" }), "HYPE is in another quote");
        var stored = (await _worker.Db.ReadAsync(batch => OracleDeviations.ListNow(batch, ManualClock.Noon.AddDays(1)))).ToList();
        Assert.That(stored.Select(row => row with { LeftOut = [] }), Is.EqualTo(rows.Select(row => row with { LeftOut = [] })));
        Assert.That(stored.Select(row => row.LeftOut.Length), Is.All.Zero);
    }

    [Test]
    public void Contexts_belong_by_position_delisted_markets_are_skipped_and_the_oracle_is_not_the_mid()
    {
        var markets = RecordedAnswers.Parse<Markets>("""
            [{"universe":[{"name":"BTC","szDecimals":5},{"name":"MATIC","isDelisted":true},{"name":"ETH"}]},
             [{"oraclePx":"100","markPx":"101","midPx":"102","openInterest":"1","dayNtlVlm":"9000000"},
              {"oraclePx":"0.3754","markPx":"0.3754","midPx":null,"openInterest":"0.0","dayNtlVlm":"0.0"},
              {"oraclePx":"10","markPx":"11","midPx":"12","openInterest":"1","dayNtlVlm":"1"}]]
            """);
        Assert.That(markets.ByCoin.Select(pair => (pair.Key, pair.Value.OraclePx)), Is.EqualTo(new[] { ("BTC", 100m), ("ETH", 10m) }));
        using var logs = new TestLogs();
        var reading = new ReferenceSelection(Options, logs.For<ReferenceSelection>())
            .Select(SymbolTable.ByAsset["BTC"], markets.ByCoin["BTC"],
                [Answer(Binance, "BTC", 100), Answer(Okx, "BTC", 100, at: Noon)], null, Noon);
        Assert.That(OracleRules.Judge(reading, AssetPast.Unknown, null, OracleThresholds.Default)!.MaxDeviationPct, Is.Zero);
    }

    private async Task<OracleHistory> RestartAsync(DateTimeOffset at)
    {
        using var logs = new TestLogs();
        var history = new OracleHistory(Options, new OracleDeviations(_worker.Db), new PastReads(), logs.For<OracleHistory>());
        await history.LoadAsync(at, default);
        return history;
    }

    private async Task StoreAsync(string asset, DateTimeOffset at, DateTimeOffset? breachedSince, int references = 2)
    {
        await using var connection = await _worker.Db.OpenConnectionAsync();
        await connection.ExecuteAsync("""
            SELECT ensure_day_partition('oracle_deviations', @day::date);
            INSERT INTO oracle_deviations (asset, observed_at, hyperliquid_price, mark_price, reference_price, reference_count, left_out,
                                           max_deviation_pct, max_deviation_source, breached_since, duration_seconds, is_dangerous)
            VALUES (@asset, @at, 1, 1, 1, @references, '{}', 1.5, 'okx', @breachedSince, 0, false)
            """, new { asset, at, breachedSince, references, day = at.ToString("yyyy-MM-dd") });
    }

    [Test]
    public async Task Restart_in_between_keeps_the_duration()
    {
        await StoreAsync("BTC", Noon.AddSeconds(-30), Noon.AddSeconds(-90));
        await StoreAsync("ETH", Noon.AddSeconds(-60), Noon.AddSeconds(-90));
        await StoreAsync("ETH", Noon.AddSeconds(-30), null);
        var history = await RestartAsync(Noon);
        Assert.That((history.Of("BTC", Noon).BreachedSince, history.Of("ETH", Noon).BreachedSince),
            Is.EqualTo(((DateTimeOffset?)Noon.AddSeconds(-90), (DateTimeOffset?)null)));
        var verdict = OracleRules.Judge(Reading(101, at: Noon), history.Of("BTC", Noon), null, OracleThresholds.Default)!;
        Assert.That((verdict.DurationSeconds, verdict.IsDangerous), Is.EqualTo((90, true)));
    }

    [Test]
    public async Task Breach_that_nobody_looked_at_for_long_begins_anew()
    {
        await StoreAsync("BTC", Noon.AddMinutes(-5).AddSeconds(-1), Noon.AddHours(-1));
        Assert.That((await RestartAsync(Noon)).Of("BTC", Noon).BreachedSince, Is.Null);
    }

    [Test]
    public async Task Floor_needs_five_hundred_samples_and_an_attack_does_not_raise_it()
    {
        using var logs = new TestLogs();
        var history = new OracleHistory(Options, null, new PastReads(), logs.For<OracleHistory>());
        await history.LoadAsync(Noon, default);
        var at = Noon;
        void Look(decimal oracle)
        {
            history.Add(OracleRules.Judge(Reading(oracle, at: at), history.Of("BTC", at), null, OracleThresholds.Default)!);
            at = at.AddMinutes(1);
        }

        for (var i = 0; i < 499; i++)
            Look(100.1m);
        Assert.That(history.Of("BTC", at).FloorPct, Is.Null);
        Look(100.1m);
        Assert.That(history.Of("BTC", at).FloorPct, Is.EqualTo(0.3m));
        for (var i = 0; i < 200; i++)
            Look(101.5m);
        Assert.That(history.Of("BTC", at) is { FloorPct: 0.3m, BreachedSince: not null }, Is.True);
    }

    [Test]
    public void Settings_are_read_and_checked()
    {
        static WorkerOptions Read(params (string Key, string Value)[] values) =>
            WorkerOptions.Read(new SettingsReader(new ConfigurationBuilder().AddInMemoryCollection(
                values.Select(v => KeyValuePair.Create(v.Key, (string?)v.Value))).Build()), withoutDatabase: true);
        var oracle = Read().Subjects.OfType<VenuesSetup>().Single().Options.Oracle;
        Assert.That((oracle.Interval.TotalSeconds, oracle.BinanceUrl?.Host, oracle.Thresholds),
            Is.EqualTo((60d, "api.binance.com", OracleThresholds.Default)));
        Assert.That(Assert.Throws<ConfigurationFaultException>(() => Read(("BINANCE_API_URL", "x"),
            ("Rules__oracle_deviation__HighPct".Replace("__", ":"), "2"), ("ORACLE_CHECK_INTERVAL", "0")))!.Faults,
            Has.Count.EqualTo(3));
    }
}
