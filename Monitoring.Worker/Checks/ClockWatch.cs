using Monitoring.Data.Supervision;
using Quartz;

namespace Monitoring.Worker.Checks;

/// <summary>
/// Notices that the time of day was set back. The next grid time of every monitor is then far ahead and nothing would
/// be checked until the clock is there again, so all are put on the grid anew.
/// </summary>
internal sealed partial class ClockWatch(
    IEnumerable<MonitorSchedule> monitors, ISchedulerFactory schedulers, Supervisor supervisor, TimeProvider clock,
    ILogger<ClockWatch> logger)
    : SupervisedService(supervisor)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(1); // what a clock that is being adjusted may lose meanwhile

    private DateTimeOffset _time = clock.GetUtcNow();
    private long _timestamp = clock.GetTimestamp();

    /// <summary>Compares the time of day with the time that has passed since the last look.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        var (now, timestamp) = (clock.GetUtcNow(), clock.GetTimestamp());
        var setBack = _time + clock.GetElapsedTime(_timestamp, timestamp) - now;
        if (setBack >= Tolerance)
        {
            LogSetBack(setBack.TotalSeconds);
            var scheduler = await schedulers.GetScheduler(cancellationToken);
            foreach (var monitor in monitors)
                await CheckScheduling.RestartAsync(scheduler, monitor, now, cancellationToken);
        }

        (_time, _timestamp) = (now, timestamp); // only now: what could not be put on the grid anew is tried again
    }

    /// <inheritdoc/>
    protected override IEnumerable<ServiceLoop> Loops => [new("clock watch", async stopping =>
    {
        await LookAsync(stopping);
        return Every;
    })];

    [LoggerMessage(LogLevel.Error, "the clock was set back by {Seconds:0.#} s: checks go on at the next grid times of the new time. "
        + "Those that are in the ledger already are not stored again")]
    private partial void LogSetBack(double seconds);
}
