using Monitoring.Data.Checks;

namespace Monitoring.Worker.Checks;

/// <summary>What called for a check between grid times: a kind, such as <c>account</c> or <c>block</c>, and which one.</summary>
internal sealed record CheckCause(string Kind, string Id);

/// <summary>One check, as its monitor sees it. It begins when this is made.</summary>
internal sealed class CheckContext(
    MonitorSchedule schedule, DateTimeOffset scheduledAt, CheckTrigger trigger, IReadOnlyCollection<CheckCause> causes, TimeProvider clock,
    CancellationToken cancellation)
{
    private readonly long _begunAt = clock.GetTimestamp();

    /// <summary>The instance of the monitor that is checked.</summary>
    public MonitorSchedule Schedule => schedule;

    /// <summary>The time that keys what is stored: a time of the grid, or the second of the trigger.</summary>
    public DateTimeOffset ScheduledAt => scheduledAt;

    /// <summary>What made it run.</summary>
    public CheckTrigger Trigger => trigger;

    /// <summary>What called for it; none on the grid.</summary>
    public IReadOnlyCollection<CheckCause> Causes => causes;

    /// <summary>Cancelled when the deadline is over or the worker stops.</summary>
    public CancellationToken Cancellation => cancellation;

    /// <summary>What is left until a share of the deadline is over; never negative.</summary>
    public TimeSpan Left(double share = 1) =>
        TimeSpan.FromTicks(Math.Max(0, ((share * schedule.Deadline) - clock.GetElapsedTime(_begunAt)).Ticks));
}
