namespace Monitoring.Worker.Venues.Liquidations;

/// <summary>
/// How suspicious a pattern is, 0–100, as docs/rules.md gives the formulas; each part clamped and rounded to a hundredth.
/// </summary>
internal static class LiquidationScores
{
    public static decimal FlashLoan(decimal usd, decimal largestUsd) =>
        Round((usd > 5_000_000 ? 50 : usd > 2_000_000 ? 40 : usd > 1_000_000 ? 30 : 20 * usd / 500_000)
            + (largestUsd > 2_000_000 ? 30 : 0) + 20);

    public static decimal Cascade(int count, decimal usd, decimal impactPct) =>
        Round(Math.Min(30, 3 * count) + Math.Min(40, 40 * usd / 5_000_000) + Math.Min(30, 30 * Math.Abs(impactPct) / 5));

    public static decimal Coordinated(int count, decimal usd) => Round(Math.Min(50, 10 * count) + Math.Min(50, 50 * usd / 3_000_000));

    /// <summary>Half of it for the impact and half for the way back; exactly 50 at both thresholds, 2 % and one half.</summary>
    public static decimal Manipulation(decimal impactPct, decimal recoveredPct) =>
        Round(Math.Min(50, 50 * Math.Abs(impactPct) / 4) + Math.Min(50, 50 * recoveredPct / 100));

    /// <summary>Deleveraging is always an event; its size says how far above that.</summary>
    public static decimal Deleveraging(decimal usd) => Round(50 + Math.Min(50, 50 * usd / 5_000_000));

    private static decimal Round(decimal score) => decimal.Round(Math.Min(100, score), 2);
}
