using System.Collections.Frozen;
using System.Threading.Channels;
using Monitoring.Data.Checks;

namespace Monitoring.Worker.Checks;

/// <summary>
/// Runs checks between grid times when something calls for them, until one has succeeded. However often it calls, a monitor is checked once
/// at a time and not again within its spacing after the end of a triggered check; a grid check that began meanwhile makes a triggered one
/// needless.
/// </summary>
internal sealed partial class TriggeredChecks(
    IEnumerable<MonitorSchedule> schedules, CheckRunner runner, StopSignal stop, TimeProvider clock, ILogger<TriggeredChecks> logger)
    : BackgroundService
{
    // One that is due as often as that anyway gains nothing by being triggered.
    private readonly FrozenDictionary<string, Triggered> _monitors = schedules
        .Where(schedule => schedule.Interval > schedule.TriggerSpacing)
        .ToFrozenDictionary(schedule => schedule.Name, schedule => new Triggered(schedule, schedule.TriggerSpacing!.Value));

    /// <summary>
    /// Asks for a check that sees what is so now, as soon as it may be. Returns at once. The check gets the causes in its context.
    /// </summary>
    public void Request(string monitor, params IEnumerable<CheckCause> causes)
    {
        if (!_monitors.TryGetValue(monitor, out var found))
            return;
        var now = clock.GetUtcNow();
        found.Causes.Add(causes, now);
        found.Calls.Writer.TryWrite(now);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await Task.WhenAll(_monitors.Values.Select(monitor => AnswerAsync(monitor, stoppingToken)));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping: what was called for and not begun is left to the next worker's first check.
        }
    }

    // What called for a check is not done with before one has succeeded, be it the grid's.
    private async Task AnswerAsync(Triggered monitor, CancellationToken stoppingToken)
    {
        await foreach (var calledAt in monitor.Calls.Reader.ReadAllAsync(stoppingToken))
            for (var succeeded = false; !succeeded && !runner.HasSucceededSince(monitor.Schedule.Name, calledAt);)
            {
                var (pause, outcome) = await TryRunAsync(monitor);
                succeeded = outcome == CheckOutcome.Succeeded;
                await Task.Delay(pause, clock, stoppingToken);
            }
    }

    private async Task<(TimeSpan Pause, CheckOutcome? Outcome)> TryRunAsync(Triggered monitor)
    {
        // Of what a grid's check has seen since it was called for nothing need be asked again.
        var causes = monitor.Causes.Take(calledAt => !runner.HasSucceededSince(monitor.Schedule.Name, calledAt));
        CheckOutcome? outcome = null;
        try
        {
            if (await runner.TryRunBetweenAsync(monitor.Schedule, [.. causes.Keys], stop.Checks) is { } result)
            {
                outcome = result.Run.Outcome;
                return (monitor.Spacing, outcome);
            }

            var now = clock.GetUtcNow();
            return (CheckRunner.CutToSecond(now).AddSeconds(1) - now, null);
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            LogDefect(fault, monitor.Schedule.Name); // and goes on: the grid must not be the only one left
            return (monitor.Spacing, null);
        }
        finally
        {
            if (outcome != CheckOutcome.Succeeded)
                monitor.Causes.Return(causes);
        }
    }

    /// <summary>A monitor that may be triggered, the newest call for it, and why it was called.</summary>
    private sealed record Triggered(MonitorSchedule Schedule, TimeSpan Spacing)
    {
        public Channel<DateTimeOffset> Calls { get; } =
            Channel.CreateBounded<DateTimeOffset>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });

        public PendingCauses Causes { get; } = new();
    }

    [LoggerMessage(LogLevel.Error, "{Monitor}: a triggered check ended by a defect of this program")]
    private partial void LogDefect(Exception fault, string monitor);
}
