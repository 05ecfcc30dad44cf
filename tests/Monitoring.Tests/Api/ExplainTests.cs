using System.Text.Json.Nodes;
using Monitoring.Simulator.Faults;
using Monitoring.Simulator.Model;

namespace Monitoring.Tests.Api;

/// <summary>
/// Every family of rules, from the venue to the explanation: rule and version, thresholds, arithmetic and the stored
/// rows that the verdict was made from.
/// </summary>
public sealed class ExplainTests
{
    private readonly ManualClock _clock = new(ManualClock.Noon);
    private WorkerUnderTest _worker = null!;
    private ApiUnderTest _api = null!;

    private async Task StartAsync(Scenario scenario, string monitor)
    {
        _worker = await WorkerUnderTest.CreateAsync(
            _clock, scenario, monitor, null, ("INVENTORY_CHECK_INTERVAL", "2"), ("LIQUIDATION_CHECK_INTERVAL", "2"));
        _api = await ApiUnderTest.StartAsync(_worker.Db, _clock);
    }

    [TearDown]
    public async Task Stop()
    {
        await _api.DisposeAsync();
        await _worker.DisposeAsync();
    }

    private async Task PlayAsync(int seconds, params string[] monitors)
    {
        for (var until = _clock.GetUtcNow().AddSeconds(seconds); _clock.GetUtcNow() < until; _clock.Advance(TimeSpan.FromSeconds(2)))
            foreach (var monitor in monitors)
                await _worker.CheckAsync(_clock.GetUtcNow(), monitor);
    }

    /// <summary>Plays until the rule has an event, and explains it.</summary>
    private async Task<JsonNode> ExplainAsync(string rule, params string[] monitors)
    {
        for (var i = 0; i < 40; i++)
        {
            await PlayAsync(2, monitors);
            if ((await _api.GetAsync("/security/events"))["events"]!.AsArray()
                .FirstOrDefault(e => (string)e!["rule_id"]! == rule) is { } found)
                return await ExplainAsync(found);
        }

        throw new AssertionException($"{rule} has no event");
    }

    private async Task<JsonNode> ExplainAsync(JsonNode found)
    {
        var why = await _api.GetAsync($"/security/events/{found["id"]}/explain");
        Assert.That(((string)why["rule"]!["id"]!, (int)why["rule"]!["version"]!, (string)why["severity"]!),
            Is.EqualTo(((string)found["rule_id"]!, (int)found["rule_version"]!, (string)found["severity"]!)));
        Assert.That(why["arithmetic"]!.AsArray(), Is.Not.Empty);
        var run = why["evidence"]!.AsArray()[^1]!;
        Assert.That(((string)run["table"]!, (string)run["row"]!["monitor"]!, (string)run["row"]!["scheduled_at"]!),
            Is.EqualTo(("check_runs", (string)found["monitor"]!, (string)why["scheduled_at"]!)), "the check that made the verdict");
        return why;
    }

    private static List<JsonNode> Rows(JsonNode why, string table) =>
        [.. why["evidence"]!.AsArray().SkipLast(1).Where(row => (string)row!["table"]! == table).Select(row => row!["row"]!)];

    [Test]
    public async Task Loss_shows_the_snapshot_and_the_components()
    {
        await StartAsync(ScenarioLoader.Load("whale-liquidation"), "hlp-vault");
        var why = await ExplainAsync("hlp.loss", "hlp-vault");
        var snapshot = Rows(why, "hlp_vault_snapshots").Single();
        Assert.That(((decimal)snapshot["pnl_1h"]!, (string)snapshot["timestamp"]!),
            Is.EqualTo(((decimal)why["values"]!["pnl_1h_usd"]!, (string)why["scheduled_at"]!)));
        Assert.That(Rows(why, "hlp_vault_components"), Has.Count.EqualTo(7));
        Assert.That((decimal)why["thresholds"]!["high_usd"]!, Is.EqualTo(-1_000_000m));
    }

    [Test]
    public async Task Concentration_shows_the_position_and_the_one_before()
    {
        var calm = ScenarioLoader.Load("calm");
        await StartAsync(calm with
        {
            Moves = [new(0, Position: new PositionMove("HLP Liquidator", "BTC", 10, calm.Prices["BTC"])),
                new(10, Position: new PositionMove("HLP Liquidator", "BTC", 2000, calm.Prices["BTC"]))],
        }, "inventory");
        var why = await ExplainAsync("hlp.inventory", "inventory");
        var rows = Rows(why, "hlp_vault_inventory");
        Assert.That(rows.Select(row => ((string)row["coin"]!, (decimal)row["share_pct"]!)),
            Is.EqualTo(new[] { ("BTC", (decimal)why["values"]!["share_pct"]!), ("BTC", (decimal)why["values"]!["earlier_share_pct"]!) }));
        Assert.That((decimal)why["thresholds"]!["jump_points"]!, Is.EqualTo(10m));
    }

