using Monitoring.Api.Security;
using Monitoring.Data.Checks;
using Monitoring.Data.Venues;

namespace Monitoring.Api.Venues;

/// <summary>The rows behind the verdicts about oracle prices.</summary>
internal sealed class OracleEvidence(OracleDeviations deviations) : IEvidenceSource
{
    /// <inheritdoc/>
    public async Task<IEnumerable<EvidenceRow>?> FindAsync(Verdict verdict, CancellationToken cancellationToken) =>
        verdict.Event.RuleId == OracleRuleSet.Deviation.Id ? await ListBreachAsync(verdict, cancellationToken)
        : verdict.Event.RuleId == OracleRuleSet.Common.Id ? await ListShiftAsync(verdict, cancellationToken)
        : null;

    // Every check of the breach, which is what its duration is made of.
    private async Task<IEnumerable<EvidenceRow>> ListBreachAsync(Verdict verdict, CancellationToken cancellationToken)
    {
        var since = verdict.At.AddSeconds(-(verdict.Values.Number("duration_seconds") ?? 0));
        var rows = await deviations.ListOfAssetAsync(verdict.Event.Subject, since, JustAfter(verdict.At), 0, EvidenceReader.MostRows,
            cancellationToken);
        return EvidenceRow.Of("oracle_deviations", rows.Select(OracleDeviationView.Of));
    }

    private async Task<IEnumerable<EvidenceRow>> ListShiftAsync(Verdict verdict, CancellationToken cancellationToken)
    {
        var off = verdict.Values.Texts("off").ToHashSet();
        var rows = await deviations.ListAsync(verdict.At, JustAfter(verdict.At), "", 0, EvidenceReader.MostRows, cancellationToken);
        return EvidenceRow.Of("oracle_deviations", rows.Where(row => off.Contains(row.Asset)).Select(OracleDeviationView.Of));
    }

    // The tables keep microseconds.
    private static ListEnd JustAfter(DateTimeOffset at) => ListEnd.Before(at.AddMicroseconds(1));
}
