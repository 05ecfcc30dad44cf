using System.Text.Json;
using Monitoring.Data.Events;
using Monitoring.Data.Logging;
using Monitoring.Data.Wording;

namespace Monitoring.Worker.Notifications.Channels;

/// <summary>One figure of the evidence, in words.</summary>
internal readonly record struct Fact(string Name, string Value);

/// <summary>
/// What every channel says of a message, unescaped and each text of one line: what happened, how bad, since when,
/// the evidence in figures.
/// </summary>
internal static class MessageWords
{
    private const int MostOfFact = 300;

    /// <summary>The first line: the mark, the state and the title; or, of a group, how many of what.</summary>
    public static string Headline(NotificationMessage message) =>
        (message.IsTest ? "[TEST] " : "") + (message.Entries is [var entry]
            ? Line(entry)
            : $"{Mark(Ranked(message)[0])} {message.Entries.Count} events: {Count(message.Entries)}");

    /// <summary>One entry in one line: <c>🔴 CRITICAL: title</c>.</summary>
    public static string Line(NotificationEntry entry) => $"{Mark(entry)} {Plain(entry)}";

    /// <summary>The same without the mark, for where it cannot be seen.</summary>
    public static string Plain(NotificationEntry entry) => $"{State(entry)}: {PlainText.OneLine(entry.Title)}";

    /// <summary>A group's entries with the gravest first, and those that are over last.</summary>
    public static IReadOnlyList<NotificationEntry> Ranked(NotificationMessage message) =>
        [.. message.Entries.OrderBy(entry => entry.Kind.Ends()).ThenByDescending(entry => entry.Severity)
            .ThenBy(entry => entry.FirstSeenAt)];

    /// <summary>How many of what: <c>41 opened (2 critical, 39 high), 3 resolved</c>.</summary>
    public static string Count(IEnumerable<NotificationEntry> entries) =>
        string.Join(", ", entries.GroupBy(entry => entry.Kind).OrderBy(kind => kind.Key)
            .Select(kind => $"{kind.Count()} {Word(kind.Key)} ({CountBySeverity(kind)})"));

    private static string CountBySeverity(IEnumerable<NotificationEntry> entries) =>
        string.Join(", ", entries.GroupBy(entry => entry.Severity).OrderByDescending(same => same.Key)
            .Select(same => $"{same.Count()} {Word(same.Key)}"));

    /// <summary>Since when, or from when to when.</summary>
    public static string When(NotificationEntry entry)
    {
        var lasted = entry.ChangedAt - entry.FirstSeenAt;
        return entry.Kind.Ends() ? $"From {Words.At(entry.FirstSeenAt)} to {Words.At(entry.ChangedAt)} ({Duration(lasted)})"
            : lasted < TimeSpan.FromMinutes(1) ? $"Since {Words.At(entry.FirstSeenAt)}"
            : $"Since {Words.At(entry.FirstSeenAt)}, {Duration(lasted)} before this message";
    }

    /// <summary>What an operator or the rule said of the change; null where that is only the title again.</summary>
    public static string? Note(NotificationEntry entry) =>
        string.IsNullOrWhiteSpace(entry.Note) || entry.Note == entry.Title ? null : PlainText.OneLine(entry.Note);

    // Seen before the words are read.
    private static string Mark(NotificationEntry entry) => (entry.Kind, entry.Severity) switch
    {
        (ChangeKind.Resolved or ChangeKind.Expired, _) => "✅",
        (ChangeKind.Acknowledged or ChangeKind.Silenced, _) => "👁",
        (_, Severity.Critical) => "🔴",
        (_, Severity.High) => "🟠",
        (_, Severity.Medium) => "🟡",
        _ => "🔵",
    };

    /// <summary>The evidence, figure by figure, with units and groups of thousands; amount and share of the same thing are one.</summary>
    public static IReadOnlyList<Fact> Facts(NotificationEntry entry)
    {
        try
        {
            using var indicators = JsonDocument.Parse(entry.Indicators);
            return indicators.RootElement.ValueKind != JsonValueKind.Object ? []
                : [.. indicators.RootElement.EnumerateObject().Select(FactOf).Where(fact => fact.Value.Length > 0).GroupBy(
                    fact => fact.Name, (name, same) =>
                        new Fact(name, ChannelText.Cut(string.Join(", ", same.Select(fact => fact.Value)), MostOfFact)))];
        }
        catch (JsonException)
        {
            return [new Fact("evidence", ChannelText.Cut(PlainText.OneLine(entry.Indicators), MostOfFact))];
        }
    }

    private static Fact FactOf(JsonProperty indicator)
    {
        var name = PlainText.OneLine(indicator.Name);
        var (shown, unit) = name.LastIndexOf('_') is > 0 and var at && Unit(name[(at + 1)..]) is { } known
            ? (name[..at], known)
            : (name, "");
        var value = Show(indicator.Value, unit);
        return new Fact(ChannelText.Cut(shown.Replace('_', ' '), 60), ChannelText.Cut(value, MostOfFact));
    }

    private static string? Unit(string suffix) => suffix switch
    {
        "usd" => " USD",
        "pct" => " %",
        "bps" => " bps",
        "seconds" => " s",
        "hours" => " h",
        _ => null,
    };

    private static string Show(JsonElement value, string unit) => value.ValueKind switch
    {
        JsonValueKind.Null => "",
        JsonValueKind.True => "yes",
        JsonValueKind.False => "no",
        JsonValueKind.Number => (value.TryGetDecimal(out var number) ? Number(number, unit) : value.GetRawText()) + unit,
        JsonValueKind.String => Text(value.GetString()!),
        JsonValueKind.Array => string.Join(", ", value.EnumerateArray().Select(item => Show(item, unit))),
        _ => string.Join(", ", value.EnumerateObject().Select(member => $"{PlainText.OneLine(member.Name)} {Show(member.Value, unit)}")),
    };

    private static string Number(decimal number, string unit) => (unit, Math.Abs(number)) switch
    {
        (" USD", >= 1000) => $"{number:#,0}",
        (" USD", >= 1) => $"{number:#,0.00}",
        _ => $"{number:#,0.##########}",
    };

    private static string Text(string text) => text.Length <= 40 && text.EndsWith('Z') && text.Contains('T')
        && DateTimeOffset.TryParse(text, out var time) ? Words.At(time) : PlainText.OneLine(text);

    private static string State(NotificationEntry entry) => entry.Kind switch
    {
        ChangeKind.Opened => Word(entry.Severity).ToUpperInvariant(),
        ChangeKind.Escalated => $"ESCALATED to {Word(entry.Severity).ToUpperInvariant()}",
        _ => $"{Word(entry.Kind).ToUpperInvariant()} ({Word(entry.Severity)})",
    };

    /// <summary>A severity or a kind of change as configuration and tables write it.</summary>
    public static string Word<T>(T value) where T : struct, Enum => Data.Configuration.SnakeCase.Of(value);

    private static string Duration(TimeSpan time) => time switch
    {
        { TotalSeconds: < 0 } => "0 s",
        { TotalMinutes: < 1 } => $"{time.Seconds} s",
        { TotalHours: < 1 } => $"{time.Minutes} min",
        { TotalDays: < 1 } => $"{time.Hours} h {time.Minutes} min",
        _ => $"{time.Days} d {time.Hours} h",
    };
}
