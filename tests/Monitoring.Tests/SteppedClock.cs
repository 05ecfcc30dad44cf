namespace Monitoring.Tests;

/// <summary>A machine's clock that is set wrong while time passes as it does.</summary>
internal sealed class SteppedClock(TimeProvider right) : TimeProvider
{
    /// <summary>How far it is ahead; negative: behind.</summary>
    public TimeSpan Ahead { get; set; }

    public override long TimestampFrequency => right.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => right.GetUtcNow() + Ahead;

    public override long GetTimestamp() => right.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        right.CreateTimer(callback, state, dueTime, period);
}
