using System.Collections.Frozen;
using System.Threading.Channels;
using Monitoring.Data.Checks;

namespace Monitoring.Worker.Checks;

/// <summary>
/// Runs checks between grid times when something calls for them, until one has succeeded. However often it calls, a monitor is checked once at a time and not again within
/// <paramref name="spacing"/> after the end of a triggered check; a grid check that began meanwhile makes a triggered one needless.
/// </summary>
internal sealed partial class TriggeredChecks(
    IEnumerable<MonitorSchedule> schedules, CheckRunner runner, StopSignal stop, TimeSpan spacing, TimeProvider clock, ILogger<TriggeredChecks> logger) : BackgroundService
{
    // Of each monitor the newest call. One that is due as often as that anyway gains nothing by being triggered.
    private readonly FrozenDictionary<string, (MonitorSchedule Schedule, Channel<DateTimeOffset> Calls)> _monitors = schedules.Where(schedule => schedule.Interval > spacing)
        .ToFrozenDictionary(schedule => schedule.Monitor.Name,
            schedule => (schedule, Channel.CreateBounded<DateTimeOffset>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest })));

    /// <summary>Asks for a check that sees what is so now, as soon as it may be. Returns at once.</summary>
    public void Request(string monitor)
    {
        if (_monitors.TryGetValue(monitor, out var found))
            found.Calls.Writer.TryWrite(clock.GetUtcNow());
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await Task.WhenAll(_monitors.Values.Select(monitor => AnswerAsync(monitor.Schedule, monitor.Calls.Reader, stoppingToken)));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping: what was called for and not begun is left to the next worker's first check.
        }
    }

    // What called for a check is not done with before one has succeeded, be it the grid's.
    private async Task AnswerAsync(MonitorSchedule schedule, ChannelReader<DateTimeOffset> calls, CancellationToken stoppingToken)
    {
        await foreach (var calledAt in calls.ReadAllAsync(stoppingToken))
            for (var succeeded = false; !succeeded && !runner.HasSucceededSince(schedule.Monitor.Name, calledAt);)
            {
                var (pause, outcome) = await TryRunAsync(schedule);
                succeeded = outcome == CheckOutcome.Succeeded;
                await Task.Delay(pause, clock, stoppingToken);
            }
    }

    private async Task<(TimeSpan Pause, CheckOutcome? Outcome)> TryRunAsync(MonitorSchedule schedule)
    {
        try
        {
            if (await runner.TryRunBetweenAsync(schedule, stop.Checks) is { } result)
                return (spacing, result.Run.Outcome);
            var now = clock.GetUtcNow();
            return (CheckRunner.CutToSecond(now).AddSeconds(1) - now, null);
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            LogDefect(fault, schedule.Monitor.Name); // and goes on: the grid must not be the only one left
            return (spacing, null);
        }
    }

    [LoggerMessage(LogLevel.Error, "{Monitor}: a triggered check ended by a defect of this program")]
    private partial void LogDefect(Exception fault, string monitor);
}
