using Monitoring.Simulator.Faults;
using Monitoring.Simulator.Model;

namespace Monitoring.Tests.Venues.Feed;

/// <summary>
/// The live feed over a real websocket: what it subscribes to, what triggers a check, and what each fault of the venue does to it.
/// </summary>
public sealed class HyperliquidFeedTests
{
    private FeedUnderTest _feed = null!;

    private static Scenario Calm(params Move[] moves) => ScenarioLoader.Load("calm") with { Moves = moves };

    private static Move Liquidate(
        decimal at, LiquidationKind kind = LiquidationKind.Backstop, string component = "HLP Liquidator", int count = 1) =>
        new(at, Liquidations: new LiquidationMove("BTC", count, 1000, kind, LiquidatedSide.Long, component));

    private static Fault Of(FaultKind kind, int? count = null, decimal? seconds = null) => new(kind, FaultNames.Feed, count, seconds);

    private async Task ConnectAsync(Scenario scenario, params (string, string)[] settings)
    {
        _feed = await FeedUnderTest.CreateAsync(scenario, settings);
        await _feed.ConnectAsync();
    }

    [TearDown]
    public Task Stop() => _feed.DisposeAsync().AsTask();

    [Test]
    public async Task Follows_the_vaults_components_the_watched_accounts_and_the_liquid_coins()
    {
        await ConnectAsync(Calm(), ("MONITORED_ADDRESSES", "0x00000000000000000000000000000000000000AA"));
        Assert.That((_feed.Counts.Users, _feed.Counts.Connections, _feed.State.Connections), Is.EqualTo((8, 1L, 1L)));
        Assert.That(_feed.Worker.Logs.Lines.Select(line => line.Text), Has.One.EqualTo("live feed: connected, 14 subscriptions"),
            "8 accounts; contexts and trades of BTC, ETH and SOL, HYPE has no reference");
        Assert.That(_feed.Warnings, Is.Empty);
    }

    [Test]
    public async Task No_more_accounts_are_followed_than_the_venue_allows_and_that_is_said()
    {
        var watched = string.Join(',', Enumerable.Range(1, 6).Select(i => $"0x{i:x40}"));
        await ConnectAsync(Calm(), ("MONITORED_ADDRESSES", watched));
        Assert.That((_feed.Counts.Users, _feed.State.Refusals), Is.EqualTo((10, 0L)));
        Assert.That(_feed.Warnings.Single(), Does.StartWith("3 watched accounts are not in the live feed"));
    }

    [Test]
    public async Task Liquidation_triggers_checks_of_the_second_it_is_seen_in_off_the_grid()
    {
        await ConnectAsync(Calm(Liquidate(20)));
        await _feed.PlayAsync(19);
        Assert.That(_feed.State.Triggers, Is.Zero);
        await _feed.PlayAsync(20.4);
        await _feed.UntilCheckedAsync(1, "liquidations");
        await _feed.UntilCheckedAsync(1, "inventory");
        Assert.That(await _feed.TriggeredAsync(),
            Is.EquivalentTo(new[] { ("inventory", ManualClock.Noon.AddSeconds(20)), ("liquidations", ManualClock.Noon.AddSeconds(20)) }));
        Assert.That(await _feed.CountAsync("SELECT count(*) FROM liquidations"), Is.EqualTo(1));
    }

    [Test]
    public async Task Liquidation_of_a_watched_account_asks_for_no_inventory()
    {
        var victim = FillBook.Trader(ScenarioLoader.Load("calm").Seed, 0, 0);
        await ConnectAsync(Calm(Liquidate(20, LiquidationKind.Market, "HLP Strategy A")), ("MONITORED_ADDRESSES", victim));
        await _feed.PlayAsync(21);
        await _feed.UntilCheckedAsync(1);
        Assert.That(_feed.State.Triggers, Is.EqualTo(3), "the victim's fill, and the vault's for both monitors");
    }

