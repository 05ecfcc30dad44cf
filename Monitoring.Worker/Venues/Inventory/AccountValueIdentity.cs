using Monitoring.Worker.Venues.Hyperliquid;

namespace Monitoring.Worker.Venues.Inventory;

/// <summary>
/// A check of the venue's data: the change of a vault's account value is the change of its PnL plus the flows, which
/// the venue's ledger tells. Within one answer, whose flows nobody tells, what the venue says twice is compared.
/// </summary>
internal static class AccountValueIdentity
{
    /// <summary>Figures of the venue that differ by no more than this are the same, USD.</summary>
    public const decimal ToleranceUsd = 1;

    /// <summary>
    /// What is left of the change of account value between two points once PnL and flows are taken away; 0 when the identity holds.
    /// </summary>
    public static decimal Residual(PortfolioPoint from, PortfolioPoint to, decimal flows) =>
        to.AccountValue - from.AccountValue - (to.Pnl - from.Pnl) - flows;

    /// <summary>
    /// What a ledger says flowed into a vault after one moment and up to another; null where it has updates
    /// that are not known to us.
    /// </summary>
    public static decimal? SumFlows(IEnumerable<LedgerUpdate> ledger, string vault, DateTimeOffset after, DateTimeOffset until)
    {
        decimal? sum = 0;
        foreach (var update in ledger.Where(update => update.At > after && update.At <= until))
            sum += update.FlowTo(vault);
        return sum;
    }

    /// <summary>
    /// Compares the periods of one answer: the live point must be the same in all, and between two moments that two
    /// periods share both must leave the same amount to flows. One line per contradiction.
    /// </summary>
    public static IReadOnlyList<string> FindContradictions(Portfolio portfolio)
    {
        var periods = new[]
        {
            ("day", portfolio.Day), ("week", portfolio.Week), ("month", portfolio.Month), ("allTime", portfolio.AllTime),
        };
        var faults = new List<string>();
        for (var i = 0; i < periods.Length; i++)
            for (var j = i + 1; j < periods.Length; j++)
                faults.AddRange(Compare(periods[i], periods[j]));
        return faults;
    }

    private static IEnumerable<string> Compare((string Name, PortfolioSeries Series) a, (string Name, PortfolioSeries Series) b)
    {
        if (a.Series.Last.At != b.Series.Last.At || Math.Abs(a.Series.Last.AccountValue - b.Series.Last.AccountValue) > ToleranceUsd)
        {
            yield return $"the live point of {a.Name} is {Show(a.Series.Last)}, that of {b.Name} {Show(b.Series.Last)}";
            yield break;
        }

        var others = b.Series.Points.DistinctBy(point => point.At).ToDictionary(point => point.At);
        foreach (var point in a.Series.Points)
        {
            if (!others.TryGetValue(point.At, out var other))
                continue;
            var difference = Residual(point, a.Series.Last, flows: 0) - Residual(other, b.Series.Last, flows: 0);
            if (Math.Abs(difference) <= ToleranceUsd)
                continue;
            yield return $"since {point.At:yyyy-MM-dd HH:mm:ss}Z {a.Name} and {b.Name} leave amounts to flows that "
                + $"differ by {difference:0.00} USD";
            yield break; // one line for two periods says it
        }
    }

    private static string Show(PortfolioPoint point) => $"{point.AccountValue:0.00} USD at {point.At:yyyy-MM-dd HH:mm:ss}Z";
}
