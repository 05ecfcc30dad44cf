using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Monitoring.Simulator.Feed;
using Monitoring.Simulator.Model;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Recording;
using Monitoring.Worker.Venues.Hyperliquid.Feed;

namespace Monitoring.Tests.Venues.Feed;

/// <summary>
/// The real worker with its live feed on the simulator's websocket, on a clock that the test moves. Nothing is
/// polled unless the test does.
/// </summary>
internal sealed class FeedUnderTest : IAsyncDisposable
{
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(2);

    private FeedUnderTest(WorkerUnderTest worker, ManualClock clock) => (Worker, Clock) = (worker, clock);

    public WorkerUnderTest Worker { get; }

    public ManualClock Clock { get; }

    public FeedState State => Worker.Services.GetRequiredService<FeedState>();

    public FeedCounts Counts => Worker.Venue.Feed.Counts;

    public IEnumerable<string> Warnings =>
        Worker.Logs.Lines.Where(line => line.Level >= Microsoft.Extensions.Logging.LogLevel.Warning).Select(line => line.Text);

    /// <summary>A worker whose monitors are polled so rarely that only the feed can be quick. Not connected yet.</summary>
    public static async Task<FeedUnderTest> CreateAsync(Scenario scenario, params (string Key, string Value)[] settings)
    {
        var clock = new ManualClock(ManualClock.Noon);
        var worker = await WorkerUnderTest.CreateAsync(clock, scenario, "liquidations", null,
            [("LIQUIDATION_CHECK_INTERVAL", "180"), ("INVENTORY_CHECK_INTERVAL", "180"), ("ORACLE_CHECK_INTERVAL", "180"), .. settings]);
        return new FeedUnderTest(worker, clock);
    }

    /// <summary>Starts the feed, what runs the checks that it triggers, and what stores them; not the schedule.</summary>
    public async Task StartAsync()
    {
        await Worker.Services.GetRequiredService<RecordingPipeline>().StartAsync(default);
        await Worker.Services.GetRequiredService<TriggeredChecks>().StartAsync(default);
        await Worker.Services.GetRequiredService<HyperliquidFeed>().StartAsync(default);
    }

    /// <summary>The same, and waits until all subscriptions are acknowledged.</summary>
    public async Task ConnectAsync()
    {
        await StartAsync();
        await TestWait.UntilAsync(() => State.IsUp, "the feed is up");
    }

    /// <summary>As <see cref="TestWait.UntilAsync(Func{bool}, string)"/>, while the clock goes on in steps.</summary>
    public async Task PlayUntilAsync(Func<bool> isSo, string what, double step = 0.5)
    {
        using var giveUp = new CancellationTokenSource(GiveUpAfter);
        while (!isSo())
        {
            Assert.That(giveUp.IsCancellationRequested, Is.False, $"waited in vain: {what}");
            Clock.Advance(TimeSpan.FromSeconds(step));
            await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, default);
        }
    }

    /// <summary>
    /// Moves the clock on to a second of the scenario, and waits until the worker has taken in everything that the
    /// venue told it until then. In steps, so that a ping that leaves meanwhile is answered before the clock says that it was not.
    /// </summary>
    public async Task PlayAsync(double toSecond)
    {
        var end = ManualClock.Noon.AddSeconds(toSecond);
        do
            await StepAsync(Clock.GetUtcNow() + Step < end ? Clock.GetUtcNow() + Step : end);
        while (Clock.GetUtcNow() < end);
    }

    private async Task StepAsync(DateTimeOffset to)
    {
        Clock.Advance(to - Clock.GetUtcNow());
        var second = (decimal)(to - ManualClock.Noon).TotalSeconds;
        using var giveUp = new CancellationTokenSource(GiveUpAfter);
        for (var tries = 1; Counts.ToldUntil < second; tries++)
        {
            Assert.That(giveUp.IsCancellationRequested, Is.False, "waited in vain for the simulator");
            if (tries % 50 == 0)
                Clock.Advance(TimeSpan.FromMilliseconds(200)); // it may have begun to wait only after the clock was moved
            await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, default);
        }

        await TestWait.UntilAsync(() => State.Frames >= Counts.Sent, "the worker reads what it was sent");
    }

    /// <summary>Waits until so many triggered checks of a monitor are stored.</summary>
    public async Task UntilCheckedAsync(long times, string monitor = "liquidations")
    {
        using var giveUp = new CancellationTokenSource(GiveUpAfter);
        for (var tries = 1;
            await CountAsync($"SELECT count(*) FROM check_runs WHERE trigger = 'feed' AND monitor = '{monitor}'") is var count
            && count < times; tries++)
        {
            Assert.That(giveUp.IsCancellationRequested, Is.False, $"{count} of {times} triggered checks of {monitor}");
            if (times > 1 && tries % 50 == 0)
                Clock.Advance(TimeSpan.FromSeconds(1)); // the pause after the one before may have begun only after the clock was moved
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, default);
        }
    }

    public async Task<long> CountAsync(string sql)
    {
        await using var connection = await Worker.Db.OpenConnectionAsync();
        return await connection.QuerySingleAsync<long>(sql);
    }

    /// <summary>The triggered checks that are stored.</summary>
    public async Task<IReadOnlyList<(string Monitor, DateTimeOffset At)>> TriggeredAsync()
    {
        await using var connection = await Worker.Db.OpenConnectionAsync();
        return [.. await connection.QueryAsync<(string, DateTimeOffset)>(
            "SELECT monitor, scheduled_at FROM check_runs WHERE trigger = 'feed' ORDER BY 2, 1")];
    }

    public async ValueTask DisposeAsync()
    {
        await Worker.Services.GetRequiredService<HyperliquidFeed>().StopAsync(default);
        await Worker.Services.GetRequiredService<TriggeredChecks>().StopAsync(default);
        await Worker.Services.GetRequiredService<RecordingPipeline>().StopAsync(default);
        await Worker.DisposeAsync();
    }
}