    [Test]
    public async Task Second_of_the_grid_is_left_to_the_grid()
    {
        await ConnectAsync(Calm(Liquidate(180)));
        await _feed.PlayAsync(180.2);
        Assert.That(_feed.State.Triggers, Is.EqualTo(2));
        await _feed.PlayUntilAsync(
            () => _feed.Worker.Logs.Lines.Any(line => line.Text.StartsWith("liquidations: check of")), "the next second comes", 0.1);
        await _feed.UntilCheckedAsync(1);
        Assert.That((await _feed.TriggeredAsync()).Single(run => run.Monitor == "liquidations").At,
            Is.GreaterThan(ManualClock.Noon.AddSeconds(180)));
    }

    [Test]
    public async Task Jump_of_an_oracle_price_triggers_its_check_once()
    {
        await ConnectAsync(ScenarioLoader.Load("oracle-attack"), ("Rules:oracle.deviation:DangerousSeconds", "0"));
        await _feed.PlayAsync(18);
        Assert.That(await _feed.TriggeredAsync(), Is.Empty);
        for (var second = 19; second < 31 && _feed.State.Triggers == 0; second++)
            await _feed.PlayAsync(second);
        await _feed.UntilCheckedAsync(1, "oracle"); // the clock stands still: what it compares must be of one moment
        Assert.That(
            await _feed.CountAsync("SELECT count(*) FROM security_events WHERE rule_id = 'oracle.deviation' AND monitor = 'oracle'"),
            Is.EqualTo(1));
    }

    [Test]
    public async Task Snapshot_tells_of_the_past_and_triggers_nothing_neither_at_first_nor_after_a_reconnect()
    {
        _feed = await FeedUnderTest.CreateAsync(Calm(Liquidate(5, count: 3), Liquidate(70)));
        _feed.Clock.Advance(TimeSpan.FromSeconds(60));
        await _feed.ConnectAsync();
        await _feed.PlayAsync(65);
        Assert.That(_feed.State.Triggers, Is.Zero);
        await _feed.PlayAsync(71);
        await _feed.UntilCheckedAsync(1);

        var before = _feed.State.Triggers;
        await ReconnectAsync();
        Assert.That(_feed.State.Triggers, Is.EqualTo(before));
        Assert.That(_feed.Counts.Users, Is.EqualTo(7), "subscribed anew");
    }

    [Test]
    public async Task What_happened_while_it_was_down_triggers_when_it_is_up_again()
    {
        await ConnectAsync(Calm(Liquidate(40)));
        _feed.Worker.Venue.Faults.Add(Of(FaultKind.Refuse));
        _feed.Worker.Venue.Faults.Add(Of(FaultKind.Drop, count: 1));
        await _feed.PlayUntilAsync(() => !_feed.State.IsUp, "the connection is dropped");
        await _feed.PlayUntilAsync(() => _feed.Clock.GetUtcNow() > ManualClock.Noon.AddSeconds(45), "the liquidation is missed");
        Assert.That(_feed.State.Triggers, Is.Zero);
        _feed.Worker.Venue.Faults.Clear();
        await _feed.PlayUntilAsync(() => _feed.State.Triggers == 2, "the snapshot tells of it");
    }

    // Drops the connection and waits for the next.
    private async Task ReconnectAsync()
    {
        var connections = _feed.State.Connections;
        _feed.Worker.Venue.Faults.Add(Of(FaultKind.Drop, count: 1));
        await _feed.PlayUntilAsync(() => _feed.State.Connections > connections && _feed.State.IsUp, "connected again");
        await TestWait.UntilAsync(() => _feed.State.Frames >= _feed.Counts.Sent - 1, "the new snapshots are read");
    }

