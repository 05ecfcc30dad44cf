using Dapper;
using Monitoring.Data.Events;
using Monitoring.Data.Venues;
using Monitoring.Simulator.Faults;
using Monitoring.Simulator.Model;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.Hyperliquid;
using Monitoring.Worker.Venues.Liquidations;
using Severity = Monitoring.Data.Events.Severity;

namespace Monitoring.Tests.Venues.Liquidations;

/// <summary>
/// What happened at the venue is one event until nothing of it has come for half an hour, over checks, restarts and late fills.
/// </summary>
public sealed class MarketWideMonitorTests
{
    private const string Monitor = LiquidationMonitor.MonitorName;
    private static readonly string[] Coins = ["BTC", "ETH", "SOL", "HYPE", "XRP"];
    private readonly ManualClock _clock = new(ManualClock.Noon);
    private WorkerUnderTest _worker = null!;

    private async Task StartAsync(Scenario scenario, params (string, string)[] settings) =>
        _worker = await WorkerUnderTest.CreateAsync(_clock, scenario, Monitor, null, settings);

    // Prices fall by a tenth in a minute; twelve accounts lose 250 k USD each within four seconds, in each of the coins.
    private static Scenario Storm(decimal apart, Func<int, string> component)
    {
        var market = ScenarioLoader.Load("cascade");
        return market with
        {
            Moves = [.. Coins.Index().SelectMany(coin => new[]
            {
                new Move(5 + (coin.Index * apart), 60, Price: new PriceMove(coin.Item, market.Prices[coin.Item] * 0.9m)),
                new Move(5 + (coin.Index * apart), 4, Liquidations: new LiquidationMove(coin.Item, 12, 250_000, LiquidationKind.Market,
                    LiquidatedSide.Long, component(coin.Index))),
            })],
            DurationSeconds = 3600,
        };
    }

    [TearDown]
    public Task Stop() => _worker.DisposeAsync().AsTask();

    private async Task<CheckResult> CheckAsync(double second)
    {
        _clock.Advance(ManualClock.Noon.AddSeconds(second) - _clock.GetUtcNow());
        var result = await _worker.CheckAsync(Monitor, _clock.GetUtcNow(), _clock);
        Assert.That(result.Run.Error, Is.Null);
        return result;
    }

    private async Task<IReadOnlyList<(string Status, long Occurrences)>> EventsAsync(string rule = "liquidation.market-wide")
    {
        await using var connection = await _worker.Db.OpenConnectionAsync();
        return [.. await connection.QueryAsync<(string, long)>(
            "SELECT status, occurrences FROM security_events WHERE rule_id = @rule ORDER BY first_seen_at", new { rule })];
    }

    private static IEnumerable<Finding> Liquidations(CheckResult result) =>
        result.Findings.Where(finding => finding.RuleId.StartsWith("liquidation.", StringComparison.Ordinal));

    private static Finding Wide(CheckResult result) => result.Findings.Single(finding => finding.RuleId == "liquidation.market-wide");

