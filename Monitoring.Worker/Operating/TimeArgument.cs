using System.Globalization;

namespace Monitoring.Worker.Operating;

/// <summary>
/// A time to come, as people give it to a command: <c>90d</c>, <c>12h</c>, <c>30m</c> from now, or a date or time in UTC.
/// </summary>
internal static class TimeArgument
{
    /// <summary>The allowed forms, as messages give them.</summary>
    public const string Form = "a time to come: 30m, 12h or 90d from now, 2027-01-31, or 2027-01-31T18:00:00Z";

    private const int MaxDays = 3660;

    private static readonly string[] Times = ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd'T'HH:mm:ssK"];

    /// <summary>The time meant, or null when it is none, is past, or lies more than ten years ahead.</summary>
    public static DateTimeOffset? Find(string text, DateTimeOffset now)
    {
        var at = FindSpan(text) is { } span ? now + span
            : DateTimeOffset.TryParseExact(text, Times, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var given)
                ? given.ToUniversalTime()
            : (DateTimeOffset?)null;
        return at > now && at <= now.AddDays(MaxDays) ? at : null;
    }

    private static TimeSpan? FindSpan(string text) =>
        text.Length is > 1 and < 8
        && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            ? text[^1] switch
            {
                'm' => TimeSpan.FromMinutes(count), 'h' => TimeSpan.FromHours(count),
                'd' when count <= MaxDays => TimeSpan.FromDays(count), _ => null,
            }
            : null;
}
