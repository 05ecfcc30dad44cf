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
            ? verdict.Event is { Account: { } component, SubjectId: { } coin }
                ? await ListPositionsAsync(component, coin, verdict.At, cancellationToken)
                : []
        : verdict.Event.Monitor == HlpVaultReader.Monitor ? await ListVaultAsync(verdict.Event.Subject, verdict.At, cancellationToken)
        : null;

    private async Task<IEnumerable<EvidenceRow>> ListVaultAsync(string vault, DateTimeOffset at, CancellationToken cancellationToken) =>
        await snapshots.FindAsync(vault, at, cancellationToken) is { } row
            ? [new("hlp_vault_snapshots", HlpVaultSnapshotView.Of(row)),
                .. EvidenceRow.Of("hlp_vault_components",
                    (await components.ListAtAsync(vault, at, cancellationToken)).Select(HlpVaultComponentView.Of))]
            : [];

    // The position, and the one before it that the jump is measured from.
    private async Task<IEnumerable<EvidenceRow>> ListPositionsAsync(
        string component, string coin, DateTimeOffset at, CancellationToken cancellationToken) =>
        EvidenceRow.Of("hlp_vault_inventory",
            (await inventory.ListOfPositionAsync(component, coin, at.AddHours(-1), at, 2, cancellationToken))
                .Select(HlpVaultPositionView.Of));
}
