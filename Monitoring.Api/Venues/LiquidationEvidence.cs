using Monitoring.Api.Security;
using Monitoring.Data.Venues;

namespace Monitoring.Api.Venues;

/// <summary>The rows behind the verdicts that name a pattern of liquidations, or the many of a whole market.</summary>
internal sealed class LiquidationEvidence(Liquidations liquidations, LiquidationPatterns patterns) : IEvidenceSource
{
    /// <inheritdoc/>
    public async Task<IEnumerable<EvidenceRow>?> FindAsync(Verdict verdict, CancellationToken cancellationToken) =>
        verdict.Values.Text("pattern_id") is { } patternId ? await ListAsync(patternId, verdict.Values, cancellationToken)
        : verdict.Values.Texts("pattern_ids").ToList() is { Count: > 0 } ids ? EvidenceRow.Of("liquidation_patterns",
            (await patterns.ListOfIdsAsync(ids, EvidenceReader.MostRows, cancellationToken)).Select(LiquidationPatternView.Of))
        : null;

    private async Task<IEnumerable<EvidenceRow>> ListAsync(string patternId, EvidenceValues values, CancellationToken cancellationToken)
    {
        if (await patterns.ListOfIdsAsync([patternId], 1, cancellationToken) is not [var pattern])
            return [];
        var isOfAccounts = pattern.PatternType == LiquidationPatternType.Coordinated;
        var fills = await liquidations.ListOfPatternAsync(
            values.Time("start_time") ?? pattern.StartTime, values.Time("end_time")
                ?? pattern.EndTime, pattern.PatternType == LiquidationPatternType.Adl,
            isOfAccounts ? null : pattern.Subject, isOfAccounts ? [.. values.Texts("accounts"), pattern.Subject] : null,
            EvidenceReader.MostRows, cancellationToken);
        return [new("liquidation_patterns", LiquidationPatternView.Of(pattern)),
            .. EvidenceRow.Of("liquidations", fills.Select(LiquidationView.Of))];
    }
}