    [TestCase(FaultKind.Garbage, true)]
    [TestCase(FaultKind.Truncated, true)]
    [TestCase(FaultKind.Null, true)]
    [TestCase(FaultKind.Empty, true)]
    [TestCase(FaultKind.WrongTypes, true)]
    [TestCase(FaultKind.Binary, true)]
    [TestCase(FaultKind.Huge, true)]
    [TestCase(FaultKind.Duplicate, false)]
    [TestCase(FaultKind.Replay, false)]
    public async Task Message_that_is_spoilt_or_repeated_is_survived_and_triggers_nothing_twice(object kind, bool isUnreadable)
    {
        await ConnectAsync(Calm(Liquidate(20), Liquidate(60)));
        await _feed.PlayAsync(21);
        await _feed.UntilCheckedAsync(1);
        Assert.That(_feed.State.Triggers, Is.EqualTo(2), "one of each monitor");

        _feed.Worker.Venue.Faults.Add(Of((FaultKind)kind, count: 3));
        await _feed.PlayAsync(24);
        await _feed.PlayAsync(40);
        Assert.That((_feed.State.Triggers, _feed.State.Unreadable, _feed.State.Connections), Is.EqualTo((2L, isUnreadable ? 3L : 0L, 1L)));
        Assert.That(_feed.Warnings.Count(line => line.StartsWith("live feed: a message cannot be read")),
            Is.EqualTo(isUnreadable ? 1 : 0), "said once");

        await _feed.PlayAsync(61);
        await _feed.UntilCheckedAsync(2);
        Assert.That(await _feed.CountAsync("SELECT count(*) FROM liquidations"), Is.EqualTo(2));
    }

    [Test]
    public async Task Silent_connection_is_given_up_when_no_pong_comes()
    {
        await ConnectAsync(Calm(), ("Venues:Hyperliquid:FeedCoins", "0")); // with coins it is given up sooner, because no data comes
        _feed.Worker.Venue.Faults.Add(Of(FaultKind.Silent));
        await _feed.PlayUntilAsync(() => !_feed.State.IsUp, "no pong");
        await TestWait.UntilAsync(() => _feed.Warnings.Any(), "that is said");
        Assert.That(_feed.Warnings.Single(), Is.EqualTo("live feed is down, polling goes on: no pong within 10 s"));
        _feed.Worker.Venue.Faults.Clear();
        await _feed.PlayUntilAsync(() => _feed.State.IsUp, "up again");
    }

    [Test]
    public async Task Connection_that_answers_pings_and_tells_nothing_is_given_up_and_what_it_kept_back_is_news()
    {
        await ConnectAsync(Calm(Liquidate(22)));
        await _feed.PlayAsync(20);
        _feed.Worker.Venue.Faults.Add(Of(FaultKind.NoData));
        var (said, heard) = (_feed.Counts.Messages, _feed.Counts.Sent);
        await _feed.PlayUntilAsync(() => _feed.Counts.Messages > said, "a ping", 0.1);
        await TestWait.UntilAsync(() => _feed.Counts.Sent > heard && _feed.State.Frames >= _feed.Counts.Sent, "its pong is read");
        await _feed.PlayUntilAsync(() => !_feed.State.IsUp, "no data");
        await TestWait.UntilAsync(() => _feed.Warnings.Any(), "that is said");
        Assert.That(_feed.Warnings.Single(), Is.EqualTo("live feed is down, polling goes on: no data within 30 s"));
        Assert.That((_feed.Clock.GetUtcNow() - ManualClock.Noon).TotalSeconds, Is.GreaterThanOrEqualTo(50));
        Assert.That(_feed.State.Triggers, Is.Zero);
        _feed.Worker.Venue.Faults.Clear();
        await _feed.PlayUntilAsync(
            () => _feed.State.Triggers == 2, "the snapshot tells of the liquidation, which came before the last pong");
    }

