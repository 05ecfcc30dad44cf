using System.Text;
using Monitoring.Api.Http;
using Monitoring.Api.Monitors;
using Monitoring.Data.Checks;
using Monitoring.Data.Database;

namespace Monitoring.Api.Badges;

/// <summary>The route of the small pictures that say how current a monitor is.</summary>
internal static class BadgeEndpoints
{
    private const string Svg = "image/svg+xml";
    private const int MaxNameLength = 40;
    private const int MaxAgeSeconds = 15;
    private const double CharacterWidth = 6.6;

    public static void MapBadges(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/badge/{monitor}.svg", GetBadge).WithName(nameof(GetBadge)).WithTags("Monitors")
            .WithParameters().WithMetadata(new NoDatabase()).Produces<string>(200, Svg).ProducesProblem(404);

    /// <summary>A badge with a monitor's freshness: fresh, late, stale, or no data where nothing is known of it.</summary>
    internal static async Task<IResult> GetBadge(
        string monitor, HttpResponse response, MonitorReader monitors, CancellationToken cancellationToken)
    {
        if (monitor.Length > MaxNameLength || !monitor.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_'))
            return TypedResults.Problem("No monitor has such a name.", statusCode: StatusCodes.Status404NotFound);
        response.Headers.CacheControl = $"max-age={MaxAgeSeconds}";
        return TypedResults.Text(
            Draw(monitor, await FindStateAsync(monitor, monitors, cancellationToken)), $"{Svg}; charset=utf-8", Encoding.UTF8);
    }

    private static async Task<Freshness?> FindStateAsync(string monitor, MonitorReader monitors, CancellationToken cancellationToken)
    {
        try
        {
            return await monitors.FindStateAsync(monitor, cancellationToken);
        }
        catch (Exception fault) when (DatabaseFaults.Covers(fault))
        {
            return null;
        }
    }

    private static string Draw(string monitor, Freshness? state)
    {
        var (text, colour) = state switch
        {
            Freshness.Fresh => ("fresh", "#17713c"),
            Freshness.Late => ("late", "#765600"),
            Freshness.Stale => ("stale", "#b4121f"),
            _ => ("no data", "#55606e"),
        };
        var (left, right) = (WidthOf(monitor), WidthOf(text));
        return string.Concat(
            $"""<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label="{monitor}: {text}">""",
            $"""<title>{monitor}: {text}</title><rect width="{left}" height="20" fill="#14181f"/>""",
            $"""<rect x="{left}" width="{right}" height="20" fill="{colour}"/>""",
            """<g fill="#fff" text-anchor="middle" font-family="Verdana,sans-serif" font-size="11">""",
            $"""<text x="{left / 2}" y="14">{monitor}</text><text x="{left + (right / 2)}" y="14">{text}</text></g></svg>""");
    }

    private static int WidthOf(string text) => (int)(text.Length * CharacterWidth) + 12;
}
