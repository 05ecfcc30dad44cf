using Dapper;
using Monitoring.Data.Checks;
using Monitoring.Data.Venues;
using Monitoring.Simulator.Model;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.Oracle;
using static Monitoring.Tests.Venues.OracleSample;
using Severity = Monitoring.Data.Events.Severity;

namespace Monitoring.Tests.Venues;

/// <summary>An oracle price that nothing has is the worst deviation there is, whatever else is known.</summary>
public sealed class ImpossiblePriceTests
{
    private static readonly DateTimeOffset Noon = ManualClock.Noon;
    private static readonly OracleThresholds Limits = OracleThresholds.Default;

    [TestCase("0", true), TestCase("0.0", true), TestCase("-1", true), TestCase("0.0000000000004", true)]
    [TestCase("0.0000000000005", false), TestCase("0.000000000001", false)]
    public void Price_is_one_that_nothing_has_from_zero_at_twelve_decimals_down(string price, bool isImpossible) =>
        Assert.That(OracleReading.IsImpossible(decimal.Parse(price)), Is.EqualTo(isImpossible));

    [TestCase("0"), TestCase("-0.5"), TestCase("0.0000000000001")]
    public void It_is_off_by_a_hundred_percent_and_critical_without_any_reference_and_below_any_floor(string price)
    {
        var reading = Reading(decimal.Parse(price)) with { References = [], UsdPrice = null, IsLiquid = false };
        var verdict = OracleRules.Judge(reading, new AssetPast(null, FloorPct: 1000), null, Limits)!;
        Assert.That((verdict.MaxDeviationPct, verdict.Severity, verdict.IsJudged, verdict.ReferencePrice, verdict.Risk!.Size),
            Is.EqualTo((100m, (Severity?)Severity.Critical, true, (decimal?)null, 60m)));
        var finding = OracleRules.Evaluate([verdict], null, null, Limits).Single();
        Assert.That((finding.Fingerprint, finding.ThreatType, finding.Title), Is.EqualTo(
            ("oracle.deviation:BTC", "oracle_manipulation", $"BTC oracle is {price}, a price that nothing has")));
        Assert.That(OracleRules.Unjudged([reading], [verdict], Limits), Has.None.Contains("BTC"));
    }

    [Test]
    public void It_neither_accepts_nor_refuses_a_reference()
    {
        using var logs = new TestLogs();
        var selection = new ReferenceSelection(Options, logs.For<ReferenceSelection>());
        OracleReading Select(decimal oracle) => selection.Select(
            SymbolTable.ByAsset["SAGA"], Market(oracle), [Answer(Binance, "SAGA", 1), Answer(Okx, "SAGA", 1.5m, at: Noon)], null, Noon);
        Assert.That(Select(0).LeftOut, Is.EqualTo(new[] { "binance: not compared", "okx: not compared" }));
        Assert.That(Select(1).References.Single().Source, Is.EqualTo("binance"));
        Assert.That(Select(0).References.Single().Source, Is.EqualTo("binance"), "what was accepted before is shown");
        Assert.That(Select(1.5m).References.Select(reference => reference.Source), Is.Empty, "two that disagree");
        Assert.That(logs.Lines.Count(line => line.Text.Contains("is not held against", StringComparison.Ordinal)), Is.EqualTo(1),
            "okx at 1");
    }

    [Test]
    public void It_is_no_part_of_a_common_shift_and_no_sample_of_a_floor()
    {
        var readings = Enumerable.Range(0, 3).Select(i => Reading(0, usd: 100, asset: $"A{i}")).ToList();
        Assert.That(OracleRules.FindCommonMode(readings, Limits), Is.Null);
        Assert.That(OracleRules.Unjudged(readings, [], Limits), Has.Member("oracle.common-mode:USDT"));

        using var logs = new TestLogs();
        var history = new OracleHistory(Options, null, new PastReads(), logs.For<OracleHistory>());
        for (var i = 0; i < 600; i++)
            history.Add(OracleRules.Judge(Reading(0, at: Noon.AddMinutes(i)), history.Of("BTC", Noon.AddMinutes(i)), null, Limits)!);
        Assert.That(history.Of("BTC", Noon.AddMinutes(600)) is { FloorPct: null, BreachedSince: { } since } && since == Noon, Is.True);
    }

