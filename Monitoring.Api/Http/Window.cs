using System.Globalization;
using Microsoft.OpenApi;
using Monitoring.Data.Checks;

namespace Monitoring.Api.Http;

/// <summary>The time that a list covers: from <paramref name="Since"/> up to, but without, <paramref name="End"/>.</summary>
internal sealed record Window(DateTimeOffset Since, ListEnd End)
{
    /// <summary>All that is kept, up to a moment.</summary>
    public static Window UpTo(DateTimeOffset now) => new(DateTimeOffset.MinValue, ListEnd.Of(null, now));

    /// <summary>Where a list over it ends that goes on before a moment; without one, at its own end.</summary>
    public ListEnd EndBefore(DateTimeOffset? at) => at is { } moment ? ListEnd.Before(moment) : End;
}

/// <summary>
/// The parameters that choose a window: <c>from</c> and <c>to</c>, as far back as rows are kept, or <c>hours</c>
/// before <c>to</c> or now.
/// </summary>
internal sealed class WindowParameters(WholeParameter? hours)
{
    private static readonly TimeParameter From = new(
        "from", "Only from this time on; as far back as rows are kept. Not together with hours.");
    private static readonly TimeParameter To = new(
        "to", "Only before this time. Without it the list ends now: what a wrong clock stored ahead of now is shown up to the to given.");

    /// <summary>Hours of at most <paramref name="maxHours"/> before the end; without a default, everything that is kept.</summary>
    public static WindowParameters OfHours(int maxHours, int? defaultHours) =>
        new(new WholeParameter("hours", 1, maxHours, defaultHours, "Only so many hours before to, or before now."));

    public QueryParameter[] Parameters { get; } = hours is null ? [From, To] : [hours, From, To];

    /// <summary>The window asked for.</summary>
    public Window Read(HttpRequest request, DateTimeOffset now)
    {
        var until = To.Find(request);
        var since = From.Find(request)
            ?? (hours?.Find(request) is { } count ? (until ?? now).AddHours(-count) : DateTimeOffset.MinValue);
        return new Window(since, ListEnd.Of(until, now));
    }

    /// <summary>Adds what is wrong between parameters that are each allowed.</summary>
    public static void AddFaults(IQueryCollection query, Dictionary<string, string[]> faults)
    {
        if (query.ContainsKey("from") && query.ContainsKey("hours"))
            faults["hours"] = ["cannot be given together with from"];
        if (TimeParameter.Parse(query["from"].ToString()) >= TimeParameter.Parse(query["to"].ToString()))
            faults["from"] = ["must be before to"];
    }
}

/// <summary>A moment as RFC 3339 writes it.</summary>
internal sealed class TimeParameter(string name, string description) : QueryParameter(name, description)
{
    private const int FirstYear = 1970;
    private static readonly string[] Forms = ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];

    public override OpenApiSchema Schema => new()
    {
        Type = JsonSchemaType.String, Format = "date-time",
        Pattern = @"^(19[7-9][0-9]|[2-9][0-9]{3})-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,7})?(Z|[+-][0-9]{2}:[0-9]{2})$",
    };

    public override string? FindProblem(string text) =>
        Parse(text) is null
            ? $"must be a time since {FirstYear} such as 2026-11-21T09:00:00Z or 2026-11-21T10:00:00%2B01:00 (a + is written %2B)"
            : null;

    /// <summary>The time given, or null.</summary>
    public DateTimeOffset? Find(HttpRequest request) => TextOf(request) is { } text ? Parse(text) : null;

    // Ends in a zone: a time without one would be read as this machine's.
    public static DateTimeOffset? Parse(string text) =>
        text.Length is >= 20 and <= 33 && (text[^1] == 'Z' || text[^6] is '+' or '-') && text[10] == 'T' && text.All(char.IsAscii)
        && DateTimeOffset.TryParseExact(text, Forms, CultureInfo.InvariantCulture, DateTimeStyles.None, out var at)
        && at.UtcDateTime.Year >= FirstYear
            ? at.ToUniversalTime() : null;
}
