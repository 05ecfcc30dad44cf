using Monitoring.Data.Events;
using Monitoring.Data.Rules;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Events;

/// <summary>
/// How bad an event is and was, by the measure of its rule: what a finding does to its current and to its worst value, and when people are
/// to hear that it grew worse. Pure functions, as the state machine that calls them.
/// </summary>
internal static class EventMeasures
{
    private const decimal WorsenedBy = 1.5m; // of the excess over the threshold
    private const decimal LeastStep = 0.1m; // of the threshold, so that what lies just above it does not count by every trifle
    private static readonly TimeSpan Rest = TimeSpan.FromMinutes(5);
    private static readonly RuleMeasure Unknown = new("", "", WorseWhen.Farther);

    /// <summary>A new event with what its finding measured: the worst so far, and what people hear.</summary>
    public static SecurityEvent Begin(SecurityEvent opened, Finding finding, RuleCatalog rules, DateTimeOffset at)
    {
        var measure = MeasureOf(finding, rules);
        return opened with
        {
            Measure = measure?.Name, Unit = measure?.Unit, CurrentValue = measure?.Value, WorstValue = measure?.Value, WorstAt = at,
            ThresholdValue = measure?.Threshold, ToldMeasure = measure?.Value,
        };
    }

    /// <summary>
    /// An event that was seen again: what is so now where <paramref name="isNewest"/>; and its worst, where the finding raises the severity
    /// or measures something worse. A gain is never worse than a loss: on the other side of zero only as high a severity counts.
    /// </summary>
    public static SecurityEvent See(SecurityEvent e, Finding finding, RuleCatalog rules, DateTimeOffset at, bool isNewest)
    {
        var measure = MeasureOf(finding, rules);
        var seen = !isNewest ? e : e with { Description = finding.Description, CurrentValue = measure?.Value ?? e.CurrentValue };
        if (measure is not null && e.Measure is null)
            seen = seen with { Measure = measure.Name, Unit = measure.Unit };
        var raises = !finding.IsHolding && finding.Severity > e.Severity;
        if (!raises && !IsWorse(e, finding, measure, rules))
            return seen;
        return seen with
        {
            Title = finding.Title, WorstAt = at, WorstValue = measure?.Value ?? e.WorstValue,
            ThresholdValue = finding.IsHolding || finding.Severity < e.Severity ? e.ThresholdValue : measure?.Threshold ?? e.ThresholdValue,
            ToldMeasure = e.WorstValue is null ? measure?.Value : e.ToldMeasure,
        };
    }

    /// <summary>
    /// Whether people are to hear that it grew worse: its excess over the threshold is half again that of which they last heard. An event
    /// from before measures were kept says what it is first.
    /// </summary>
    public static bool HasWorsened(SecurityEvent e, RuleCatalog rules, DateTimeOffset at)
    {
        if (e is not { CurrentValue: { } current, ToldMeasure: { } told } || at < e.WorsenedAt + Rest)
            return false;
        var rule = RuleOf(e.RuleId, rules);
        var step = rule.Badness(current) - rule.Badness(told);
        return !rule.IsAge && rule.Excess(current, e.ThresholdValue) >= WorsenedBy * rule.Excess(told, e.ThresholdValue)
            && step > 0 && step >= LeastStep * Math.Abs(e.ThresholdValue ?? told);
    }

    /// <summary>The event once people hear of it as it now is: they hear of its worst, too.</summary>
    public static SecurityEvent Told(SecurityEvent e) => e with { ToldMeasure = e.WorstValue ?? e.CurrentValue ?? e.ToldMeasure };

    private static bool IsWorse(SecurityEvent e, Finding finding, FindingMeasure? measure, RuleCatalog rules) =>
        measure is not null && (e.WorstValue is not { } worst ? !finding.IsHolding
            : RuleOf(e.RuleId, rules).IsWorse(measure.Value, than: worst)
                && (Math.Sign(measure.Value) == Math.Sign(worst) || (!finding.IsHolding && finding.Severity >= e.Severity)));

    // Findings in journals from before they carried it have the value among their evidence.
    private static FindingMeasure? MeasureOf(Finding finding, RuleCatalog rules) =>
        finding.Measure ?? rules.Find(finding.RuleId)?.Measure?.In(finding.Evidence, threshold: null);

    private static RuleMeasure RuleOf(string ruleId, RuleCatalog rules) => rules.Find(ruleId)?.Measure ?? Unknown;
}
