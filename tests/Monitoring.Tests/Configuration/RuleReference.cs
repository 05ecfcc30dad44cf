using System.Text;
using Monitoring.Data.Configuration;
using Monitoring.Data.Rules;

namespace Monitoring.Tests.Configuration;

/// <summary>Writes docs/rules.md from the rule catalogue.</summary>
internal static class RuleReference
{
    public static string Write(RuleCatalog rules)
    {
        var text = new StringBuilder("""
            # Rules

            Written by the tests from the rule catalogue; `UPDATE_SNAPSHOTS=1 ./test Reference_lists_every_rule` writes it anew.

            A rule makes a finding of what a check measured. Thresholds are inclusive unless they say above; those with a setting can be
            changed by it, as docs/configuration.md says. A finding opens an event, or is seen again in the one that is open.
            Routes (`Notifications:Routes`) go by threat type.


            """);
        text.Append("| rule | title | severities | threat types |\n| --- | --- | --- | --- |\n");
        foreach (var rule in rules.All)
            text.Append($"| [{rule.Id}](#{rule.Id.Replace(".", "", StringComparison.Ordinal)}) | {rule.Title} | "
                + $"{Join(rule.Steps.Select(Severity))} | {Join(rule.Steps.Select(step => $"`{step.ThreatType}`"))} |\n");
        foreach (var rule in rules.All)
            Append(text, rule);
        return text.ToString();
    }

    private static void Append(StringBuilder text, Rule rule)
    {
        text.Append($"\n## {rule.Id}\n\n{rule.Title}. Version {rule.Version}, found by `{rule.Monitor}`. {Ends(rule.Lifetime)}\n\n");
        text.Append($"**Formula.** {Cell(rule.Formula)}\n\n| severity | threat type | when |\n| --- | --- | --- |\n");
        foreach (var step in rule.Steps)
            text.Append($"| {Severity(step)} | `{step.ThreatType}` | {Cell(step.When)} |\n");
        if (rule.Thresholds.Count > 0)
            text.Append("\n| threshold | default | setting | meaning |\n| --- | --- | --- | --- |\n");
        foreach (var threshold in rule.Thresholds)
            text.Append($"| {threshold.Name} | {Value(threshold)} | {(threshold.Setting is { } setting ? $"`{setting}`" : "fixed")} | "
                + $"{Cell(threshold.Meaning)} |\n");
        if (rule.Measure is { } measure)
            text.Append($"\n**Measure.** `{measure.Name}`{(measure.Unit.Length > 0 ? $" in {measure.Unit}" : "")}: {Worse(measure)}.\n");
        if (rule.Inhibits.Count > 0)
            text.Append($"\n**Speaks for.** While it is open, events of {Join(rule.Inhibits.Select(id => $"`{id}`"))} about what it covers "
                + "notify nobody.\n");
        text.Append($"\n**Source.** {Cell(rule.Source)}\n\n**What to do.** {Cell(rule.Advice)}\n");
    }

    private static string Ends(EventLifetime lifetime) => lifetime.Kind switch
    {
        LifetimeKind.Occurrence => $"Its event expires {lifetime.ExpiresAfter!.Value.TotalMinutes:0} min after the last finding.",
        LifetimeKind.Level => "Its event ends when the measure has fallen below a second, lower threshold for some clean checks in a row.",
        _ => "Its event ends after some clean checks in a row (`Events:ResolveAfter`).",
    };

    private static string Worse(RuleMeasure measure) => measure.Worse switch
    {
        _ when measure.IsAge => "it grows with time alone, so that nobody is notified of it",
        WorseWhen.Lower => "the lower, the worse",
        WorseWhen.Farther => "the farther from 0, the worse",
        _ => "the higher, the worse",
    };

    private static string Value(RuleThreshold threshold) =>
        threshold.Unit.Length == 0 ? $"{threshold.Default}" : $"{threshold.Default} {threshold.Unit}";

    private static string Severity(SeverityStep step) => SnakeCase.Of(step.Severity);

    private static string Join(IEnumerable<string> texts) => string.Join(", ", texts.Distinct());

    // What tables and emphasis would take for their own.
    private static string Cell(string text) =>
        text.Replace("|", "\\|", StringComparison.Ordinal).Replace("*", "\\*", StringComparison.Ordinal);
}
