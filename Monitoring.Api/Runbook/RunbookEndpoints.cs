using System.Text;
using Monitoring.Api.Http;
using Monitoring.Data.Subjects;

namespace Monitoring.Api.Runbook;

/// <summary>The route of the runbook, and where the entry of a rule is.</summary>
internal static class RunbookEndpoints
{
    private const string Address = "docs/runbook";

    public static void MapRunbook(this IEndpointRouteBuilder routes) =>
        routes.MapGet($"/{Address}", GetRunbook).WithName(nameof(GetRunbook)).ExcludeFromDescription() // a page, as / and /docs/ are
            .WithMetadata(new NoDatabase(), new AlwaysServed());

    /// <summary>
    /// Where a rule's entry is, relative to the address that people reach the page at; null for a rule that this version does not have.
    /// </summary>
    public static string? FindAddress(string ruleId) => DataSubjects.Rules.Find(ruleId) is null ? null : $"{Address}#{ruleId}";

    /// <summary>The runbook as a page: an entry per rule, and one per way in which a program ends.</summary>
    internal static IResult GetRunbook(HttpRequest request, RunbookPage page) =>
        request.Path.Value!.EndsWith('/') ? TypedResults.Redirect("../runbook") // or what it names relatively would not be found
            : TypedResults.Text(page.Html, "text/html; charset=utf-8", Encoding.UTF8);
}
