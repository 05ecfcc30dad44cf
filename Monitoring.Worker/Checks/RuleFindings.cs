using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Monitoring.Data.Events;
using Monitoring.Data.Rules;

namespace Monitoring.Worker.Checks;

/// <summary>Makes findings of the catalogue's rules: id, version and threat type stand there and nowhere else.</summary>
internal static class RuleFindings
{
    /// <summary>
    /// A finding of this rule at this severity. Its measure is read from its evidence; <paramref name="threshold"/> is what the severity
    /// asks of it.
    /// </summary>
    public static Finding Find(
        this Rule rule, Severity severity, EventSubject subject, string title, string description, Evidence evidence,
        IReadOnlyList<string>? related = null, decimal? estimatedLossUsd = null, decimal? threshold = null) =>
        new(rule.Id, rule.Version, rule.ThreatOf(severity), severity, subject, title, description, evidence,
            related ?? [], estimatedLossUsd)
        {
            Measure = rule.Measure?.In(evidence, threshold),
        };

    /// <summary>The measure's value in this evidence; null where it is not there.</summary>
    public static FindingMeasure? In(this RuleMeasure measure, Evidence evidence, decimal? threshold) =>
        evidence.Values[measure.Name] is JsonValue value && value.GetValueKind() == JsonValueKind.Number
        && decimal.TryParse(value.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? new FindingMeasure(measure.Name, number, measure.Unit, threshold) : null;

    /// <summary>
    /// The fingerprint of this rule's finding about a subject; a subject that ends with <c>*</c> means all that begin like it.
    /// </summary>
    public static string FingerprintOf(this Rule rule, string subject) => Finding.FingerprintOf(rule.Id, subject);

    /// <summary>Whether the catalogue has this finding's rule, in this version and with this threat type at this severity.</summary>
    public static bool IsIn(this Finding finding, RuleCatalog rules) =>
        rules.Find(finding.RuleId) is { } rule && rule.Version == finding.RuleVersion
        && rule.Steps.Any(step => step.Severity == finding.Severity && step.ThreatType == finding.ThreatType);
}
