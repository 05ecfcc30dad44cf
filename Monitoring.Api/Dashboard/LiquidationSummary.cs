using Monitoring.Api.Venues;
using Monitoring.Data.Venues;

namespace Monitoring.Api.Dashboard;

/// <summary>The liquidations of one method, added up. <c>is_complete</c> says whether the HLP vaults' fills show all of this kind.</summary>
public sealed record LiquidationMethodSum(LiquidationMethod Method, long Fills, long Liquidations, long AffectedUsers, decimal NotionalUsd, bool IsComplete);

/// <summary>The accounts through which liquidations are seen, when they were last read, and how often fills were gone before they could be.</summary>
public sealed record LiquidationCoverageView(int Accounts, DateTimeOffset? LastCheckAt, long Gaps, string Note);

/// <summary>The last 24 hours of liquidations and the newest patterns.</summary>
public sealed record LiquidationSummary(
    int Hours, decimal NotionalUsd, IReadOnlyList<LiquidationMethodSum> ByMethod, IReadOnlyList<LiquidationPatternView> Patterns, LiquidationCoverageView Coverage);

/// <summary>Reads the dashboard's part about liquidations.</summary>
internal sealed class LiquidationReader(Liquidations liquidations, LiquidationPatterns patterns, LiquidationSources sources, TimeProvider clock)
{
    public const string Monitor = "liquidations";

    private const int Hours = 24;
    private const int NewestPatterns = 5;
    private const string Note = "The venue has no feed of all liquidations. Backstop liquidations and deleveraging against the HLP vaults are complete; market liquidations are "
        + "those in which an HLP vault or a watched account took part, a sample of all.";

    /// <summary>Adds up what is stored; <paramref name="lastCheck"/> is the monitor's newest success.</summary>
    public async Task<LiquidationSummary> SummariseAsync(DateTimeOffset? lastCheck, CancellationToken cancellationToken)
    {
        var sums = await liquidations.SumSinceAsync(clock.GetUtcNow().AddHours(-Hours), cancellationToken);
        var newest = await patterns.ListAsync(DateTimeOffset.MinValue, DateTimeOffset.MaxValue, patternType: null, after: null, NewestPatterns, cancellationToken);
        var accounts = await sources.ListAsync(cancellationToken);
        return new LiquidationSummary(Hours, sums.Sum(sum => sum.NotionalUsd),
            [.. Enum.GetValues<LiquidationMethod>().Select(method => ToView(method, sums.FirstOrDefault(sum => sum.Method == method)))],
            [.. newest.Select(LiquidationPatternView.Of)],
            new LiquidationCoverageView(accounts.Count, lastCheck, accounts.Sum(account => account.Gaps), Note));
    }

    private static LiquidationMethodSum ToView(LiquidationMethod method, LiquidationSum? sum) =>
        new(method, sum?.Fills ?? 0, sum?.Liquidations ?? 0, sum?.AffectedUsers ?? 0, sum?.NotionalUsd ?? 0, method != LiquidationMethod.Market);
}
