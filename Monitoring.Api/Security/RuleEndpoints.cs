using Monitoring.Api.Http;
using Monitoring.Api.Runbook;
using Monitoring.Data.Events;
using Monitoring.Data.Rules;

namespace Monitoring.Api.Security;

/// <summary>
/// A threshold of a rule: its default and its unit (USD, %, points, s, h, x, or none), and the setting that changes it; null where it is
/// fixed. What a worker has set it to stands in the explanation of each event.
/// </summary>
public sealed record ThresholdView(string Name, decimal Default, string Unit, string? Setting, string Meaning);

/// <summary>One severity of a rule: when it holds, and the threat type that it reports.</summary>
public sealed record SeverityStepView(Severity Severity, string ThreatType, string When);

/// <summary>
/// A rule of the catalogue. <c>lifetime</c> says how its events end, an occurrence <c>expires_after_seconds</c> after the newest finding;
/// <c>measure</c> is the value of its evidence that says how bad it is; <c>inhibits</c> are the rules whose events it speaks for;
/// <c>runbook</c> is where its entry is, relative to the address of the page.
/// </summary>
public sealed record CatalogueRuleView(
    string Id, int Version, string Title, string Monitor, IReadOnlyList<string> ThreatTypes, IReadOnlyList<SeverityStepView> Severities,
    IReadOnlyList<ThresholdView> Thresholds, LifetimeKind Lifetime, double? ExpiresAfterSeconds, string? Measure,
    IReadOnlyList<string> Inhibits, string Formula, string Source, string Advice, string? Runbook)
{
    internal static CatalogueRuleView Of(Rule rule) => new(
        rule.Id, rule.Version, rule.Title, rule.Monitor, [.. rule.Steps.Select(step => step.ThreatType).Distinct()],
        [.. rule.Steps.Select(step => new SeverityStepView(step.Severity, step.ThreatType, step.When))],
        [.. rule.Thresholds.Select(one => new ThresholdView(one.Name, one.Default, one.Unit, one.Setting, one.Meaning))],
        rule.Lifetime.Kind, rule.Lifetime.ExpiresAfter?.TotalSeconds, rule.Measure?.Name, rule.Inhibits, rule.Formula, rule.Source,
        rule.Advice, RunbookEndpoints.FindAddress(rule.Id));
}

/// <summary>All rules.</summary>
public sealed record CatalogueRulePage(IReadOnlyList<CatalogueRuleView> Rules) : Page<CatalogueRuleView>(Rules, null);

/// <summary>The route of the rule catalogue.</summary>
internal static class RuleEndpoints
{
    public static void MapRules(this IEndpointRouteBuilder routes) =>
        PageResult<CatalogueRulePage, CatalogueRuleView>.Describe(routes.MapGet("/security/rules", ListRules).WithName(nameof(ListRules))
            .WithTags("Security events").WithParameters().WithMetadata(new NoDatabase()));

    /// <summary>Every rule, by id: what it measures, its thresholds and severities, how its events end, and what to do.</summary>
    internal static IResult ListRules(RuleCatalog rules) =>
        new PageResult<CatalogueRulePage, CatalogueRuleView>(new CatalogueRulePage([.. rules.All.Select(CatalogueRuleView.Of)]));
}
