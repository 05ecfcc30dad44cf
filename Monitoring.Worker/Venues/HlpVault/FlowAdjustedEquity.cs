using Monitoring.Data.Venues;

namespace Monitoring.Worker.Venues.HlpVault;

/// <summary>
/// A vault's equity with deposits and withdrawals taken out: an index that starts at 1 and moves by each step's PnL over the larger
/// of the account values at the step's two ends (the time-weighted return), so that a flow of any size leaves it where it is.
/// </summary>
internal sealed class FlowAdjustedEquity
{
    // A decimal holds no more when it is multiplied; no vault grows so.
    private const decimal Most = 1_000_000_000;

    private readonly List<(DateTimeOffset At, decimal Index)> _points;

    /// <summary>Takes points in order of time; at least one.</summary>
    public FlowAdjustedEquity(IReadOnlyList<VaultPoint> timeline)
    {
        _points = new(timeline.Count) { (timeline[0].At, 1m) };
        for (var i = 1; i < timeline.Count; i++)
        {
            var capital = Math.Max(timeline[i - 1].AccountValue, timeline[i].AccountValue);
            // Without capital a return has no meaning; the vault's health names that case.
            var step = capital > 0 ? (timeline[i].AllTimePnl - timeline[i - 1].AllTimePnl) / capital : 0;
            _points.Add((timeline[i].At, Math.Clamp(decimal.Round(_points[^1].Index * (1 + Math.Min(step, Most)), 18), 0, Most)));
        }
    }

    /// <summary>
    /// The present fall from the highest point, and the largest fall from any earlier high, both in percent from 0 to 100.
    /// </summary>
    public (decimal PresentPct, decimal MaxPct) Drawdown()
    {
        decimal peak = 0, fall = 0, largest = 0;
        foreach (var (_, index) in _points)
        {
            peak = Math.Max(peak, index);
            fall = peak > 0 ? 100 * (peak - index) / peak : 0;
            largest = Math.Max(largest, fall);
        }

        return (fall, largest);
    }

    /// <summary>
    /// Sharpe ratio of the daily returns up to now, a year having 365 of them and cash earning nothing: mean / standard deviation · √365.
    /// Null with less than seven days or without any variation.
    /// </summary>
    public decimal? SharpeRatio()
    {
        var returns = new List<double>();
        for (var day = _points[^1].At; day.AddDays(-1) >= _points[0].At; day = day.AddDays(-1))
            if (IndexAt(day.AddDays(-1)) is > 0 and var before)
                returns.Add((double)((IndexAt(day) / before) - 1));
        if (returns.Count < 7)
            return null;

        var mean = returns.Average();
        var deviation = Math.Sqrt(returns.Sum(r => (r - mean) * (r - mean)) / (returns.Count - 1));
        return deviation > 1e-12 ? decimal.Round((decimal)Math.Clamp(mean / deviation * Math.Sqrt(365), -1e6, 1e6), 4) : null;
    }

    private decimal IndexAt(DateTimeOffset at)
    {
        var after = _points.BinarySearch((at, 0), Comparer<(DateTimeOffset At, decimal Index)>.Create((a, b) => a.At.CompareTo(b.At)));
        if (after >= 0)
            return _points[after].Index;
        var (left, right) = (_points[~after - 1], _points[~after]);
        return left.Index + ((right.Index - left.Index) * (at - left.At).Ticks / (right.At - left.At).Ticks);
    }
}
