using Monitoring.Data.Venues;
using Monitoring.Worker.Venues.HlpVault;
using Monitoring.Worker.Venues.Hyperliquid;

namespace Monitoring.Tests.Venues;

/// <summary>Made-up vaults for tests of rules and records.</summary>
internal static class Sample
{
    public const string Vault = "0xdfc24b077bc1425ad1dea75bcb6f8158e10df303";

    /// <summary>
    /// A portfolio whose PnL is given by hours before now; the account value is capital plus PnL, unless flows are given too.
    /// </summary>
    public static Portfolio Portfolio(
        DateTimeOffset now, decimal capital, Func<double, decimal> pnlHoursAgo, Func<double, decimal>? flowHoursAgo = null)
    {
        PortfolioSeries Series(double hours, double step)
        {
            var ages = new List<double>();
            for (var age = hours; age > 0; age -= step)
                ages.Add(age);
            ages.Add(0);
            return new PortfolioSeries([.. ages.Select(age => new PortfolioPoint(now.AddHours(-age),
                capital + pnlHoursAgo(age) + (flowHoursAgo?.Invoke(age) ?? 0), pnlHoursAgo(age) - pnlHoursAgo(hours)))]);
        }

        return new Portfolio(Series(24, 1.0 / 3), Series(24 * 7, 2.8), Series(24 * 30, 24), Series(24 * 600, 24 * 7));
    }

    /// <summary>Measures with nothing remarkable but what a test puts in.</summary>
    public static HlpVaultMeasures Measures(
        decimal pnl1h = 0, decimal pnl24h = 0, decimal capital = 100_000_000, decimal drawdownPct = 0,
        decimal? z = null, AnomalyScore? score = null)
    {
        var now = ManualClock.Noon;
        PnlWindow Window(decimal pnl, double hours) => new(pnl, now.AddHours(-hours), capital, capital + pnl); // without flows
        return new HlpVaultMeasures(new VaultPoint(now, capital, 0),
            Window(pnl1h, 1), Window(pnl24h, 24), Window(0, 24 * 7), Window(0, 24 * 30),
            drawdownPct, drawdownPct, SharpeRatio: null,
            z is { } value ? new HourlyDeviation(value, 0, 1, 100, 100) : null, score ?? new AnomalyScore(0, 0, 0));
    }

    public static HlpVaultSnapshot Snapshot(HlpVaultMeasures measures, params string[] healthIssues) =>
        Snapshot(measures.Now.At, measures, healthIssues);

    public static HlpVaultSnapshot Snapshot(DateTimeOffset observedAt, HlpVaultMeasures measures, params string[] healthIssues) => new(
        Vault, observedAt, measures.Now.At, measures.Now.AccountValue, measures.Now.AccountValue, measures.Pnl1h.Pnl,
        measures.Pnl24h.Pnl, measures.Pnl7d.Pnl, measures.Pnl30d.Pnl, measures.Now.AllTimePnl, measures.SharpeRatio,
        measures.DrawdownPct, measures.MaxDrawdownPct, measures.Hourly?.ZScore,
        measures.Anomaly.Loss, measures.Anomaly.Drawdown, measures.Anomaly.Volatility, measures.Anomaly.Total,
        healthIssues.Length == 0, healthIssues);
}
