using System.Collections.Frozen;
using System.Threading.Channels;
using Monitoring.Data.Checks;
using Monitoring.Data.Supervision;

namespace Monitoring.Worker.Checks;

/// <summary>
/// Runs checks between grid times when something calls for them, until one has succeeded. However often it calls, a monitor is checked once
/// at a time and not again within its spacing after the end of a triggered check; a grid check that began meanwhile makes a triggered one
/// needless.
/// </summary>
internal sealed class TriggeredChecks(
    IEnumerable<MonitorSchedule> schedules, CheckRunner runner, StopSignal stop, Supervisor supervisor, TimeProvider clock)
    : SupervisedService(supervisor)
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
    protected override IEnumerable<ServiceLoop> Loops => _monitors.Values.Select(
        monitor => new ServiceLoop($"triggered checks of {monitor.Schedule.Name}", stopping => AnswerAsync(monitor, stopping)));

    // What called for a check is not done with before one has succeeded, be it the grid's. At a stop, what was not begun is left to the
    // next worker's first check.
    private async Task<TimeSpan?> AnswerAsync(Triggered monitor, CancellationToken stopping)
    {
        var calledAt = monitor.CalledAt ??= await monitor.Calls.Reader.ReadAsync(stopping);
        var (pause, succeeded) = (TimeSpan.Zero, runner.HasSucceededSince(monitor.Schedule.Name, calledAt));
        if (!succeeded)
            (pause, succeeded) = await RunAsync(monitor);
        if (succeeded)
            monitor.CalledAt = null;
        return pause;
    }

    private async Task<(TimeSpan Pause, bool Succeeded)> RunAsync(Triggered monitor)
    {
        // Of what a grid's check has seen since it was called for nothing need be asked again.
        var causes = monitor.Causes.Take(calledAt => !runner.HasSucceededSince(monitor.Schedule.Name, calledAt));
        CheckOutcome? outcome = null;
        try
        {
            if (await runner.TryRunBetweenAsync(monitor.Schedule, [.. causes.Keys], stop.Checks) is { } result)
            {
                outcome = result.Run.Outcome;
                return (monitor.Spacing, outcome == CheckOutcome.Succeeded);
            }

            var now = clock.GetUtcNow();
            return (CheckRunner.CutToSecond(now).AddSeconds(1) - now, false);
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

        /// <summary>The call that is being answered.</summary>
        public DateTimeOffset? CalledAt { get; set; }
    }
}
