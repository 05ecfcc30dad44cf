using Monitoring.Data.Events;
using Monitoring.Data.Rules;
using Monitoring.Data.Wording;

namespace Monitoring.Worker.Events;

/// <summary>How bad an event is and was, in words; each number with its time.</summary>
internal static class EventWords
{
    /// <summary>
    /// Now and at its worst, as seen at a moment: <c>now 1.20 % (10:10:00 UTC), worst 1.51 % at 10:04:00 UTC</c>. Null where nothing was
    /// measured.
    /// </summary>
    public static string? State(SecurityEvent e, RuleCatalog rules, DateTimeOffset at) =>
        e.CurrentValue is not { } current ? null
        : e is { WorstAt: { } worstAt, WorstValue: not null } && worstAt == e.LastSeenAt
            ? $"now {Value(e, current, rules)} ({Words.At(worstAt, at)}), the worst so far"
        : $"now {Value(e, current, rules)} ({Words.At(e.LastSeenAt, at)})"
            + (Worst(e, rules, at) is { } worst ? $", {worst}" : "");

    /// <summary>Why an event is over, how long it was open, how bad it was, and what is so now, or was so when it was last seen.</summary>
    public static string Ending(SecurityEvent e, string why, DateTimeOffset at, decimal? measured, RuleCatalog rules)
    {
        var parts = new List<string> { $"open for {Words.Span(at - e.FirstSeenAt)}" };
        if (Worst(e, rules, at) is { } worst)
            parts.Add(worst);
        if (measured is { } now && e.Measure is not null)
            parts.Add($"now {Value(e, now, rules)}");
        else if (e.CurrentValue is { } last && e.WorstAt != e.LastSeenAt)
            parts.Add($"last seen {Value(e, last, rules)} at {Words.At(e.LastSeenAt, at)}");
        return $"{why}; {string.Join(", ", parts)}";
    }

    private static string? Worst(SecurityEvent e, RuleCatalog rules, DateTimeOffset at) =>
        e is { WorstValue: { } worst, WorstAt: { } worstAt } ? $"worst {Value(e, worst, rules)} at {Words.At(worstAt, at)}" : null;

    private static string Value(SecurityEvent e, decimal value, RuleCatalog rules) =>
        Words.Value(value, e.Unit ?? "", rules.Find(e.RuleId)?.Measure?.Counts ?? "");
}
