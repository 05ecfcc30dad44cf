using Monitoring.Data.Checks;

namespace Monitoring.Worker.Checks;

/// <summary>
/// How far this machine's clock is ahead of another one, by that one's newest word; negative: behind. <paramref name="Error"/> is what
/// that word leaves open.
/// </summary>
internal sealed record ClockDifference(string Clock, TimeSpan Ahead, TimeSpan Error)
{
    /// <summary>How far the clocks differ at least.</summary>
    public TimeSpan AtLeast => Ahead.Duration() > Error ? Ahead.Duration() - Error : TimeSpan.Zero;
}

/// <summary>
/// The worker's time of day. It is this machine's, unless that is a minute or more off the database's: then it is the database's, reckoned
/// from when the database last said it by the time that has passed since. So what is seen while this machine's clock is wrong has its right
/// time from the beginning. Sources say what time they have, too: nothing irreversible is done on the word of one clock.
/// </summary>
internal sealed class WorkerClock(TimeProvider machine) : TimeProvider
{
    /// <summary>The name of the database's clock.</summary>
    public const string Database = "database";

    /// <summary>From so far on a clock is wrong; what differs less is a clock that is being adjusted.</summary>
    public static readonly TimeSpan Tolerance = StoredTimes.Tolerance;

    // An answer that was under way for longer says too little of the time.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Word> _words = [];
    private readonly long _begunAt = machine.GetTimestamp();

    /// <summary>How long this process has been running.</summary>
    public TimeSpan Running => machine.GetElapsedTime(_begunAt);

    /// <summary>
    /// What the times of this worker now carry besides its machine's clock, in seconds; 0 while that is right, null while the database has
    /// not said what time it is.
    /// </summary>
    public decimal? CorrectionSeconds
    {
        get
        {
            lock (_lock)
                return _words.ContainsKey(Database) ? Math.Round((decimal)Correction(machine.GetUtcNow()).TotalSeconds, 3) : null;
        }
    }

    /// <summary>Whether this machine's clock moved otherwise than time passed since the database was asked.</summary>
    public bool IsInDoubt
    {
        get
        {
            lock (_lock)
                return _words.GetValueOrDefault(Database) is { } word && !IsCertain(word, machine.GetUtcNow());
        }
    }

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => machine.LocalTimeZone;

    /// <inheritdoc/>
    public override long TimestampFrequency => machine.TimestampFrequency;

    /// <inheritdoc/>
    public override long GetTimestamp() => machine.GetTimestamp();

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        machine.CreateTimer(callback, state, dueTime, period);

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
        {
            var now = machine.GetUtcNow();
            return now + Correction(now);
        }
    }

    /// <summary>
    /// A clock has answered <paramref name="time"/>, give or take <paramref name="resolution"/>, to who asked at <paramref name="askedAt"/>
    /// (a timestamp).
    /// </summary>
    public void Hear(string clock, DateTimeOffset time, TimeSpan resolution, long askedAt)
    {
        lock (_lock)
        {
            var (now, timestamp) = (machine.GetUtcNow(), machine.GetTimestamp());
            var wait = machine.GetElapsedTime(askedAt, timestamp);
            if (wait <= LongestWait)
                _words[clock] = new Word(time + (wait / 2), now, timestamp, resolution + (wait / 2));
        }
    }

    /// <summary>How far this machine's clock is ahead of each that was heard, the database's first.</summary>
    public IReadOnlyList<ClockDifference> Differences
    {
        get
        {
            lock (_lock)
            {
                var now = machine.GetUtcNow();
                return [.. _words.OrderByDescending(word => word.Key == Database).ThenBy(word => word.Key, StringComparer.Ordinal)
                    .Select(word => new ClockDifference(word.Key, -Behind(word.Value, now), word.Value.Error))];
            }
        }
    }

    // What has to be added to this machine's time.
    private TimeSpan Correction(DateTimeOffset now)
    {
        if (_words.GetValueOrDefault(Database) is not { } word || Behind(word, now) is var behind && behind.Duration() < Tolerance)
            return TimeSpan.Zero;
        // Either this machine's clock was set since, or the machine stood still and its clock is right. Who spoke since then decides.
        if (!IsCertain(word, now) && _words.Values.Where(other => other.Timestamp >= word.Timestamp && IsCertain(other, now))
            .MaxBy(other => other.Timestamp) is { } since && Behind(since, now).Duration() < Tolerance)
            return TimeSpan.Zero;
        return behind;
    }

    private TimeSpan Behind(Word word, DateTimeOffset now) => word.Time + machine.GetElapsedTime(word.Timestamp) - now;

    private bool IsCertain(Word word, DateTimeOffset now) =>
        (now - word.MachineTime - machine.GetElapsedTime(word.Timestamp)).Duration() < Tolerance / 2;

    /// <summary>What a clock said, and when that was by this machine.</summary>
    private sealed record Word(DateTimeOffset Time, DateTimeOffset MachineTime, long Timestamp, TimeSpan Error);
}
