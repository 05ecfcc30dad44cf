namespace Monitoring.Data.Checks;

/// <summary>
/// What a stored time may be: one that lies ahead of now was written by a clock that was wrong, and is neither the newest nor where to read
/// on from.
/// </summary>
public static class StoredTimes
{
    /// <summary>So far two clocks may differ and both be taken for right.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(60);

    // As SQL, for a reader whose own clock may be behind: what neither it nor the database takes for possible.
    internal const string Limit = "greatest(@newest::timestamptz, now() + interval '1 minute')";

    /// <summary>The newest time that can be true at a moment.</summary>
    public static DateTimeOffset Newest(DateTimeOffset now) => now > DateTimeOffset.MaxValue - Tolerance ? now : now + Tolerance;

    /// <summary>Whether a time cannot be true yet.</summary>
    public static bool IsAhead(this DateTimeOffset at, DateTimeOffset now) => at > Newest(now);

    /// <summary>The time, or a moment where it lies ahead of that.</summary>
    public static DateTimeOffset NotAhead(this DateTimeOffset at, DateTimeOffset now) => at.IsAhead(now) ? now : at;
}
