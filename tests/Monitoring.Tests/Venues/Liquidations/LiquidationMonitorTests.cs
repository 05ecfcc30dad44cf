using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Monitoring.Data.Checks;
using Monitoring.Data.Venues;
using Monitoring.Simulator.Faults;
using Monitoring.Simulator.Model;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.Liquidations;

namespace Monitoring.Tests.Venues.Liquidations;

/// <summary>The monitor against the simulated venue, over real HTTP and a real database, on a clock that the test moves.</summary>
public sealed class LiquidationMonitorTests
{
    private const string Monitor = LiquidationMonitor.MonitorName;
    private readonly ManualClock _clock = new(ManualClock.Noon);
    private WorkerUnderTest _worker = null!;

    private async Task StartAsync(Scenario scenario, params (string, string)[] settings) => _worker = await WorkerUnderTest.CreateAsync(
        _clock, scenario, Monitor, null, [(WorkerUnderTest.WeightSetting, "1200"), .. settings]);

    private static Scenario Calm(params Move[] moves) => ScenarioLoader.Load("calm") with { Moves = moves };

    private static Move Liquidate(decimal at, int count, decimal usd, LiquidationKind kind, string coin = "BTC",
        string component = "HLP Liquidator", decimal over = 0, int? users = null, int fills = 1) =>
        new(at, over, Liquidations: new LiquidationMove(coin, count, usd, kind, LiquidatedSide.Long, component, users, fills));

    [TearDown]
    public Task Stop() => _worker.DisposeAsync().AsTask();

    private async Task<CheckResult> CheckAsync()
    {
        var result = await _worker.CheckAsync(Monitor, _clock.GetUtcNow(), _clock);
        Assert.That(result.Run.Error, Is.Null);
        return result;
    }

    private async Task<T> QueryAsync<T>(string sql)
    {
        await using var connection = await _worker.Db.OpenConnectionAsync();
        return await connection.QuerySingleAsync<T>(sql);
    }

    private async Task<IReadOnlyList<(string Rule, string Subject, string Severity, long Occurrences)>> EventsAsync()
    {
        await using var connection = await _worker.Db.OpenConnectionAsync();
        return [.. await connection.QueryAsync<(string, string, string, long)>(
            "SELECT rule_id, subject, severity, occurrences FROM security_events ORDER BY 1, 2")];
    }

    [Test]
    public async Task Burst_of_11279_fills_in_one_moment_is_stored_once_and_gives_one_event()
    {
        var scenario = ScenarioLoader.Load("calm");
        var share = 11_279 / scenario.Components.Count;
        await StartAsync(scenario with
        {
            Moves = [.. scenario.Components.Select((component, i) => Liquidate(5,
                i == 0 ? 11_279 - (share * (scenario.Components.Count - 1)) : share, 100, LiquidationKind.Adl, component: component.Name))],
        });
        _clock.Advance(TimeSpan.FromSeconds(10));
        var first = await CheckAsync();
        Assert.That(first.Observations.OfType<LiquidationFill>().Count(), Is.EqualTo(11_279));
        var second = await CheckAsync();
        Assert.That((second.Observations.OfType<LiquidationFill>().Count(), second.Findings.Count), Is.EqualTo((0, 0)), "no news");
        Assert.That(await QueryAsync<(long, long)>("SELECT count(*), count(DISTINCT observed_at) FROM liquidations"),
            Is.EqualTo((11_279L, 1L)));
        Assert.That(await EventsAsync(), Is.EqualTo(new[] { ("liquidation.adl", "BTC", "high", 1L) }));
        Assert.That(await QueryAsync<(long, int, decimal)>(
            "SELECT count(*), sum(liquidation_count)::int, sum(duration_seconds) FROM liquidation_patterns"),
            Is.EqualTo((1L, scenario.Components.Count, 0m)));
    }

