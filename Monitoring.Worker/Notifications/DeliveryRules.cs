namespace Monitoring.Worker.Notifications;

/// <summary>
/// What follows from an attempt: the message is <see cref="Delivered"/>, is tried <see cref="Again"/>, or is <see cref="Dead"/>.
/// </summary>
internal abstract record DeliveryVerdict
{
    private DeliveryVerdict()
    {
    }

    public sealed record Delivered : DeliveryVerdict;

    /// <summary>
    /// To be tried at <paramref name="At"/>; where the service asked for it, nothing goes through the channel before
    /// <paramref name="PausedUntil"/>.
    /// </summary>
    public sealed record Again(DateTimeOffset At, DateTimeOffset? PausedUntil, DateTimeOffset GiveUpAt, string Error) : DeliveryVerdict;

    public sealed record Dead(string Error) : DeliveryVerdict;
}

/// <summary>
/// When to try again, and when to give up. Exponential backoff with full jitter: a wait is drawn evenly between zero
/// and a bound that doubles.
/// </summary>
internal static class DeliveryRules
{
    private static readonly TimeSpan FirstBound = TimeSpan.FromSeconds(1);

    /// <summary>The bound of the backoff stops doubling here.</summary>
    public static readonly TimeSpan LongestBackoff = TimeSpan.FromMinutes(5);

    /// <summary>When a channel takes a message after a failure, those that wait are tried within this: it works again.</summary>
    public static readonly TimeSpan AfterSuccess = TimeSpan.FromSeconds(10);

    /// <summary>A <c>Retry-After</c> of more than this counts as this: nobody can switch a channel off by an answer.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    /// <summary>The wait after so many attempts, for a <paramref name="random"/> number from 0 to 1.</summary>
    public static TimeSpan Backoff(int attempts, double random)
    {
        var bound = FirstBound * Math.Pow(2, Math.Clamp(attempts - 1, 0, 30));
        return (bound < LongestBackoff ? bound : LongestBackoff) * random;
    }

    /// <summary>
    /// Judges an attempt that ended now. The deadline counts from the first failure, so that what was silenced or found
    /// no worker gets its time too.
    /// </summary>
    public static DeliveryVerdict Judge(
        DeliveryOutcome outcome, ClaimedMessage claimed, DateTimeOffset now, TimeSpan deadline, double random)
    {
        if (outcome is not DeliveryOutcome.Retry retry)
            return outcome is DeliveryOutcome.Dead dead ? new DeliveryVerdict.Dead(dead.Reason) : new DeliveryVerdict.Delivered();

        var giveUpAt = claimed.GiveUpAt ?? now + deadline;
        var pause = retry.After > LongestPause ? LongestPause : retry.After;
        var backoff = Backoff(claimed.Attempts, random);
        var at = now + (pause > backoff ? pause.Value : backoff);
        return at > giveUpAt
            ? new DeliveryVerdict.Dead($"given up after {claimed.Attempts} attempts: {retry.Reason}")
            : new DeliveryVerdict.Again(at, now + pause, giveUpAt, retry.Reason);
    }
}
