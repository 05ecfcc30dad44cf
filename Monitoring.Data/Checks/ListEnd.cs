namespace Monitoring.Data.Checks;

/// <summary>
/// Where a list of stored times ends: before a moment that was asked for, whatever is stored up to there; where none was, after the newest
/// time that can be true, so that what a wrong clock stored ahead of now does not stand before what is true.
/// </summary>
public sealed record ListEnd
{
    /// <summary>As SQL: a time that the list's times must be before.</summary>
    internal const string Moment = $"coalesce(@until::timestamptz, {StoredTimes.Limit})";

    private ListEnd(DateTimeOffset? until, DateTimeOffset newest) => (Until, Newest) = (until, newest);

    /// <summary>The moment that was asked for, if one was: the statement's <c>@until</c>.</summary>
    public DateTimeOffset? Until { get; }

    /// <summary>The newest time that can be true: the statement's <c>@newest</c>.</summary>
    public DateTimeOffset Newest { get; }

    /// <summary>The end at a moment that was asked for or, without one, at now.</summary>
    public static ListEnd Of(DateTimeOffset? until, DateTimeOffset now) => new(until, StoredTimes.Newest(now));

    /// <summary>The end at a moment, in the past or not.</summary>
    public static ListEnd Before(DateTimeOffset until) => new(until, until);
}