    [Test]
    public async Task Cascade_is_found_once_per_coin_and_kind_while_the_vault_earns()
    {
        var scenario = ScenarioLoader.Load("cascade");
        await StartAsync(scenario, ("HLP_CHECK_INTERVAL", "30"), ("LIQUIDATION_CHECK_INTERVAL", "30"));
        var firstAdl = DateTimeOffset.MinValue;
        while (_clock.GetUtcNow() < ManualClock.Noon.AddSeconds(170))
        {
            var result = await CheckAsync();
            if (firstAdl == DateTimeOffset.MinValue && result.Findings.Any(finding => finding.RuleId == LiquidationRuleSet.Deleveraging.Id))
                firstAdl = result.Run.ScheduledAt;
            await _worker.CheckAsync("hlp-vault", _clock.GetUtcNow(), _clock);
            _clock.Advance(TimeSpan.FromSeconds(15));
        }

        var trades = scenario.Components.SelectMany(component => _worker.Venue.Fills.TradesOf(component.Address))
            .DistinctBy(trade => trade.Tid).ToList();
        Assert.That(await QueryAsync<(long, decimal)>("SELECT count(*), sum(notional_usd) FROM liquidations"),
            Is.EqualTo(((long)trades.Count, trades.Sum(trade => trade.Price * trade.Size))));
        var before = trades.Where(trade => trade.At < trades.Where(t => t.Kind == LiquidationKind.Adl).Min(t => t.At)).ToList();
        Assert.That((scenario.Prices.Count, before.Select(trade => (trade.Victim, trade.At)).Distinct().Count()), Is.EqualTo((162, 710)));
        Assert.That(firstAdl, Is.LessThanOrEqualTo(ManualClock.Noon.AddSeconds(25.3 + 30)), "within one interval");

        var events = await EventsAsync();
        Assert.That(events.Select(e => (e.Rule, e.Subject)), Is.Unique);
        Assert.That(events.Where(e => e.Rule == "liquidation.cascade").Select(e => (e.Subject, e.Severity)).ToList(),
            Has.Member(("ETH", "high")).And.Count.EqualTo(12));
        Assert.That(events.Where(e => e.Rule == "liquidation.adl").Select(e => (e.Subject, e.Severity)).ToList(),
            Has.Member(("BTC", "high")).And.Count.EqualTo(6));
        Assert.That(events.Where(e => e.Rule == "liquidation.flash-loan").Select(e => e.Severity).ToList(),
            Has.Count.EqualTo(12).And.All.EqualTo("medium"), "much, and little of the coins' volume");
        Assert.That(events.Where(e => e.Rule == "liquidation.market-wide").Select(e => (e.Subject, e.Severity)),
            Is.EqualTo(new[] { ("hyperliquid", "critical") }));
        Assert.That(events.Select(e => e.Rule), Has.None.EqualTo("hlp.loss"));
        var expected = scenario.Expected.Select(e => e.Rule).ToList();
        Assert.That(events.Where(e => e.Severity is "high" or "critical").Select(e => e.Rule).Distinct(), Is.SubsetOf(expected));
        Assert.That(await QueryAsync<long>("SELECT count(*) FROM liquidation_patterns WHERE pattern_type = 'cascade'"), Is.EqualTo(12));
        Assert.That(_worker.Venue.Weight.Rejected, Is.Zero);
    }

    [Test]
    public async Task Both_sides_of_a_trade_are_seen_and_stored_once()
    {
        var victim = FillBook.Trader(ScenarioLoader.Load("calm").Seed, 0, 0);
        await StartAsync(Calm(Liquidate(1, 4, 1000, LiquidationKind.Market, component: "HLP Strategy A", over: 4, users: 1, fills: 3)),
            ("MONITORED_ADDRESSES", victim.ToUpperInvariant().Replace("0X", "0x")));
        _clock.Advance(TimeSpan.FromSeconds(10));
        var result = await CheckAsync();
        Assert.That(result.Observations.OfType<LiquidationFill>().Select(fill =>
            (fill.LiquidatedUser, fill.Counterparty, fill.Coverage)).Distinct().Single(),
            Is.EqualTo((victim, "0x010461c14e146ac35fe42271bdc1134ee31c703a", LiquidationCoverage.HlpSample)));
        Assert.That(result.Observations.OfType<LiquidationSource>().Single(source => source.SourceAddress == victim).IsHlpVault, Is.False);
        Assert.That(await QueryAsync<long>("SELECT count(*) FROM liquidations"), Is.EqualTo(12));
    }