    [TestCase(60, true)] // one after the other, over four minutes
    [TestCase(90, false)] // over six
    public async Task Five_coins_one_after_the_other(decimal apart, bool isMarketWide)
    {
        await StartAsync(Storm(apart, _ => "HLP Strategy A"));
        for (var second = 0; second <= 600; second += 60)
            await CheckAsync(second);
        Assert.That(await EventsAsync(), Has.Count.EqualTo(isMarketWide ? 1 : 0));
        Assert.That(await EventsAsync("liquidation.cascade"), Has.Count.EqualTo(5), "each is stored all the same");
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task One_event_over_checks_and_restarts(bool restarted)
    {
        await StartAsync(ScenarioLoader.Load("cascade"));
        await CheckAsync(0);
        await _worker.CheckAsync("hlp-vault", _clock.GetUtcNow(), _clock); // stores the vault's PnL, for the next process
        var first = Wide(await CheckAsync(30));
        Assert.That((first.Covers.Count, first.Covers), Is.EqualTo((12, first.Covers.Order(StringComparer.Ordinal))));
        if (restarted)
            _worker.Restart();
        var second = Wide(await CheckAsync(60));
        Assert.That((second.Fingerprint, second.Covers), Is.EqualTo((first.Fingerprint, first.Covers)));
        Assert.That((string)second.Evidence.Values["start_time"]!, Is.EqualTo((string)first.Evidence.Values["start_time"]!));
        Assert.That((decimal)second.Evidence.Values["total_usd"]!, Is.GreaterThan((decimal)first.Evidence.Values["total_usd"]!));
        Assert.That((decimal)second.Evidence.Values["vault_pnl_usd"]!, Is.GreaterThan((decimal)first.Evidence.Values["vault_pnl_usd"]!)
            .And.InRange(18_000_000m, 20_000_000m), "38 M USD in 90 s, since second 15; what was before is stored or was seen");
        Assert.That(await EventsAsync(), Is.EqualTo(new[] { ("open", 2L) }));
    }

    [Test]
    public async Task Vault_that_nobody_saw_before_is_known_by_the_venues_own_day()
    {
        await StartAsync(ScenarioLoader.Load("cascade"));
        var values = Wide(await CheckAsync(60)).Evidence.Values;
        Assert.That(((string)values["vault_pnl_from"]!, (string)values["vault_pnl_to"]!),
            Is.EqualTo(("2026-11-21T12:00:00Z", "2026-11-21T12:01:00Z")));
        Assert.That((decimal)values["vault_pnl_usd"]!, Is.InRange(18_000_000m, 20_000_000m));
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task What_an_operator_resolved_is_not_opened_again_from_stored_rows(bool restarted)
    {
        await StartAsync(Storm(1, _ => "HLP Strategy A"));
        await CheckAsync(0);
        await CheckAsync(30);
        await using (var connection = await _worker.Db.OpenConnectionAsync())
            foreach (var id in await connection.QueryAsync<Guid>("SELECT event_id FROM security_events"))
                await new OperatorActions(_worker.Db).ResolveAsync(id, new Operator("ada", "test"), "known", _clock.GetUtcNow(), default);
        if (restarted)
            _worker.Restart();
        for (var second = 40; second < 4000; second += second < 700 ? 60 : 600)
            Assert.That(Liquidations(await CheckAsync(second)).Select(finding => finding.Fingerprint), Is.Empty, $"{second} s");
        Assert.That(await EventsAsync(), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Event_ends_half_an_hour_after_its_last_liquidation_was_found()
    {
        await StartAsync(Storm(1, _ => "HLP Strategy A"));
        await CheckAsync(0);
        await CheckAsync(60);
        for (var second = 240; second < 1860; second += 180)
            await CheckAsync(second);
        Assert.That((await EventsAsync()).Single().Status, Is.EqualTo("open"));
        await CheckAsync(1860);
        await using var connection = await _worker.Db.OpenConnectionAsync();
        Assert.That(await connection.QueryAsync<string>("SELECT DISTINCT status FROM security_events"), Is.EqualTo(new[] { "resolved" }));
        Assert.That(await connection.QueryAsync<string>("SELECT resolution FROM security_events"),
            Is.Not.Empty.And.All.StartsWith("nothing new within 30 min; open for 30 min"));
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Fills_that_are_read_late_make_the_event_that_they_belong_to(bool restarted)
    {
        await StartAsync(Storm(1, coin => coin < 3 ? "HLP Strategy A" : "HLP Strategy B"));
        await CheckAsync(0);
        var unreadable = ScenarioLoader.Load("cascade").Components.Single(component => component.Name == "HLP Strategy B").Address;
        _worker.Venue.Faults.Add(new Fault(FaultKind.Null, Type: "userFillsByTime", Account: unreadable));
        Assert.That(Liquidations(await CheckAsync(60)).Count(finding => finding.RuleId == LiquidationRuleSet.Cascade.Id), Is.EqualTo(3));
        Assert.That(await EventsAsync(), Is.Empty);
        _worker.Venue.Faults.Clear();
        if (restarted)
            _worker.Restart();
        Assert.That(Wide(await CheckAsync(1200)).Covers, Is.EquivalentTo(Coins));
        Assert.That(Liquidations(await CheckAsync(1260)), Is.Empty);
        Assert.That(await EventsAsync(), Has.Count.EqualTo(1));
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Volume_that_is_learnt_later_makes_it_the_attack_that_it_was(bool restarted)
    {
        await StartAsync(ScenarioLoader.Load("thin-coin-noise") with
        {
            Moves = [new(0, Noise: new NoiseMove("SAGA", 1.2m)), new(5, Liquidations: new LiquidationMove(
                "SAGA", 1, 1_000_000, LiquidationKind.Backstop, LiquidatedSide.Long, "HLP Liquidator"))],
        });
        _worker.Venue.Faults.Add(new Fault(FaultKind.Null, Type: "metaAndAssetCtxs", Count: 2));
        for (var second = 10; second <= 20; second += 10)
        {
            var unknown = Liquidations(await CheckAsync(second)).SingleOrDefault();
            Assert.That((unknown?.Severity, unknown?.Title.EndsWith("the coin's volume of 24 h is not known", StringComparison.Ordinal)),
                Is.EqualTo(second == 10 ? (Severity.Medium, true) : ((Severity?)null, (bool?)null)));
        }

        if (restarted)
            _worker.Restart();
        Assert.That(Liquidations(await CheckAsync(30)).Single(),
            Has.Property("Severity").EqualTo(Severity.Critical).And.Property("ThreatType").EqualTo("flash_loan_attack"));
        Assert.That(Liquidations(await CheckAsync(40)), Is.Empty, "said once");
        _worker.Restart();
        Assert.That(Liquidations(await CheckAsync(50)), Is.Empty, "and known to the next process");
        Assert.That(await EventsAsync("liquidation.flash-loan"), Is.EqualTo(new[] { ("open", 2L) }));
    }
}

/// <summary>What the vault gains or loses is the change of its PnL since before it began.</summary>
public sealed class VaultPnlTests
{
    private static Portfolio Answer((double Second, decimal Pnl)[] allTime, (double Second, decimal Pnl)[] day)
    {
        static PortfolioSeries Series((double Second, decimal Pnl)[] points) =>
            new([.. points.Select(point => new PortfolioPoint(ManualClock.Noon.AddSeconds(point.Second), 1, point.Pnl))]);
        return new Portfolio(Series(day), Series(day), Series(day), Series(allTime));
    }

    private static VaultGain? Gain(double start, double end, params (double Second, decimal Pnl)[] seen)
    {
        var pnl = new VaultPnl(null!, null!, null, new PastReads(), TimeProvider.System, new TestLogs().For<VaultPnl>());
        foreach (var (second, usd) in seen)
            pnl.Add(Answer([(second, usd)], [(second, 0)]));
        return pnl.FindGain(ManualClock.Noon.AddSeconds(start), ManualClock.Noon.AddSeconds(end));
    }

    [Test]
    public void Gain_is_the_newest_less_the_last_before_it_began()
    {
        Assert.That(Gain(0, 60, (-400, 1), (-100, 10), (30, 5), (90, 25)),
            Is.EqualTo(new VaultGain(15, ManualClock.Noon.AddSeconds(-100), ManualClock.Noon.AddSeconds(90))));
        Assert.That(Gain(0, 60, (0, 10), (60, 4)), Is.EqualTo(new VaultGain(-6, ManualClock.Noon, ManualClock.Noon.AddSeconds(60))));
        Assert.That(Gain(0, 60, (-100, 10), (50, 25), (900, 99))!.Usd, Is.EqualTo(15), "what came a quarter of an hour later is not of it");
    }

    [Test]
    public void Day_of_the_venue_stands_in_on_the_level_of_all_time_for_what_nobody_saw()
    {
        var pnl = new VaultPnl(null!, null!, null, new PastReads(), TimeProvider.System, new TestLogs().For<VaultPnl>());
        pnl.Add(Answer([(-600_000, 3), (50, 1_000)], [(-80_000, 0), (-3000, 40), (-1200, 70), (50, 90)]));
        Assert.That(pnl.FindGain(ManualClock.Noon, ManualClock.Noon.AddSeconds(60)),
            Is.EqualTo(new VaultGain(20, ManualClock.Noon.AddSeconds(-1200), ManualClock.Noon.AddSeconds(50))));
        pnl.Add(Answer([(55, decimal.MaxValue)], [(-10, decimal.MinValue), (55, decimal.MaxValue)]));
        Assert.That(pnl.FindGain(ManualClock.Noon, ManualClock.Noon.AddSeconds(60))!.Usd, Is.EqualTo(20), "nobody has so much");
    }

    [Test]
    public void Gain_is_not_known_without_a_figure_on_both_sides()
    {
        Assert.That(Gain(0, 60), Is.Null);
        Assert.That(Gain(0, 60, (-100, 10)), Is.Null, "none since");
        Assert.That(Gain(0, 60, (30, 10), (60, 20)), Is.Null, "none before");
        Assert.That(Gain(0, 60, (-3601, 10), (60, 20)), Is.Null, "one from long before");
        Assert.That(Gain(0, 60, (-100, 10), (361, 20)), Is.Null, "one from long after");
    }
}
