using System.Text.Json.Nodes;
using Monitoring.Data.Venues;

namespace Monitoring.Worker.Venues.Liquidations;

/// <summary>Says of a pattern that there was more than could be read.</summary>
internal static class PatternGaps
{
    private const int MostNamed = 10;

    /// <summary>The patterns; those with a gap in their span carry it among their indicators.</summary>
    public static IReadOnlyList<LiquidationPattern> Mark(IEnumerable<LiquidationPattern> patterns, IReadOnlyCollection<AccountGap> gaps) =>
        [.. patterns.Select(pattern => gaps.Where(gap => gap.From <= pattern.EndTime && gap.Until >= pattern.StartTime)
            .ToList() is { Count: > 0 } within ? Mark(pattern, within) : pattern)];

    /// <summary>A line for each gap that a pattern's indicators carry.</summary>
    public static IEnumerable<string> Lines(JsonObject indicators) => indicators["gaps"] is JsonArray gaps
        ? gaps.Select(gap => $"incomplete: fills of {gap!["account"]} from {gap["from"]} to {gap["until"]} could not all be had, "
            + "so there was more than was counted")
        : [];

    private static LiquidationPattern Mark(LiquidationPattern pattern, List<AccountGap> gaps)
    {
        var indicators = JsonNode.Parse(pattern.Indicators)!.AsObject();
        indicators["incomplete"] = true;
        indicators["gaps"] = new JsonArray([.. gaps.OrderBy(gap => gap.From)
            .ThenBy(gap => gap.Account, StringComparer.Ordinal)
            .Take(MostNamed)
            .Select(gap => new JsonObject
            {
                ["account"] = gap.Account, ["from"] = LiquidationRules.Utc(gap.From), ["until"] = LiquidationRules.Utc(gap.Until),
            })]);
        return pattern with { Indicators = indicators.ToJsonString() };
    }
}