    [Test]
    public async Task Connection_that_follows_accounts_alone_may_tell_nothing()
    {
        await ConnectAsync(Calm(), ("Venues:Hyperliquid:FeedCoins", "0"));
        _feed.Worker.Venue.Faults.Add(Of(FaultKind.NoData));
        for (var second = 1; second <= 100; second++)
            await _feed.PlayAsync(second);
        Assert.That((_feed.State.IsUp, _feed.State.Connections), Is.EqualTo((true, 1L)));
    }

    [Test]
    public async Task Venue_that_acknowledges_nothing_is_left_and_tried_again()
    {
        _feed = await FeedUnderTest.CreateAsync(Calm());
        _feed.Worker.Venue.Faults.Add(Of(FaultKind.Garbage));
        await _feed.StartAsync();
        await _feed.PlayUntilAsync(() => _feed.State.Connections >= 2, "a second connection");
        Assert.That(_feed.Warnings, Has.Some.Contains("subscriptions acknowledged within 10 s"));
        _feed.Worker.Venue.Faults.Clear();
        await _feed.PlayUntilAsync(() => _feed.State.IsUp, "up");
    }

    [Test]
    public async Task Slow_venue_is_waited_for()
    {
        await ConnectAsync(Calm(Liquidate(20)));
        _feed.Worker.Venue.Faults.Add(Of(FaultKind.Slow, count: 1, seconds: 5));
        await _feed.PlayUntilAsync(() => _feed.State.Triggers > 0, "the fill comes late");
        Assert.That((_feed.State.Connections, _feed.State.Unreadable), Is.EqualTo((1L, 0L)));
    }

    [Test]
    public async Task Quiet_connection_is_kept_by_pings()
    {
        await ConnectAsync(Calm(), ("Venues:Hyperliquid:FeedCoins", "0"));
        var said = _feed.Counts.Messages;
        for (var second = 1; second <= 200; second++)
            await _feed.PlayAsync(second);
        Assert.That((_feed.State.Connections, _feed.Counts.Open), Is.EqualTo((1L, 1)));
        Assert.That(_feed.Counts.Messages - said, Is.InRange(5, 7), "one each thirty seconds");
    }

    [Test]
    public async Task Venue_that_refuses_is_not_asked_more_often_than_it_allows_and_the_log_is_not_flooded()
    {
        _feed = await FeedUnderTest.CreateAsync(Calm());
        _feed.Worker.Venue.Faults.Add(Of(FaultKind.Refuse));
        await _feed.StartAsync();
        // Slowly: the first answers of a process take their time, and on this clock none may take ten seconds.
        await _feed.PlayUntilAsync(() => _feed.Counts.Refused > 0, "the first refusal", 0.05);
        await _feed.PlayUntilAsync(() => _feed.Clock.GetUtcNow() > ManualClock.Noon.AddMinutes(15), "a quarter of an hour");
        Assert.That((_feed.Counts.Connections, _feed.Counts.Refused), Is.EqualTo((0L, _feed.Counts.Refused)));
        Assert.That(_feed.Counts.Refused, Is.InRange(5, 225));
        Assert.That(_feed.Counts.MaxAttemptsPerMinute, Is.LessThanOrEqualTo(15));
        Assert.That(_feed.Warnings.ToList(), Has.Count.EqualTo(1));
        _feed.Worker.Venue.Faults.Clear();
        await _feed.PlayUntilAsync(() => _feed.State.IsUp, "up");
    }

    [Test]
    public async Task Outage_of_the_venue_takes_the_feed_down_and_no_check_with_it()
    {
        await ConnectAsync(Calm());
        _feed.Worker.Venue.Faults.Add(new Fault(FaultKind.Html));
        await _feed.PlayUntilAsync(() => !_feed.State.IsUp, "down");
        _feed.Worker.Venue.Faults.Clear();
        Assert.That((await _feed.Worker.CheckAsync(_feed.Clock.GetUtcNow())).Run.Error, Is.Null);
        await _feed.PlayUntilAsync(() => _feed.State.IsUp, "up again");
    }
}
