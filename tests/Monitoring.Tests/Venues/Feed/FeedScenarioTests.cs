using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Monitoring.Data.Checks;
using Monitoring.Data.Venues;
using Monitoring.Simulator.Faults;
using Monitoring.Simulator.Model;
using Monitoring.Worker.Checks;

namespace Monitoring.Tests.Venues.Feed;

/// <summary>What the feed is for: the cascade is stored within seconds, below the venue's limits; and what holds without it.</summary>
public sealed class FeedScenarioTests
{
    private static readonly decimal FirstAdl = 25.3m;
    private FeedUnderTest _feed = null!;

    [TearDown]
    public Task Stop() => _feed.DisposeAsync().AsTask();

    private async Task<IReadOnlyList<(string Rule, string Subject, DateTimeOffset ChangedAt)>> OpeningsAsync()
    {
        await using var connection = await _feed.Worker.Db.OpenConnectionAsync();
        return [.. await connection.QueryAsync<(string, string, DateTimeOffset)>(
            "SELECT rule_id, subject, min(changed_at) FROM security_events JOIN security_event_changes USING (event_id) "
            + "WHERE kind = 'opened' GROUP BY event_id, rule_id, subject ORDER BY 3, 1, 2")];
    }

    // Until the triggered checks that are due have been stored, the clock stands still.
    private async Task SettleAsync(DateTimeOffset calledAt)
    {
        await using var connection = await _feed.Worker.Db.OpenConnectionAsync();
        for (var tries = 1; ; tries++)
        {
            var (since, last) = await connection.QuerySingleAsync<(long, DateTimeOffset?)>(
                "SELECT count(*) FILTER (WHERE started_at >= @calledAt), max(finished_at) FROM check_runs WHERE trigger = 'feed' "
                + "AND monitor = 'liquidations'", new { calledAt });
            if (since > 0 || (last is { } finished && _feed.Clock.GetUtcNow() < finished.AddSeconds(6)))
                return;
            Assert.That(tries, Is.LessThan(6000), $"no check was triggered at {calledAt:O}");
            if (tries % 100 == 0)
                _feed.Clock.Advance(TimeSpan.FromSeconds(0.1)); // its pause may have begun only after the clock was moved
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, default);
        }
    }

    private async Task PlayAndSettleAsync(double fromSecond, double toSecond, double step)
    {
        var (triggers, calledAt) = (_feed.State.Triggers, DateTimeOffset.MinValue);
        for (var second = fromSecond; second <= toSecond; second += step)
        {
            await _feed.PlayAsync(second);
            if (_feed.State.Triggers != triggers)
                (triggers, calledAt) = (_feed.State.Triggers, _feed.Clock.GetUtcNow());
            if (calledAt > DateTimeOffset.MinValue)
                await SettleAsync(calledAt);
        }
    }

    [Test]
    public async Task Cascade_is_stored_within_ten_seconds_of_the_first_deleveraging_and_every_fill_once()
    {
        var scenario = ScenarioLoader.Load("cascade");
        _feed = await FeedUnderTest.CreateAsync(scenario, ("Venues:Hyperliquid:FeedCoins", "0"),
            ("LIQUIDATION_CHECK_INTERVAL", "86400"), ("INVENTORY_CHECK_INTERVAL", "86400"));
        await _feed.ConnectAsync();
        await PlayAndSettleAsync(1, 40, 0.5);

        var limit = ManualClock.Noon.AddSeconds((double)FirstAdl + 10);
        var openings = await OpeningsAsync();
        Assert.That(openings.First(opening => opening.Rule == "liquidation.adl").ChangedAt,
            Is.InRange(ManualClock.Noon.AddSeconds((double)FirstAdl), limit));
        Assert.That(openings.First(opening => opening.Rule == "liquidation.cascade").ChangedAt, Is.LessThanOrEqualTo(limit));

        await PlayAndSettleAsync(42, 120, 2);
        var all = await _feed.Worker.CheckAsync("liquidations", _feed.Clock.GetUtcNow(), _feed.Clock);
        Assert.That(all.Run.Error, Is.Null);
        Assert.That((all.Observations.OfType<LiquidationFill>().Count(), all.Findings.Count(finding => finding.RuleId.StartsWith(
            "liquidation.", StringComparison.Ordinal))), Is.EqualTo((0, 0)), "the triggered checks have seen all there is");
        Assert.That(await _feed.CountAsync("SELECT count(*) FROM liquidations"), Is.EqualTo(_feed.Worker.Venue.Fills.All.Count));
        openings = await OpeningsAsync();
        Assert.That(openings.Select(opening => (opening.Rule, opening.Subject)), Is.Unique, "one event per coin and kind");
        Assert.That((openings.Count(o => o.Rule == "liquidation.adl"),
            openings.Count(o => o.Rule == "liquidation.cascade"), openings.Count(o => o.Rule == "liquidation.market-wide"),
            openings.Count(o => o.Rule == "hlp.loss")),
            Is.EqualTo((6, 12, 1, 0)));
        Assert.That(openings.Single(opening => opening.Rule == "liquidation.market-wide").ChangedAt, Is.LessThanOrEqualTo(limit));
        Assert.That(await _feed.CountAsync("SELECT count(*) FROM security_event_changes WHERE kind = 'resolved'"), Is.Zero);
        var checks = (await _feed.TriggeredAsync()).Where(run => run.Monitor == "liquidations").Select(run => run.At).ToList();
        Assert.That(checks.Zip(checks.Skip(1), (earlier, later) => (later - earlier).TotalSeconds),
            Has.All.GreaterThanOrEqualTo(5), "many messages, few checks");
    }

    [Test]
    public async Task While_the_feed_cannot_connect_polling_finds_it_within_an_interval()
    {
        _feed = await FeedUnderTest.CreateAsync(ScenarioLoader.Load("cascade"), ("LIQUIDATION_CHECK_INTERVAL", "30"));
        _feed.Worker.Venue.Faults.Add(new Fault(FaultKind.Refuse, FaultNames.Feed));
        await _feed.StartAsync();
        await _feed.PlayUntilAsync(() => _feed.Worker.Venue.Now.Seconds >= 60, "two intervals");
        var check = await _feed.Worker.CheckAsync(ManualClock.Noon.AddSeconds(60));
        Assert.That((check.Run.Error, check.Findings.Any(finding => finding.RuleId == "liquidation.adl")),
            Is.EqualTo(((string?)null, true)));
        Assert.That(await _feed.TriggeredAsync(), Is.Empty);
        _feed.Clock.Advance(TimeSpan.FromSeconds(30));
        Assert.That((await _feed.Worker.CheckAsync(_feed.Clock.GetUtcNow(), "watchdog")).Findings.Select(finding => finding.Fingerprint),
            Has.Member($"feed.down:{Environment.MachineName}:hyperliquid"));
    }

    [Test]
    public async Task Switched_off_it_connects_to_nothing()
    {
        _feed = await FeedUnderTest.CreateAsync(ScenarioLoader.Load("calm"), ("HYPERLIQUID_FEED", "off"));
        var services = _feed.Worker.Services.GetServices<Microsoft.Extensions.Hosting.IHostedService>();
        Assert.That(services.Select(service => service.GetType().Name), Has.None.EqualTo("HyperliquidFeed"));
        Assert.That(_feed.Worker.Services.GetServices<MonitorSchedule>().Select(monitor => monitor.TriggerSpacing), Is.All.Null);
        Assert.That((await _feed.Worker.CheckAsync(ManualClock.Noon)).Run.Error, Is.Null);
        Assert.That((_feed.State.IsUp, _feed.State.DownSince), Is.EqualTo((false, (DateTimeOffset?)null)));
    }

    [Test]
    public async Task Storm_of_messages_beside_the_default_intervals_stays_below_the_weight_limit()
    {
        // The price sources have deadlines on this clock; here it is the venue's weight that counts, and the oracle
        // has nothing to judge by.
        _feed = await FeedUnderTest.CreateAsync(ScenarioLoader.Load("cascade"),
        [
            (WorkerUnderTest.WeightSetting, "1200"), ("HLP_CHECK_INTERVAL", "300"), ("ORACLE_CHECK_INTERVAL", "60"),
            ("INVENTORY_CHECK_INTERVAL", "10"), .. WorkerUnderTest.PriceSources.Select(source => (source, "off")),
        ]);
        await _feed.ConnectAsync();
        var last = new Dictionary<string, DateTimeOffset>();
        while (_feed.Worker.Venue.Now.Seconds < 190)
        {
            foreach (var schedule in _feed.Worker.Services.GetServices<MonitorSchedule>())
                if (schedule.GridTime(_feed.Clock.GetUtcNow()) is var at && last.GetValueOrDefault(schedule.Name) != at)
                {
                    last[schedule.Name] = at;
                    Assert.That((await _feed.Worker.CheckAsync(schedule.Name, at, _feed.Clock)).Run.Error,
                        schedule.Name == "oracle" ? Does.StartWith("none of 69 assets") : Is.Null);
                }

            await _feed.PlayAsync((_feed.Clock.GetUtcNow() - ManualClock.Noon).TotalSeconds + 1);
        }

        var weight = _feed.Worker.Venue.Weight;
        Assert.That(weight.Rejected, Is.Zero);
        Assert.That(weight.MaxLastMinute, Is.InRange(200, 1200));
        Assert.That(await _feed.CountAsync("SELECT count(*) FROM check_runs WHERE trigger = 'feed' AND outcome = 'succeeded'"),
            Is.GreaterThan(3));
        Assert.That(await _feed.CountAsync("SELECT count(*) FROM check_runs WHERE outcome <> 'succeeded' AND monitor <> 'oracle'"),
            Is.Zero);
    }

    [Test]
    public async Task Position_handed_over_in_two_steps_is_one_jump_also_with_a_check_in_between()
    {
        Move Take(decimal at) => new(at, Position: new PositionMove("HLP Liquidator", "ETH", 14_000, 1915));
        _feed = await FeedUnderTest.CreateAsync(
            ScenarioLoader.Load("calm") with { Moves = [Take(3), Take(7)] }, ("INVENTORY_CHECK_INTERVAL", "10"));
        async Task<List<Finding>> CheckAsync(int second)
        {
            _feed.Clock.Advance(ManualClock.Noon.AddSeconds(second) - _feed.Clock.GetUtcNow());
            var result = await _feed.Worker.CheckAsync(_feed.Clock.GetUtcNow(), "inventory");
            Assert.That((result.Run.Outcome, result.Run.Error), Is.EqualTo((CheckOutcome.Succeeded, (string?)null)));
            return [.. result.Findings.Where(finding => finding is { RuleId: "hlp.inventory", IsHolding: false })];
        }

        Assert.That(await CheckAsync(0), Is.Empty);
        Assert.That(await CheckAsync(5), Is.Empty, "5.9 points");
        var jump = (await CheckAsync(10)).Single();
        Assert.That((decimal)jump.Evidence.Values["jump_points"]!, Is.InRange(11m, 13m));
    }
}
