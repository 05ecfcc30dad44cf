using Monitoring.Data.Events;

namespace Monitoring.Data.Rules;

/// <summary>
/// How the events of a rule end: a condition after clean checks in a row, an occurrence when nothing new has happened
/// for a time, a level when its measure has fallen below a second, lower threshold for clean checks in a row.
/// </summary>
public enum LifetimeKind { Condition, Occurrence, Level }

/// <summary>
/// The lifetime of a rule's events; <paramref name="ExpiresAfter"/> is how long an occurrence stays open after the newest finding.
/// </summary>
public sealed record EventLifetime(LifetimeKind Kind, TimeSpan? ExpiresAfter = null)
{
    /// <summary>Resolved after clean checks in a row.</summary>
    public static readonly EventLifetime Condition = new(LifetimeKind.Condition);

    /// <summary>
    /// Resolved after checks in a row that neither find it nor hold it: the rule reports a holding finding
    /// while the measure lies between its resolve threshold and its opening threshold.
    /// </summary>
    public static readonly EventLifetime Level = new(LifetimeKind.Level);

    /// <summary>Expires when nothing was found for so long.</summary>
    public static EventLifetime Occurrence(TimeSpan expiresAfter) => new(LifetimeKind.Occurrence, expiresAfter);
}

/// <summary>
/// One threshold: the setting that changes it (<c>Rules:RULE:NAME</c>), or null where it is fixed; its default and its unit (USD, %,
/// points, s, h, x, or none).
/// </summary>
public sealed record RuleThreshold(string Name, string? Setting, decimal Default, string Unit, string Meaning);

/// <summary>One step of severity: from when on it holds, in words that name the thresholds, and the threat type that it reports.</summary>
public sealed record SeverityStep(Severity Severity, string ThreatType, string When);

/// <summary>
/// One rule as everybody else knows it: routes, <c>/explain</c>, the rule reference, OpenAPI.
/// <paramref name="Formula"/> says what is measured, <paramref name="Source"/> where the formula and the thresholds
/// come from, <paramref name="Advice"/> what to do when it fires.
/// </summary>
public sealed record Rule(
    string Id, int Version, string Title, string Monitor, string Formula, IReadOnlyList<RuleThreshold> Thresholds,
    IReadOnlyList<SeverityStep> Steps, EventLifetime Lifetime, string Source, string Advice)
{
    /// <summary>The rules whose events an open event of this one speaks for: ids, or the beginning of ids with <c>*</c>.</summary>
    public IReadOnlyList<string> Inhibits { get; init; } = [];

    /// <summary>The value of its evidence that says how bad it is.</summary>
    public RuleMeasure? Measure { get; init; }

    /// <summary>
    /// Whether its messages never wait for others to be grouped with. Those of a rule that inhibits others never do, because they stand
    /// for many.
    /// </summary>
    public bool NeverHeld { get => field || Inhibits.Count > 0; init; }

    /// <summary>Whether an open event of this rule may speak for events of that one.</summary>
    public bool SpeaksFor(string ruleId) => ruleId != Id && Inhibits.Any(named =>
        named.EndsWith('*') ? ruleId.StartsWith(named[..^1], StringComparison.Ordinal) : ruleId == named);

    /// <summary>
    /// The threat type that a finding of this severity reports. A severity without a step of its own is a mistake that must not keep a
    /// finding back.
    /// </summary>
    public string ThreatOf(Severity severity) => (Steps.FirstOrDefault(step => step.Severity == severity) ?? Steps[0]).ThreatType;
}