    [Test]
    public async Task Deviation_shows_every_check_of_the_breach()
    {
        await StartAsync(ScenarioLoader.Load("calm") with
        {
            Moves = [new(4, Oracle: new OracleMove("BTC", 1.006m)), new(10, Oracle: new OracleMove("BTC", 1.015m))],
        }, "oracle");
        var high = await ExplainAsync("oracle.deviation", "oracle");
        Assert.That((Rows(high, "oracle_deviations").Count, (string)high["severity"]!), Is.EqualTo((1, "high")));
        await PlayAsync(8, "oracle");
        var critical = await ExplainAsync("oracle.deviation", "oracle");
        var rows = Rows(critical, "oracle_deviations");
        Assert.That(((string)critical["severity"]!, (decimal)critical["thresholds"]!["critical_pct"]!,
            (int)critical["values"]!["duration_seconds"]!),
            Is.EqualTo(("critical", 1m, 6)));
        Assert.That(rows.Select(row => ((string)row["asset"]!, (int)row["duration_seconds"]!)),
            Is.EqualTo(new[] { ("BTC", 6), ("BTC", 4), ("BTC", 2), ("BTC", 0) }));
        Assert.That((decimal)rows[0]["max_deviation_pct"]!, Is.EqualTo((decimal)critical["values"]!["max_deviation_pct"]!));
    }

    [Test]
    public async Task Common_shift_shows_the_assets_that_are_off()
    {
        await StartAsync(ScenarioLoader.Load("usdt-depeg"), "oracle");
        var why = await ExplainAsync("oracle.common-mode", "oracle");
        Assert.That(Rows(why, "oracle_deviations").Select(row => (string)row["asset"]!),
            Is.EquivalentTo(why["values"]!["off"]!.AsArray().Select(asset => (string)asset!)).And.Not.Empty);
        Assert.That(Rows(why, "oracle_deviations").Select(row => (string)row["timestamp"]!), Is.All.EqualTo((string)why["scheduled_at"]!));
    }

    // A deleveraging of the same coin in the same seconds is no row of the other patterns.
    [TestCase("liquidation.flash-loan", LiquidationKind.Backstop, 6, 12)]
    [TestCase("liquidation.cascade", LiquidationKind.Backstop, 6, 12)]
    [TestCase("liquidation.coordinated", LiquidationKind.Backstop, 1, 12)]
    [TestCase("liquidation.adl", LiquidationKind.Adl, 6, 14)]
    public async Task Pattern_shows_its_fills(string rule, object kind, int users, int fills)
    {
        var calm = ScenarioLoader.Load("calm");
        LiquidationMove Liquidate(int count, LiquidationKind how, int accounts) =>
            new("BTC", count, 500_000, how, LiquidatedSide.Long, "HLP Liquidator", accounts, 2);
        await StartAsync(calm with
        {
            Moves = [new(0, 12, Price: new PriceMove("BTC", calm.Prices["BTC"] * 0.9m)),
                new(2, 6, Liquidations: Liquidate(6, (LiquidationKind)kind, users)),
                new(2, 6, Liquidations: Liquidate(1, LiquidationKind.Adl, 1))],
        }, "liquidations");
        _clock.Advance(TimeSpan.FromSeconds(10)); // one check finds it all
        var why = await ExplainAsync(rule, "liquidations");
        Assert.That(Rows(why, "liquidation_patterns").Select(row => (string)row["id"]!),
            Is.EqualTo(new[] { (string)why["values"]!["pattern_id"]! }));
        var rows = Rows(why, "liquidations");
        Assert.That(rows, Has.Count.EqualTo(fills));
        Assert.That(rows.Sum(row => (decimal)row["notional_usd"]!),
            Is.EqualTo((decimal)why["values"]!["total_liquidated_usd"]!).Within(0.00001m));
        Assert.That(rows.Select(row => (string)row["method"]! == "adl"), Is.All.EqualTo((LiquidationKind)kind == LiquidationKind.Adl));
    }

    [Test]
    public async Task Blindness_shows_the_checks_since_the_last_success()
    {
        await StartAsync(ScenarioLoader.Load("calm"), "hlp-vault");
        await PlayAsync(4, "hlp-vault");
        _worker.Venue.Faults.Add(new Fault(FaultKind.Null, "vaultDetails"));
        await PlayAsync(60, "hlp-vault", "watchdog");
        var blind = (await _api.GetAsync("/security/events"))["events"]!.AsArray().Single(e => (string)e!["subject"]! == "hlp-vault")!;
        var why = await ExplainAsync(blind);
        var runs = Rows(why, "check_runs");
        Assert.That(runs.Select(run => (string)run["monitor"]!), Is.All.EqualTo("hlp-vault"));
        Assert.That(runs.Select(run => (string)run["outcome"]!), Is.EqualTo(Enumerable.Repeat("failed", 30).Append("succeeded")),
            "60 s of checks every 2 s, and the success before");
        Assert.That(((string)runs[^1]["scheduled_at"]!, (double)why["thresholds"]!["limit_seconds"]!),
            Is.EqualTo(((string)why["values"]!["last_success_at"]!, 60d)));
    }
}
