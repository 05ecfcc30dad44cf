using Monitoring.Worker.Venues.Hyperliquid;
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
    /// <summary>So many digits of a price are stored.</summary>
    public const int PriceDigits = 12;

    private const string RefusedEnd = $": {ReferenceSelection.Refused}";

    /// <summary>Whether the oracle's price is one that nothing has, so that no reference is needed to call it wrong.</summary>
    public bool HasImpossiblePrice => IsImpossible(OraclePrice);

    /// <summary>Whether a price is 0 or below, or 0 to as many digits as are stored.</summary>
    public static bool IsImpossible(decimal price) => decimal.Round(price, PriceDigits, MidpointRounding.AwayFromZero) <= 0;

    /// <summary>Of markets that are held against nothing, those whose price needs no reference to be called wrong.</summary>
    public static IEnumerable<OracleReading> ImpossibleAmong(
        IEnumerable<KeyValuePair<string, AssetContext>> markets, DateTimeOffset at) =>
        markets.Where(market => IsImpossible(market.Value.OraclePx)).OrderBy(market => market.Key, StringComparer.Ordinal)
            .Select(market => new OracleReading(
                market.Key, at, market.Value.OraclePx, market.Value.MarkPx, IsLiquid: false, [], UsdPrice: null, []));

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