    [TestCase(true, 1)]
    [TestCase(false, 0)]
    public async Task Accounts_funded_together_are_found_a_few_questions_a_minute(bool together, int events)
    {
        await StartAsync(Calm(new Move(1, 3, Liquidations: new LiquidationMove(
            "BTC", 4, 400_000, LiquidationKind.Backstop, LiquidatedSide.Long, "HLP Liquidator", 4, 1, together))));
        _clock.Advance(TimeSpan.FromSeconds(10));
        for (var minute = 1; minute <= 4; minute++)
        {
            await CheckAsync();
            await _worker.CheckAsync(Monitor, _clock.GetUtcNow().AddSeconds(1), _clock); // as the live feed may trigger
            Assert.That(_worker.Venue.Requests["userNonFundingLedgerUpdates"], Is.EqualTo(Math.Min(2 * minute, 4)), "each account once");
            _clock.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.That(await QueryAsync<long>(
            "SELECT count(*) FROM security_events WHERE rule_id = 'liquidation.coordinated' AND subject LIKE 'funded by 0x%'"),
            Is.EqualTo(events));
    }

    [Test]
    public async Task Account_read_for_the_first_time_in_full_pages_is_watched_since_its_first_fill()
    {
        await StartAsync(Calm(Liquidate(5, 1, 1_000_000, LiquidationKind.Backstop, fills: 2500)));
        _clock.Advance(TimeSpan.FromMinutes(1));
        var sources = (await CheckAsync()).Observations.OfType<LiquidationSource>().ToList();
        Assert.That(sources.Select(source => source.WatchedSince).Distinct().Order(),
            Is.EqualTo(new[] { ManualClock.Noon.AddMinutes(-59), ManualClock.Noon.AddSeconds(5) }));
        Assert.That(await QueryAsync<long>("SELECT count(*) FROM liquidations"), Is.EqualTo(2500));
    }

    [Test]
    public async Task Fills_from_before_midnight_find_their_day()
    {
        _clock.Advance(TimeSpan.FromHours(11) + TimeSpan.FromMinutes(59));
        await StartAsync(Calm(Liquidate(5, 2, 1000, LiquidationKind.Backstop, over: 2)));
        _clock.Advance(TimeSpan.FromMinutes(10));
        await CheckAsync();
        Assert.That(await QueryAsync<(long, DateTimeOffset)>("SELECT count(*), min(observed_at) FROM liquidations"),
            Is.EqualTo((2L, new DateTimeOffset(2026, 11, 21, 23, 59, 5, TimeSpan.Zero))));
    }

    [Test]
    public async Task Restarted_worker_goes_on_where_the_last_one_ended()
    {
        await StartAsync(Calm(Liquidate(5, 3, 1000, LiquidationKind.Adl, over: 3)));
        _clock.Advance(TimeSpan.FromSeconds(10));
        await CheckAsync();
        var tables = ActivatorUtilities.CreateInstance<LiquidationTables>(_worker.Services);
        var history = new LiquidationHistory(tables, new PastReads(), _worker.Logs.For<LiquidationHistory>());
        await history.LoadAsync(_clock.GetUtcNow(), default);
        var source = history.FindSource("0x2e3d94f0562703b25c83308a05046ddaf9a8dd14")!;
        Assert.That((source.ReadUntil, source.LastFillAt, source.Gaps),
            Is.EqualTo((ManualClock.Noon.AddSeconds(7), (DateTimeOffset?)ManualClock.Noon.AddSeconds(7), 0L)));
        Assert.That((history.Fills.Count, history.Patterns.Count, history.KnownVaults.Count), Is.EqualTo((3, 1, 7)));
    }

    [Test]
    public async Task Account_that_cannot_be_read_ends_nothing_that_was_found_and_leaves_the_others_read()
    {
        await StartAsync(Calm(Liquidate(5, 1, 1000, LiquidationKind.Adl), Liquidate(400, 1, 1000, LiquidationKind.Backstop)));
        _clock.Advance(TimeSpan.FromSeconds(10));
        await CheckAsync();
        _clock.Advance(TimeSpan.FromMinutes(10));
        _worker.Venue.Faults.Add(new Fault(FaultKind.Null, Type: "userFillsByTime", Count: 1));
        var partial = await CheckAsync();
        Assert.That((partial.Findings.Count(finding => finding.RuleId != "monitor.stale"),
            partial.Observations.OfType<LiquidationSource>().Count(), await QueryAsync<string>(
                "SELECT status FROM security_events WHERE rule_id = 'liquidation.adl'")),
            Is.EqualTo((0, 6, "open")));
        _worker.Venue.Faults.Add(new Fault(FaultKind.Null, Type: "userFillsByTime"));
        var none = await _worker.CheckAsync(Monitor, _clock.GetUtcNow().AddSeconds(1), _clock);
        Assert.That((none.Run.Outcome, none.Run.Error), Is.EqualTo((CheckOutcome.Failed, none.Run.Error)));
        Assert.That(none.Run.Error, Does.StartWith("the fills of none of 7 accounts could be read"));
        _worker.Venue.Faults.Clear();
        Assert.That((await _worker.CheckAsync(Monitor, _clock.GetUtcNow().AddSeconds(2), _clock)).Run.Error, Is.Null);
        Assert.That(await QueryAsync<long>("SELECT count(*) FROM liquidations"), Is.EqualTo(2), "what could not be read is read later");
    }

    [Test]
    public async Task Default_intervals_stay_below_the_weight_limit()
    {
        // The price sources have limits of their own and deadlines on this clock; here it is the venue's weight that
        // counts, and the oracle has nothing to judge by.
        await StartAsync(ScenarioLoader.Load("cascade"),
            [("HLP_CHECK_INTERVAL", "300"), ("ORACLE_CHECK_INTERVAL", "60"),
                .. WorkerUnderTest.PriceSources.Select(source => (source, "off"))]);
        var last = new Dictionary<string, DateTimeOffset>();
        while (_clock.GetUtcNow() < ManualClock.Noon.AddMinutes(7))
        {
            foreach (var schedule in _worker.Services.GetServices<MonitorSchedule>())
                if (schedule.GridTime(_clock.GetUtcNow()) is var at && last.GetValueOrDefault(schedule.Name) != at)
                {
                    last[schedule.Name] = at;
                    Assert.That((await _worker.CheckAsync(schedule.Name, at, _clock)).Run.Error,
                        schedule.Name == "oracle" ? Does.StartWith("none of 69 assets") : Is.Null);
                }
            _clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.That((_worker.Venue.Weight.MaxLastMinute, _worker.Venue.Weight.Rejected),
            Is.EqualTo((_worker.Venue.Weight.MaxLastMinute, 0L)));
        Assert.That(_worker.Venue.Weight.MaxLastMinute, Is.InRange(100, 1199));
    }
}

/// <summary>The same on the real clock: what the venue's refusal does.</summary>
public sealed class LiquidationRefusalTests
{
    [Test]
    public async Task Ledger_that_hangs_does_not_cost_the_check_its_liquidations()
    {
        var scenario = ScenarioLoader.Load("calm") with { Moves =
        [
            new(1, Liquidations: new LiquidationMove("BTC", 4, 400_000, LiquidationKind.Backstop, LiquidatedSide.Long, "HLP Liquidator")),
        ] };
        var now = TimeProvider.System.GetUtcNow();
        await using var worker = await WorkerUnderTest.CreateAsync(
            TimeProvider.System, scenario, LiquidationMonitor.MonitorName, now.AddMinutes(-1), ("LIQUIDATION_CHECK_INTERVAL", "20"));
        worker.Venue.Faults.Add(new Fault(FaultKind.Hang, Type: "userNonFundingLedgerUpdates"));
        var result = await worker.CheckAsync(worker.Schedule.GridTime(now));
        Assert.That(
            (result.Run.Error, result.Observations.OfType<LiquidationFill>().Count(), worker.Venue.Requests["userNonFundingLedgerUpdates"]),
            Is.EqualTo(((string?)null, 4, 1L)));
    }

    [Test]
    public async Task Refusal_slows_the_client_down_and_fails_neither_this_check_nor_the_next()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(TimeProvider.System, ScenarioLoader.Load("calm"),
            LiquidationMonitor.MonitorName, null, (WorkerUnderTest.WeightSetting, "1200"));
        worker.Venue.Faults.Add(new Fault(FaultKind.Http429, Type: "userFillsByTime", Count: 2, RetryAfter: 1));
        var at = worker.Schedule.GridTime(TimeProvider.System.GetUtcNow());
        var first = await worker.CheckAsync(at);
        Assert.That((first.Run.Outcome, first.Run.FinishedAt - first.Run.StartedAt),
            Is.EqualTo((CheckOutcome.Succeeded, first.Run.FinishedAt - first.Run.StartedAt)));
        Assert.That(first.Run.FinishedAt - first.Run.StartedAt, Is.GreaterThan(TimeSpan.FromSeconds(1.9)));
        Assert.That((await worker.CheckAsync(at.AddSeconds(180))).Run.Outcome, Is.EqualTo(CheckOutcome.Succeeded));
        Assert.That(worker.Venue.Weight.Rejected, Is.Zero);
    }
}
