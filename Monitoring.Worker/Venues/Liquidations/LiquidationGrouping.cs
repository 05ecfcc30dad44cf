using Monitoring.Data.Venues;

namespace Monitoring.Worker.Venues.Liquidations;

/// <summary>
/// One liquidation: all fills of one user in one coin that belong to one transaction or, where the hash
/// says nothing, to one moment.
/// </summary>
internal sealed record Liquidation(
    string User, string Coin, string? Hash, DateTimeOffset At, LiquidationMethod Method, LiquidationSide Side,
    decimal Size, decimal NotionalUsd, int Fills)
{
    /// <summary>The mean price of its fills, weighted by size.</summary>
    public decimal Price => Size == 0 ? 0 : NotionalUsd / Size;
}

/// <summary>Puts fills together to liquidations: a pure function that does not depend on their order.</summary>
internal static class LiquidationGrouping
{
    /// <summary>The liquidations in order of time; each distinct fill counts once.</summary>
    public static IReadOnlyList<Liquidation> Group(IEnumerable<LiquidationFill> fills) =>
        [.. LiquidationMapping.Merge(fills)
            .GroupBy(fill => (fill.LiquidatedUser, fill.Coin, fill.Hash, At: fill.Hash is null ? fill.ObservedAt : default))
            .Select(group => new Liquidation(group.Key.LiquidatedUser, group.Key.Coin, group.Key.Hash, group.Min(fill => fill.ObservedAt),
                group.Max(fill => fill.Method), SideOf(group), group.Sum(fill => fill.Size),
                group.Sum(fill => fill.NotionalUsd), group.Count()))
            .OrderBy(one => one.At).ThenBy(one => one.Coin, StringComparer.Ordinal)
            .ThenBy(one => one.User, StringComparer.Ordinal).ThenBy(one => one.Hash, StringComparer.Ordinal)];

    private static LiquidationSide SideOf(IEnumerable<LiquidationFill> fills) =>
        fills.Sum(fill => fill.Side == LiquidationSide.Long ? fill.NotionalUsd : -fill.NotionalUsd) >= 0
            ? LiquidationSide.Long
            : LiquidationSide.Short;
}
