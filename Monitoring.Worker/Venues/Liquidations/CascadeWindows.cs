namespace Monitoring.Worker.Venues.Liquidations;

/// <summary>Finds the stretches of one coin's liquidations that are a cascade.</summary>
internal static class CascadeWindows
{
    /// <summary>
    /// Every window that ends at some point, reaches back as far as the rule looks, has enough victims and enough of its
    /// price steps in one direction; those that overlap are one. Liquidations at one and the same price are no cascade.
    /// </summary>
    public static IReadOnlyList<(int From, int To)> Find(IReadOnlyList<PricePoint> points, LiquidationThresholds limits)
    {
        var windows = new List<(int From, int To)>();
        var victims = new Dictionary<string, int>();
        var (from, ups, downs) = (0, 0, 0);
        for (var to = 0; to < points.Count; to++)
        {
            foreach (var one in points[to].Liquidations)
                victims[one.User] = victims.GetValueOrDefault(one.User) + 1;
            if (to > from)
                Count(points, to, +1, ref ups, ref downs);
            for (; points[to].At - points[from].At > limits.CascadeWindow; from++)
            {
                foreach (var one in points[from].Liquidations)
                    if (--victims[one.User] == 0)
                        victims.Remove(one.User);
                Count(points, from + 1, -1, ref ups, ref downs);
            }

            if (victims.Count >= limits.CascadeVictims && ups + downs > 0
                && 100m * Math.Max(ups, downs) >= limits.CascadeDirectionPct * (ups + downs))
                windows.Add((from, to));
        }

        return PricePoints.Merge(windows);
    }

    /// <summary>Steps up and steps down between the points of a range.</summary>
    public static (int Ups, int Downs) Steps(IReadOnlyList<PricePoint> points, int from, int to)
    {
        var (ups, downs) = (0, 0);
        for (var i = from + 1; i <= to; i++)
            Count(points, i, +1, ref ups, ref downs);
        return (ups, downs);
    }

    private static void Count(IReadOnlyList<PricePoint> points, int to, int by, ref int ups, ref int downs)
    {
        ups += points[to].Price > points[to - 1].Price ? by : 0;
        downs += points[to].Price < points[to - 1].Price ? by : 0;
    }
}
