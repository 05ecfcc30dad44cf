using Monitoring.Data.Venues;
using Monitoring.Worker.Venues.Hyperliquid;

namespace Monitoring.Worker.Venues.HlpVault;

/// <summary>PnL since <paramref name="Since"/> in USD, and the account values at the two ends.</summary>
internal sealed record PnlWindow(decimal Pnl, DateTimeOffset Since, decimal StartValue, decimal EndValue)
{
    /// <summary>The larger of the two account values.</summary>
    public decimal Capital => Math.Max(StartValue, EndValue);

    /// <summary>PnL in percent of the capital; null where there is none.</summary>
    public decimal? PctOfCapital => Capital > 0 ? 100 * Pnl / Capital : null;

    /// <summary>What was withdrawn net of deposits, USD: what the account value lost that PnL does not explain.</summary>
    public decimal Withdrawn => Pnl - (EndValue - StartValue);

    /// <summary>That in percent of what was there at the start; null where less than a dollar was.</summary>
    public decimal? PctWithdrawn => StartValue >= 1 ? 100 * (Withdrawn / StartValue) : null;
}

/// <summary>The hour's PnL against those of earlier hours: z = (pnl − median) / (1.4826 · MAD).</summary>
internal sealed record HourlyDeviation(decimal ZScore, decimal Median, decimal Mad, int Samples, decimal CoveredHours);

/// <summary>The anomaly score's three parts, 0–40, 0–30 and 0–30. Volatility counts only with ten earlier values of the 24 h PnL.</summary>
internal sealed record AnomalyScore(decimal Loss, decimal Drawdown, decimal Volatility)
{
    /// <summary>0–100.</summary>
    public decimal Total => Loss + Drawdown + Volatility;
}

