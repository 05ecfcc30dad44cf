using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Monitoring.Data.Venues;
using Monitoring.Simulator.Faults;
using Monitoring.Simulator.Model;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.Liquidations;

namespace Monitoring.Tests.Venues.Liquidations;

/// <summary>
/// What was read is not read as news again, and what was not read yet is read later: after hours, restarts, refusals,
/// and beyond what one check may ask for.
/// </summary>
public sealed class LiquidationCatchUpTests
{
    private const string Monitor = LiquidationMonitor.MonitorName;
    private const string Liquidator = "0x2e3d94f0562703b25c83308a05046ddaf9a8dd14";
    private readonly ManualClock _clock = new(ManualClock.Noon);
    private WorkerUnderTest _worker = null!;

    private async Task StartAsync(IReadOnlyList<Move> moves, params (string, string)[] settings) =>
        _worker = await WorkerUnderTest.CreateAsync(_clock, ScenarioLoader.Load("calm") with { Moves = moves }, Monitor, null, settings);

    private static Move Liquidate(decimal at, int count, decimal usd, LiquidationKind kind,
        string component = "HLP Liquidator", decimal over = 0, int? users = null, int fills = 1) =>
        new(at, over, Liquidations: new LiquidationMove("BTC", count, usd, kind, LiquidatedSide.Long, component, users, fills));

    [TearDown]
    public Task Stop() => _worker.DisposeAsync().AsTask();

    private async Task<CheckResult> CheckAsync(TimeSpan after = default)
    {
        _clock.Advance(after);
        var result = await _worker.CheckAsync(Monitor, _clock.GetUtcNow(), _clock);
        Assert.That(result.Run.Error, Is.Null);
        return result;
    }

    private async Task<T> QueryAsync<T>(string sql)
    {
        await using var connection = await _worker.Db.OpenConnectionAsync();
        return await connection.QuerySingleAsync<T>(sql);
    }

