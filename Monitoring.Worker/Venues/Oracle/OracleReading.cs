using Monitoring.Worker.Venues.Oracle.Sources;

namespace Monitoring.Worker.Venues.Oracle;

/// <summary>A fresh reference: its price of one unit of the venue, in the quote of the oracle.</summary>
internal sealed record Reference(string Source, QuoteCurrency Quote, decimal Price);

/// <summary>
/// An asset's oracle price and what it can be held against. <paramref name="UsdPrice"/> is the median of the USD sources before
/// conversion, null without any; <paramref name="LeftOut"/> names the references that cannot be used, each with the reason.
/// </summary>
internal sealed record OracleReading(
    string Asset, DateTimeOffset At, decimal OraclePrice, decimal MarkPrice, bool IsLiquid,
    IReadOnlyList<Reference> References, decimal? UsdPrice, IReadOnlyList<string> LeftOut)
{
    private const string RefusedEnd = $": {ReferenceSelection.Refused}";

    /// <summary>The sources whose price is so far from the oracle's that they are taken to mean another asset.</summary>
    public IEnumerable<string> Refused =>
        LeftOut.Where(text => text.EndsWith(RefusedEnd, StringComparison.Ordinal)).Select(text => text[..^RefusedEnd.Length]);
}

/// <summary>
/// An asset's past, as far as its judgement needs it: since when it is in breach, and below what a deviation is ordinary for it.
/// </summary>
internal sealed record AssetPast(DateTimeOffset? BreachedSince, decimal? FloorPct)
{
    public static readonly AssetPast Unknown = new(null, null);
}

/// <summary>The middle of some numbers.</summary>
internal static class Median
{
    /// <summary>The middle value, or the mean of the two; null of nothing.</summary>
    public static decimal? Of(IEnumerable<decimal> values)
    {
        var sorted = values.Order().ToList();
        var middle = sorted.Count / 2;
        return sorted.Count == 0 ? null : sorted.Count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