/// <summary>
/// Everything computed from a vault's series: our own points where they reach back far enough, the venue's before that.
/// All PnL is all-time PnL at one moment minus all-time PnL at another; no flow enters it.
/// </summary>
internal sealed record HlpVaultMeasures(
    VaultPoint Now, PnlWindow Pnl1h, PnlWindow Pnl24h, PnlWindow Pnl7d, PnlWindow Pnl30d,
    decimal DrawdownPct, decimal MaxDrawdownPct, decimal? SharpeRatio, HourlyDeviation? Hourly, AnomalyScore Anomaly)
{
    /// <summary>How far back drawdown, Sharpe ratio and z-score look.</summary>
    public static readonly TimeSpan Horizon = TimeSpan.FromDays(30);

    // A point of our own may lie this much before a window's start and still begin it.
    private static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(10);

    private const int MinSamples = 24;
    private const int MinHours = 100;
    private const int MaxHours = 720;

    /// <summary>
    /// Measures. <paramref name="own"/> is our own history in order of time, <paramref name="latestPnl24h"/> the ten
    /// newest 24 h PnLs before this check.
    /// </summary>
    public static HlpVaultMeasures Take(Portfolio venue, IReadOnlyList<VaultPoint> own, IReadOnlyList<decimal> latestPnl24h)
    {
        var now = new VaultPoint(venue.At, venue.AllTime.Last.AccountValue, venue.AllTime.Last.Pnl);
        var day = Rebase(venue.Day, now);
        var week = Rebase(venue.Week, now);
        var month = Rebase(venue.Month, now);

        PnlWindow Window(TimeSpan length, VaultPoint venueStart)
        {
            var start = FindOwn(own, now.At - length) ?? venueStart;
            return new PnlWindow(now.AllTimePnl - start.AllTimePnl, start.At, start.AccountValue, now.AccountValue);
        }

        var pnl1h = Window(TimeSpan.FromHours(1), Interpolate(day, now.At.AddHours(-1)));
        var pnl24h = Window(TimeSpan.FromHours(24), day[0]);
        var timeline = Merge(now.At - Horizon, own, month, week, day);
        var equity = new FlowAdjustedEquity(timeline);
        var (drawdown, maxDrawdown) = equity.Drawdown();
        return new HlpVaultMeasures(now, pnl1h, pnl24h,
            Window(TimeSpan.FromDays(7), week[0]), Window(TimeSpan.FromDays(30), month[0]),
            drawdown, maxDrawdown, equity.SharpeRatio(), CompareHour(timeline, pnl1h), Score(pnl24h.Pnl, drawdown, latestPnl24h));
    }

    /// <summary>
    /// Puts a period's PnL, which counts from its first point, on the level of the all-time series: both
    /// end at the same live point.
    /// </summary>
    private static List<VaultPoint> Rebase(PortfolioSeries series, VaultPoint now) =>
        [.. series.Points.Select(point => new VaultPoint(point.At, point.AccountValue, now.AllTimePnl - (series.Last.Pnl - point.Pnl)))];

    private static VaultPoint? FindOwn(IReadOnlyList<VaultPoint> own, DateTimeOffset at)
    {
        var index = LastAtOrBefore(own, at);
        return index >= 0 && at - own[index].At <= Tolerance ? own[index] : null;
    }

    // Between two samples of the venue PnL and account value are taken as straight lines. A series that begins later
    // belongs to a younger vault.
    private static VaultPoint Interpolate(List<VaultPoint> series, DateTimeOffset at)
    {
        var index = LastAtOrBefore(series, at);
        if (index < 0 || index == series.Count - 1)
            return series[Math.Max(index, 0)];
        var (left, right) = (series[index], series[index + 1]);
        var share = (decimal)(at - left.At).Ticks / (right.At - left.At).Ticks;
        return new VaultPoint(at,
            left.AccountValue + (share * (right.AccountValue - left.AccountValue)),
            left.AllTimePnl + (share * (right.AllTimePnl - left.AllTimePnl)));
    }

    private static int LastAtOrBefore(IReadOnlyList<VaultPoint> points, DateTimeOffset at)
    {
        var (low, high) = (0, points.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (points[middle].At <= at)
                low = middle + 1;
            else
                high = middle;
        }

        return low - 1;
    }

    private static List<VaultPoint> Merge(DateTimeOffset since, params IEnumerable<VaultPoint>[] series) =>
        [.. series.SelectMany(points => points).Where(point => point.At >= since).DistinctBy(point => point.At).OrderBy(point => point.At)];

    // Steps of at least an hour, from an hour ago backwards. The venue's samples lie further apart than an hour; under a
    // random walk the deviation grows with the root of time, so a longer step is brought to one hour by √(1 h / step).
    private static HourlyDeviation? CompareHour(List<VaultPoint> timeline, PnlWindow hour)
    {
        var changes = new List<decimal>();
        var covered = 0m;
        VaultPoint? later = null;
        for (var i = timeline.Count - 1; i >= 0 && covered < MaxHours; i--)
        {
            var point = timeline[i];
            if (point.At > hour.Since)
                continue;
            if (later is null)
            {
                later = point;
                continue;
            }

            var hours = (decimal)(later.At - point.At).TotalHours;
            if (hours < 0.95m)
                continue;
            changes.Add((later.AllTimePnl - point.AllTimePnl) * (decimal)Math.Sqrt(1 / Math.Max(1, (double)hours)));
            covered += hours;
            later = point;
        }

        if (changes.Count < MinSamples || covered < MinHours)
            return null;
        var median = Median(changes);
        var mad = Median([.. changes.Select(change => Math.Abs(change - median))]);
        return mad == 0 ? null : new HourlyDeviation(
            decimal.Round((hour.Pnl - median) / (1.4826m * mad), 4), median, mad, changes.Count, decimal.Round(covered, 1));
    }

    private static decimal Median(List<decimal> values)
    {
        values.Sort();
        var middle = values.Count / 2;
        return values.Count % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    }

    private static AnomalyScore Score(decimal pnl24h, decimal drawdownPct, IReadOnlyList<decimal> latestPnl24h)
    {
        var loss = Math.Clamp(40 * -pnl24h / 2_000_000, 0, 40);
        var drawdown = Math.Clamp(30 * drawdownPct / 10, 0, 30);
        var volatility = 0m;
        if (latestPnl24h.Count >= 10 && pnl24h != 0)
        {
            var mean = latestPnl24h.Take(10).Average(Math.Abs);
            volatility = mean == 0 ? 30 : Math.Clamp(30 * Math.Abs(pnl24h) / (2 * mean), 0, 30);
        }

        return new AnomalyScore(decimal.Round(loss, 4), decimal.Round(drawdown, 4), decimal.Round(volatility, 4));
    }
}