    [Test]
    public async Task It_is_found_in_the_first_check_held_as_long_as_it_lasts_and_over_when_the_price_is_back()
    {
        var clock = new ManualClock(Noon);
        var scenario = ScenarioLoader.Load("calm") with
        {
            Moves =
            [
                new Move(0, Oracle: new OracleMove("BTC", 0)), new Move(0, Oracle: new OracleMove("HYPE", 0)),
                new Move(35, Oracle: new OracleMove("BTC", 1)), new Move(35, Oracle: new OracleMove("HYPE", 1)),
            ],
        };
        await using var worker = await WorkerUnderTest.CreateAsync(clock, scenario, "oracle");
        for (var second = 0; second <= 30; second += 10, clock.Advance(TimeSpan.FromSeconds(10)))
        {
            var result = await worker.CheckAsync(clock.GetUtcNow());
            Assert.That(result.Findings.Select(finding => (finding.Fingerprint, finding.Severity)), Is.EquivalentTo(new[]
            {
                ("oracle.deviation:BTC", Severity.Critical), ("oracle.deviation:HYPE", Severity.Critical),
            }), $"{second} s");
            var row = result.Observations.OfType<OracleDeviation>().Single(row => row.Asset == "BTC");
            Assert.That((row.ReferencePrice, row.ReferenceCount, row.MaxDeviationPct, row.MaxDeviationSource, row.DurationSeconds),
                Is.EqualTo(((decimal?)null, 0, 100m, "none", second)));
            if (second == 20)
                worker.Restart();
        }

        var newest = await worker.Db.ReadAsync(batch => OracleDeviations.ListNow(batch, clock.GetUtcNow()));
        Assert.That(newest.Single(row => row.Asset == "BTC").ReferencePrice, Is.Null);
        for (var i = 0; i < 3; i++, clock.Advance(TimeSpan.FromSeconds(10)))
            Assert.That((await worker.CheckAsync(clock.GetUtcNow())).Findings, Is.Empty);
        await using var connection = await worker.Db.OpenConnectionAsync();
        Assert.That(await connection.QueryAsync<(string, string)>("SELECT subject, status FROM security_events ORDER BY 1"),
            Is.EqualTo(new[] { ("BTC", "resolved"), ("HYPE", "resolved") }));
    }

    [Test]
    public async Task Stored_one_is_no_sample_of_a_floor_after_a_restart()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(new ManualClock(Noon), monitor: "oracle");
        await using var connection = await worker.Db.OpenConnectionAsync();
        await connection.ExecuteAsync("""
            SELECT ensure_day_partition('oracle_deviations', @day::date);
            INSERT INTO oracle_deviations (asset, observed_at, hyperliquid_price, mark_price, reference_price, reference_count, left_out,
                                           max_deviation_pct, max_deviation_source, duration_seconds, is_dangerous)
            SELECT 'BTC', @Noon - i * interval '1 second', CASE WHEN i % 2 = 0 THEN 0 ELSE 1 END, 1, 1, 2, '{}', 100, 'none', 0, false
              FROM generate_series(1, 800) AS i
            """, new { day = Noon.ToString("yyyy-MM-dd"), Noon });
        var samples = await new OracleDeviations(worker.Db).ListSamplesAsync(Noon.AddHours(-1), Noon, 2, default);
        Assert.That(samples, Has.Count.EqualTo(400));
    }

    [Test]
    public async Task Check_of_the_symbols_bears_it()
    {
        var scenario = ScenarioLoader.Load("calm") with { Moves = [new Move(0, Oracle: new OracleMove("BTC", 0))] };
        await using var worker = await WorkerUnderTest.CreateAsync(TimeProvider.System, scenario, "oracle");
        var lines = await ((ReferenceCheck)worker.Services.GetService(typeof(ReferenceCheck))!).RunAsync(default);
        Assert.That(lines.Select(line => line.ToString()), Has.Some.Contains("fewer than 2 references for BTC"));
        Assert.That((await worker.CheckAsync(Noon)).Run.Outcome, Is.EqualTo(CheckOutcome.Succeeded));
    }
}
