namespace Monitoring.Data.Checks;

/// <summary>
/// The grid that a monitor is checked on: whole multiples of its interval since the Unix epoch (UTC). Worker and read service both reckon
/// with it here.
/// </summary>
public readonly record struct CheckGrid(TimeSpan Interval)
{
    /// <summary>The newest grid time at or before a moment.</summary>
    public DateTimeOffset AtOrBefore(DateTimeOffset at) =>
        new(at.UtcTicks - ((at.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) % Interval.Ticks), TimeSpan.Zero);

    /// <summary>The first grid time at or after a moment.</summary>
    public DateTimeOffset AtOrAfter(DateTimeOffset at) => DateTimeOffset.UnixEpoch.AddTicks(CeilingSlot(at) * Interval.Ticks);

    /// <summary>The number of grid times in [from, until).</summary>
    public long Count(DateTimeOffset from, DateTimeOffset until) => until <= from ? 0 : CeilingSlot(until) - CeilingSlot(from);

    private long CeilingSlot(DateTimeOffset at) => (at.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks + Interval.Ticks - 1) / Interval.Ticks;
}
