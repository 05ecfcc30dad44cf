using Monitoring.Api.Security;
using Monitoring.Data.Venues;

namespace Monitoring.Api.Venues;

/// <summary>The rows behind the verdicts about the vault and what its components hold.</summary>
internal sealed class HlpVaultEvidence(HlpVaultSnapshots snapshots, HlpVaultComponents components, HlpVaultInventory inventory)
    : IEvidenceSource
{
    /// <inheritdoc/>
    public async Task<IEnumerable<EvidenceRow>?> FindAsync(Verdict verdict, CancellationToken cancellationToken) =>
        verdict.Event.RuleId == InventoryRuleSet.Inventory.Id
            ? await ListPositionsAsync(verdict, verdict.At.AddHours(-1), 2, cancellationToken)
        : verdict.Event.RuleId == InventoryRuleSet.Takeover.Id
            ? await ListPositionsAsync(verdict, verdict.Values.Time("low_at") ?? verdict.At, EvidenceReader.MostRows, cancellationToken)
        : verdict.Event.RuleId == HlpVaultRuleSet.Outflow.Id ? await ListWindowsAsync(verdict, cancellationToken)
        : verdict.Event.Monitor == HlpVaultReader.Monitor ? await ListVaultAsync(verdict.Event.Subject, verdict.At, cancellationToken)
        : null;

    private async Task<IEnumerable<EvidenceRow>> ListVaultAsync(string vault, DateTimeOffset at, CancellationToken cancellationToken) =>
        await snapshots.FindAsync(vault, at, cancellationToken) is { } row
            ? [Show(row),
                .. EvidenceRow.Of("hlp_vault_components",
                    (await components.ListAtAsync(vault, at, cancellationToken)).Select(HlpVaultComponentView.Of))]
            : [];

    // The snapshot of the check, and those that the windows start with; where the venue's own series began one, there is none.
    private async Task<IEnumerable<EvidenceRow>> ListWindowsAsync(Verdict verdict, CancellationToken cancellationToken)
    {
        var (vault, rows) = (verdict.Event.Subject, new List<HlpVaultSnapshot?>());
        rows.Add(await snapshots.FindAsync(vault, verdict.At, cancellationToken));
        foreach (var start in new[] { verdict.Values.Time("start_1h_at"), verdict.Values.Time("start_24h_at") })
            if (start is { } at)
                rows.Add(await snapshots.FindOfVenueTimeAsync(vault, at, cancellationToken));
        return rows.OfType<HlpVaultSnapshot>().Select(Show);
    }

    // The position, and those before that the jump or the take-over is measured from.
    private async Task<IEnumerable<EvidenceRow>> ListPositionsAsync(
        Verdict verdict, DateTimeOffset since, int limit, CancellationToken cancellationToken) =>
        verdict.Event is { Account: { } component, SubjectId: { } coin }
            ? EvidenceRow.Of("hlp_vault_inventory",
                (await inventory.ListOfPositionAsync(component, coin, since, verdict.At, limit, cancellationToken))
                    .Select(HlpVaultPositionView.Of))
            : [];

    private static EvidenceRow Show(HlpVaultSnapshot row) => new("hlp_vault_snapshots", HlpVaultSnapshotView.Of(row));
}
