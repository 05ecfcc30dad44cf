using Monitoring.Api.Security;
using Monitoring.Data.Venues;

namespace Monitoring.Api.Venues;

/// <summary>The rows behind the verdicts that name a pattern of liquidations.</summary>
internal sealed class LiquidationEvidence(Liquidations liquidations, LiquidationPatterns patterns) : IEvidenceSource
{
    /// <inheritdoc/>
    public async Task<IEnumerable<EvidenceRow>?> FindAsync(Verdict verdict, CancellationToken cancellationToken) =>
        verdict.Values.Text("pattern_id") is { } patternId ? await ListAsync(patternId, verdict.Values, cancellationToken) : null;

    private async Task<IEnumerable<EvidenceRow>> ListAsync(string patternId, EvidenceValues values, CancellationToken cancellationToken)
    {
        if (await patterns.FindAsync(patternId, cancellationToken) is not { } pattern)
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
