using Monitoring.Data.Venues;

namespace Monitoring.Worker.Venues.Liquidations;

/// <summary>Cascades and deleveragings of many coins at once, by time.</summary>
internal sealed record MarketRun(IReadOnlyList<LiquidationPattern> Patterns)
{
    /// <summary>The coins, those with most liquidated first.</summary>
    public IReadOnlyList<(string Coin, decimal Usd)> Coins { get; } =
        [.. Patterns.GroupBy(pattern => pattern.Subject).Select(coin => (coin.Key, coin.Sum(pattern => pattern.TotalLiquidatedUsd)))
            .OrderByDescending(coin => coin.Item2).ThenBy(coin => coin.Key, StringComparer.Ordinal)];

    public DateTimeOffset StartTime => Patterns.Min(pattern => pattern.StartTime);

    public DateTimeOffset EndTime => Patterns.Max(pattern => pattern.EndTime);

    /// <summary>Whether enough of its coins were in cascade or deleveraging in the window that ends at a moment.</summary>
    public bool IsOnAt(DateTimeOffset at, LiquidationThresholds limits) =>
        Patterns.Where(pattern => pattern.StartTime <= at && pattern.EndTime >= at - limits.MarketWideWindow)
            .Select(pattern => pattern.Subject).Distinct().Count() >= limits.MarketWideCoins;
}

/// <summary>Finds where liquidations go through the whole market: pure, and the same for any order of its input.</summary>
internal static class MarketRuns
{
    /// <summary>
    /// Every window that ends where a coin's cascade or deleveraging begins, and in which enough coins were in one at some moment; windows
    /// that share one are one run. A coin counts once, and only with what is an event of its own.
    /// </summary>
    public static IReadOnlyList<MarketRun> Find(IEnumerable<LiquidationPattern> patterns, LiquidationThresholds limits)
    {
        var inOrder = patterns.Where(pattern => IsPart(pattern, limits))
            .OrderBy(pattern => pattern.StartTime).ThenBy(pattern => pattern.PatternId, StringComparer.Ordinal).ToList();
        var runs = new List<List<LiquidationPattern>>();
        foreach (var last in inOrder)
        {
            var within = inOrder.Where(pattern => pattern.StartTime <= last.StartTime
                && pattern.EndTime >= last.StartTime - limits.MarketWideWindow).ToList();
            if (within.Select(pattern => pattern.Subject).Distinct().Count() < limits.MarketWideCoins)
                continue;
            if (runs.Count > 0 && runs[^1].Intersect(within).Any())
                runs[^1] = [.. runs[^1].Union(within)];
            else
                runs.Add(within);
        }

        return [.. runs.Select(run => new MarketRun(run))];
    }

    /// <summary>
    /// Those runs of the found patterns that a check has news of: that were none before, or that went on with its <paramref name="fresh"/>
    /// fills. The last coins of a run may go on for long; then they are no longer the whole market.
    /// </summary>
    public static IReadOnlyList<MarketRun> FindNews(
        IReadOnlyList<LiquidationPattern> found, IReadOnlyList<LiquidationPattern> known, IReadOnlyCollection<LiquidationPattern> news,
        IReadOnlyList<LiquidationFill> fresh, LiquidationThresholds limits)
    {
        var before = Find(known, limits).SelectMany(run => run.Patterns).Select(pattern => pattern.PatternId).ToHashSet();
        return [.. Find(found, limits).Where(run => run.Patterns.Any(news.Contains)
            && (!run.Patterns.Any(pattern => before.Contains(pattern.PatternId))
                || fresh.Any(fill => run.Patterns.Any(pattern => LiquidationSearch.IsPart(fill, pattern))
                    && run.IsOnAt(fill.ObservedAt, limits))))];
    }

    private static bool IsPart(LiquidationPattern pattern, LiquidationThresholds limits) =>
        pattern.PatternType is LiquidationPatternType.Cascade or LiquidationPatternType.Adl
        && LiquidationRules.SeverityOf(pattern, limits) is not null;
}