    [Test]
    public async Task Liquidation_that_stays_the_newest_is_news_once_however_long_it_is_shown()
    {
        await StartAsync([Liquidate(5, 1, 1_000_000, LiquidationKind.Adl)]);
        Assert.That((await CheckAsync(TimeSpan.FromSeconds(10))).Findings.Single().RuleId, Is.EqualTo(LiquidationRuleSet.Deleveraging.Id));
        for (var minute = 0; minute < 180; minute += 15)
        {
            var later = await CheckAsync(TimeSpan.FromMinutes(15));
            Assert.That((later.Findings.Count, later.Observations.Count(row => row is not LiquidationSource)),
                Is.EqualTo((0, 0)), $"minute {minute}");
        }

        foreach (var pause in new[] { TimeSpan.Zero, TimeSpan.FromHours(2), TimeSpan.FromDays(2) })
        {
            _worker.Restart();
            var later = await CheckAsync(pause);
            Assert.That((later.Findings.Count, later.Observations.Count(row => row is not LiquidationSource)),
                Is.EqualTo((0, 0)), $"restarted after {pause}");
        }

        // Its day is dropped in time, and the account is as quiet as before.
        await QueryAsync<long>("WITH gone AS (DELETE FROM liquidations RETURNING 1) SELECT count(*) FROM gone");
        _worker.Restart();
        Assert.That((await CheckAsync(TimeSpan.FromDays(29))).Findings, Is.Empty);
        Assert.That(await QueryAsync<(string, long)>("SELECT status, occurrences FROM security_events"), Is.EqualTo(("resolved", 1L)));
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Catch_up_that_takes_several_checks_makes_one_pattern_of_all_its_fills(bool restarted)
    {
        await StartAsync([.. new[] { "HLP Liquidator", "HLP Liquidator 2" }.Select(component => Liquidate(
            600, 3330, 1000, LiquidationKind.Adl, component, over: 3600, fills: 3))]);
        await CheckAsync();
        var first = await CheckAsync(TimeSpan.FromHours(5));
        Assert.That(first.Observations.OfType<LiquidationFill>().Count(), Is.InRange(1, 19_979), "not all at once");
        for (var check = 0; check < 4; check++)
        {
            if (restarted)
                _worker.Restart();
            await CheckAsync(TimeSpan.FromMinutes(3));
        }

        var fills = await QueryAsync<(long, long, DateTimeOffset, DateTimeOffset)>(
            "SELECT count(*), count(DISTINCT tid), min(observed_at), max(observed_at) FROM liquidations");
        Assert.That((fills.Item1, fills.Item2), Is.EqualTo((19_980L, 19_980L)));
        Assert.That(await QueryAsync<(long, DateTimeOffset, DateTimeOffset)>(
            "SELECT count(*), min(start_time), max(end_time) FROM liquidation_patterns"),
            Is.EqualTo((1L, fills.Item3, fills.Item4)));
        Assert.That(_worker.Services.GetRequiredService<LiquidationHistory>().Fills, Is.Empty, "what is caught up with is forgotten");
    }

    [Test]
    public async Task Checks_before_the_database_answered_leave_no_hole()
    {
        await StartAsync([Liquidate(1800, 3, 1000, LiquidationKind.Adl, over: 30),
            Liquidate(7000, 2, 1000, LiquidationKind.Backstop, over: 30)]);
        await CheckAsync();
        _clock.Advance(TimeSpan.FromHours(2));
        _worker.Restart();
        var begun = new LiquidationSource(Liquidator, true, _clock.GetUtcNow().AddHours(-1),
            ManualClock.Noon.AddSeconds(7000), ManualClock.Noon.AddSeconds(7000), 0, null, null);
        _worker.Services.GetRequiredService<LiquidationHistory>().Keep(
            _clock.GetUtcNow(), null, new Reading([], [begun], [], [], new Dictionary<string, DateTimeOffset?>(), true), [], [], []);
        // What such a check brought may come out of the journal before the next check reads what is stored.
        await using (var connection = await _worker.Db.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await _worker.Services.GetRequiredService<LiquidationSources>().InsertAsync([begun], someAreThere: false, transaction, default);
            await transaction.CommitAsync();
        }

        Assert.That((await CheckAsync()).Observations.OfType<LiquidationFill>().Count(), Is.EqualTo(5));
        Assert.That(await QueryAsync<(DateTimeOffset, DateTimeOffset)>(
            $"SELECT watched_since, read_until FROM liquidation_sources WHERE source_address = '{Liquidator}'"),
            Is.EqualTo((ManualClock.Noon.AddHours(-1), ManualClock.Noon.AddSeconds(7015))));
    }

    [Test]
    public async Task Many_accounts_are_all_read_in_turn_within_the_real_weight_limit()
    {
        var seed = ScenarioLoader.Load("calm").Seed;
        var addresses = new[] { 0, 1 }
            .SelectMany(move => Enumerable.Range(0, 25).Select(number => FillBook.Trader(seed, move, number))).ToList();
        await StartAsync([.. new[] { 5, 400 }.Select(at => Liquidate(at, 25, 1000, LiquidationKind.Market, "HLP Strategy A", over: 5))],
            (WorkerUnderTest.WeightSetting, "1200"), ("MONITORED_ADDRESSES", string.Join(',', addresses)));
        var readAt = new Dictionary<string, DateTimeOffset>();
        var now = _clock.GetUtcNow();
        for (var check = 0; check < 10; check++, now += TimeSpan.FromMinutes(3))
        {
            var result = await CheckAsync(now - _clock.GetUtcNow());
            Assert.That(result.Run.FinishedAt - result.Run.StartedAt, Is.LessThan(TimeSpan.FromSeconds(40)));
            var sources = result.Observations.OfType<LiquidationSource>().ToList();
            Assert.That(sources, Has.Count.InRange(30, 56), "not all of 57 at once");
            foreach (var source in sources)
                readAt[source.SourceAddress] = now;
            if (check > 0)
                Assert.That((readAt.Count, readAt.Values.Count(at => at < now.AddMinutes(-3))), Is.EqualTo((57, 0)),
                    "each account in one of any two checks");
        }

        Assert.That(await QueryAsync<long>("SELECT count(*) FROM liquidations"), Is.EqualTo(50));
        Assert.That(await QueryAsync<long>("SELECT count(last_fill_at) FROM liquidation_sources WHERE NOT is_hlp_vault"), Is.EqualTo(50));
        Assert.That(await QueryAsync<long>("SELECT count(*) FROM security_events WHERE rule_id = 'monitor.stale'"), Is.Zero);
        Assert.That(_worker.Venue.Weight.Rejected, Is.Zero);
    }

    [Test]
    public async Task Full_pages_of_every_account_are_read_over_some_checks_within_the_real_weight_limit()
    {
        const int each = 4500;
        var components = ScenarioLoader.Load("calm").Components;
        await StartAsync([.. components.Select(component => Liquidate(5, each, 1000, LiquidationKind.Backstop, component.Name, over: 60))],
            (WorkerUnderTest.WeightSetting, "1200"));
        var (stored, checks) = (0, 0);
        for (_clock.Advance(TimeSpan.FromSeconds(70)); stored < each * components.Count && checks < 10; checks++)
            stored += (await CheckAsync(TimeSpan.FromMinutes(3))).Observations.OfType<LiquidationFill>().Count();
        Assert.That((stored, checks), Is.EqualTo((each * components.Count, checks)));
        Assert.That(checks, Is.InRange(3, 6), "21 pages of 120 each, and no more than 800 of weight in a check");
        Assert.That(
            await QueryAsync<(long, long)>("SELECT count(*), (SELECT sum(gaps)::bigint FROM liquidation_sources) FROM liquidations"),
            Is.EqualTo(((long)stored, 0L)));
        Assert.That(_worker.Venue.Weight.Rejected, Is.Zero);
    }

    [Test]
    public async Task Burst_of_one_account_that_the_venue_cannot_show_whole_is_said_to_be_incomplete()
    {
        await StartAsync([Liquidate(5, 11_279, 100, LiquidationKind.Adl), Liquidate(8, 1, 100, LiquidationKind.Adl),
            Liquidate(60, 1, 100, LiquidationKind.Adl)]);
        var first = await CheckAsync(TimeSpan.FromSeconds(10));
        Assert.That(
            first.Observations.OfType<LiquidationFill>().Select(fill => fill.ObservedAt).GroupBy(at => at).Select(moment => moment.Count()),
            Is.EqualTo(new[] { 4000, 1 }), "the oldest page of the moment, its newest, and what came after it");
        Assert.That(first.Observations.OfType<LiquidationSource>().Single(source => source.SourceAddress == Liquidator),
            Has.Property("Gaps").EqualTo(1).And.Property("LastGapFrom").EqualTo(ManualClock.Noon.AddSeconds(5)));
        var finding = first.Findings.Single(finding => finding.RuleId == LiquidationRuleSet.Deleveraging.Id);
        Assert.That(finding.Description,
            Does.Contain("Incomplete: not all fills of this time could be had from the venue, so there was more than this."));
        Assert.That((finding.Evidence.Values["incomplete"]!.GetValue<bool>(), finding.Evidence.Values["gaps"]!.ToJsonString()),
            Is.EqualTo((true, $$"""[{"account":"{{Liquidator}}","from":"2026-11-21T12:00:05Z","until":"2026-11-21T12:00:05Z"}]""")));
        Assert.That(finding.Evidence.Arithmetic[^1], Does.StartWith($"incomplete: fills of {Liquidator} from "));
        _worker.Restart();
        Assert.That((await CheckAsync(TimeSpan.FromMinutes(3))).Findings.Single().Description,
            Does.Contain("Incomplete:"), "another process knows it too");
    }

    [Test]
    public async Task Triggered_check_asks_for_the_accounts_that_called_for_it_and_for_no_others()
    {
        await StartAsync([Liquidate(5, 1, 1000, LiquidationKind.Adl)]);
        await CheckAsync();
        var result = await TriggerAsync(new CheckCause(LiquidationMonitor.AccountCause, Liquidator), new CheckCause("block", "0x0"));
        Assert.That((result.Observations.OfType<LiquidationSource>().Single().SourceAddress, result.Findings.Single().RuleId),
            Is.EqualTo((Liquidator, LiquidationRuleSet.Deleveraging.Id)));
        Assert.That((await TriggerAsync()).Observations.OfType<LiquidationSource>().Count(),
            Is.EqualTo(7), "called for by nobody in particular, it asks for all");
    }

    private async Task<CheckResult> TriggerAsync(params CheckCause[] causes)
    {
        _clock.Advance(TimeSpan.FromSeconds(10));
        return (await _worker.Services.GetRequiredService<CheckRunner>().TryRunBetweenAsync(_worker.Schedule, causes, default))!;
    }
}

/// <summary>What the history keeps without a database to reach back to.</summary>
public sealed class LiquidationHistoryTests
{
    [Test]
    public void Fills_of_a_catch_up_are_kept_until_it_ends()
    {
        var history = new LiquidationHistory(null, new PastReads(), new TestLogs().For<LiquidationHistory>());
        var (now, fill) = (ManualClock.Noon.AddHours(5), LiquidationSample.Row(60, LiquidationSample.Victim, 1000, tid: 1));
        var reading = new Reading([fill], [], [], [], new Dictionary<string, DateTimeOffset?>(), false);
        history.Keep(now, fill.ObservedAt.AddMinutes(30), reading, [fill], [], []);
        Assert.That(history.Fills, Is.EqualTo(new[] { fill }));
        history.Keep(now, fill.ObservedAt.AddMinutes(61), reading, history.Fills, [], []);
        Assert.That(history.Fills, Is.Empty, "what goes on now is an hour later");
        history.Keep(now, null, reading, [fill], [], []);
        Assert.That(history.Fills, Is.Empty);
    }
}

/// <summary>The same on the real clock: an account that hangs.</summary>
public sealed class LiquidationHangTests
{
    [Test]
    public async Task Account_that_hangs_does_not_cost_the_check_the_others()
    {
        var scenario = ScenarioLoader.Load("calm") with { Moves =
        [
            new(1, Liquidations: new LiquidationMove("BTC", 4, 1000, LiquidationKind.Backstop, LiquidatedSide.Long, "HLP Liquidator 2")),
        ] };
        var now = TimeProvider.System.GetUtcNow();
        await using var worker = await WorkerUnderTest.CreateAsync(
            TimeProvider.System, scenario, LiquidationMonitor.MonitorName, now.AddMinutes(-1), ("LIQUIDATION_CHECK_INTERVAL", "9"));
        var hanging = scenario.Components[0].Address;
        worker.Venue.Faults.Add(new Fault(FaultKind.Hang, Type: "userFillsByTime", Account: hanging));
        var result = await worker.CheckAsync(worker.Schedule.GridTime(now));
        Assert.That((result.Run.Error, result.Observations.OfType<LiquidationFill>().Count(),
            result.Observations.OfType<LiquidationSource>().Count()),
            Is.EqualTo(((string?)null, 4, 6)));
        Assert.That(result.Unjudged, Has.Member($"monitor.stale:liquidations {hanging.ToLowerInvariant()}"));
    }
}
