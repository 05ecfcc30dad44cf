namespace Monitoring.Data.Checks;

/// <summary>How current a monitor's data is. Only <see cref="Fresh"/> lets its silence be read as calm.</summary>
public enum Freshness
{
    /// <summary>The last success is younger than two intervals.</summary>
    Fresh,

    /// <summary>A check is overdue.</summary>
    Late,

    /// <summary>No success for three intervals and at least a minute: blind.</summary>
    Stale,

    /// <summary>Registered, but without any success yet.</summary>
    Never,
}

/// <summary>When a monitor is late and when it is blind: decided here for the watchdog, the heartbeat and the read service.</summary>
public static class MonitorFreshness
{
    /// <summary>So many intervals without a success make a monitor blind.</summary>
    public const int StaleIntervals = 3;

    /// <summary>But at least so many seconds.</summary>
    public const int StaleAtLeastSeconds = 60;

    private const int LateIntervals = 2;
    private const int LateAtLeastSeconds = 15;

    /// <summary>How old the newest success may grow before its monitor is blind.</summary>
    public static TimeSpan StaleAfter(TimeSpan interval) => Longer(StaleIntervals * interval, StaleAtLeastSeconds);

    /// <summary>How old the newest success may grow before a check is overdue.</summary>
    public static TimeSpan LateAfter(TimeSpan interval) => Longer(LateIntervals * interval, LateAtLeastSeconds);

    /// <summary>
    /// Whether a success of this age is too old. One from the future, after a clock was set back, is as old as it is ahead.
    /// </summary>
    public static bool IsStale(TimeSpan interval, TimeSpan age) => age.Duration() >= StaleAfter(interval);

    /// <summary>Freshness by the age of the newest success; null: there was none.</summary>
    public static Freshness Judge(TimeSpan interval, TimeSpan? age) =>
        age is not { } known ? Freshness.Never
        : IsStale(interval, known) ? Freshness.Stale
        : known.Duration() >= LateAfter(interval) ? Freshness.Late
        : Freshness.Fresh;

    private static TimeSpan Longer(TimeSpan span, int seconds) =>
        span > TimeSpan.FromSeconds(seconds) ? span : TimeSpan.FromSeconds(seconds);
}
