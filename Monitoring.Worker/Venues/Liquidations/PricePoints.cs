namespace Monitoring.Worker.Venues.Liquidations;

/// <summary>
/// The price that liquidations of one moment were made at, and those liquidations; what shares a moment has no
/// order, so it makes one point.
/// </summary>
internal sealed record PricePoint(DateTimeOffset At, decimal Price, IReadOnlyList<Liquidation> Liquidations);

/// <summary>A mark price that a check saw.</summary>
internal sealed record PriceSample(string Coin, DateTimeOffset At, decimal Price);

/// <summary>Liquidations of one coin as a line of prices.</summary>
internal static class PricePoints
{
    /// <summary>The points in order of time.</summary>
    public static IReadOnlyList<PricePoint> Of(IEnumerable<Liquidation> ofOneCoin) =>
        [.. ofOneCoin.Where(one => one.Size > 0).GroupBy(one => one.At).OrderBy(moment => moment.Key)
            .Select(moment => new PricePoint(moment.Key, moment.Sum(one => one.NotionalUsd) / moment.Sum(one => one.Size), [.. moment]))];

    /// <summary>The signed change from the first point to another, percent.</summary>
    public static decimal ImpactPct(decimal first, decimal last) => first == 0 ? 0 : decimal.Round(100 * (last - first) / first, 6);

    /// <summary>Ranges of indexes that overlap, put together; given by ascending end.</summary>
    public static IReadOnlyList<(int From, int To)> Merge(IEnumerable<(int From, int To)> windows)
    {
        var merged = new List<(int From, int To)>();
        foreach (var window in windows)
        {
            var next = window;
            while (merged.Count > 0 && merged[^1].To >= next.From)
            {
                next = (Math.Min(merged[^1].From, next.From), Math.Max(merged[^1].To, next.To));
                merged.RemoveAt(merged.Count - 1);
            }

            merged.Add(next);
        }

        return merged;
    }

    /// <summary>Points without a longer pause than this between two of them.</summary>
    public static IEnumerable<IReadOnlyList<PricePoint>> Split(IReadOnlyList<PricePoint> points, TimeSpan pause)
    {
        var run = new List<PricePoint>();
        foreach (var point in points)
        {
            if (run.Count > 0 && point.At - run[^1].At > pause)
            {
                yield return run;
                run = [];
            }

            run.Add(point);
        }

        if (run.Count > 0)
            yield return run;
    }
}
