using Monitoring.Api.Dashboard;
using Monitoring.Data.Database;
using Monitoring.Data.Venues;

namespace Monitoring.Api.Venues;

/// <summary>
/// The liquidations of one method, added up. <c>is_complete</c> says whether the HLP vaults' fills show all of this kind.
/// </summary>
public sealed record LiquidationMethodSum(LiquidationMethod Method, long Fills, long Liquidations, long AffectedUsers, decimal NotionalUsd,
    bool IsComplete);

/// <summary>
/// The accounts through which liquidations are seen, when they were last read, and how often fills were gone before they could be.
/// </summary>
public sealed record LiquidationCoverageView(int Accounts, DateTimeOffset? LastCheckAt, long Gaps, string Note);

/// <summary>The last 24 hours of liquidations and the newest patterns.</summary>
public sealed record LiquidationSummary(
    int Hours, decimal NotionalUsd, IReadOnlyList<LiquidationMethodSum> ByMethod, IReadOnlyList<LiquidationPatternView> Patterns,
        LiquidationCoverageView Coverage);

/// <summary>The dashboard's part about liquidations.</summary>
internal sealed class LiquidationDashboard : IDashboardPart
{
    private const string Monitor = "liquidations";
    private const int NewestPatterns = 5;
    private const string Note =
        "The venue has no feed of all liquidations. Backstop liquidations and deleveraging against the HLP vaults are complete; "
        + "market liquidations are "
        + "those in which an HLP vault or a watched account took part, a sample of all.";

    private static readonly TimeSpan Window = TimeSpan.FromHours(24);

    /// <inheritdoc/>
    public IReadOnlyList<DashboardSection> Sections { get; } = [new("liquidations", typeof(LiquidationSummary))];

    /// <inheritdoc/>
    public Func<TimedRows<ShowShare>> Ask(DatabaseBatch batch, DateTimeOffset now)
    {
        var sums = Liquidations.SumSince(batch, now - Window);
        var oldest = Liquidations.FindOldest(batch, now - Window);
        var newest = LiquidationPatterns.ListNewest(batch, now, NewestPatterns);
        var accounts = LiquidationSources.List(batch);
        return () =>
        {
            var summary = new LiquidationSummary((int)Window.TotalHours, sums.Rows.Sum(sum => sum.NotionalUsd),
                [.. Enum.GetValues<LiquidationMethod>().Select(method =>
                    ToView(method, sums.Rows.FirstOrDefault(sum => sum.Method == method)))],
                [.. newest.Rows.Select(LiquidationPatternView.Of)],
                new LiquidationCoverageView(accounts.Rows.Count, null, accounts.Rows.Sum(account => account.Gaps), Note));
            return new TimedRows<ShowShare>(
                (_, monitors) => new DashboardShare([summary with
                {
                    Coverage = summary.Coverage with { LastCheckAt = monitors.FirstOrDefault(monitor =>
                        monitor.Name == Monitor)?.LastSuccessAt },
                }], []),
                Edge.Earliest(oldest.Only?.At + Window));
        };
    }

    private static LiquidationMethodSum ToView(LiquidationMethod method, LiquidationSum? sum) =>
        new(method, sum?.Fills ?? 0, sum?.Liquidations ?? 0, sum?.AffectedUsers ?? 0, sum?.NotionalUsd
            ?? 0, method != LiquidationMethod.Market);
}
