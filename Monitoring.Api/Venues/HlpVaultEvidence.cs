using Monitoring.Api.Security;
using Monitoring.Data.Venues;

namespace Monitoring.Api.Venues;

/// <summary>The rows behind the verdicts about the vault and what its components hold.</summary>
internal sealed class HlpVaultEvidence(HlpVaultSnapshots snapshots, HlpVaultComponents components, HlpVaultInventory inventory)
    : IEvidenceSource
{
    /// <inheritdoc/>
    public async Task<IEnumerable<EvidenceRow>?> FindAsync(Verdict verdict, CancellationToken cancellationToken) =>
        verdict.Event.RuleId == "hlp.inventory" ? await ListPositionsAsync(verdict.Event.Subject, verdict.At, cancellationToken)
        : verdict.Event.Monitor == HlpVaultReader.Monitor ? await ListVaultAsync(verdict.Event.Subject, verdict.At, cancellationToken)
        : null;

    private async Task<IEnumerable<EvidenceRow>> ListVaultAsync(string vault, DateTimeOffset at, CancellationToken cancellationToken) =>
        await snapshots.FindAsync(vault, at, cancellationToken) is { } row
            ? [new("hlp_vault_snapshots", HlpVaultSnapshotView.Of(row)),
                .. EvidenceRow.Of("hlp_vault_components",
                    (await components.ListAtAsync(vault, at, cancellationToken)).Select(HlpVaultComponentView.Of))]
            : [];

    // The position, and the one before it that the jump is measured from.
    private async Task<IEnumerable<EvidenceRow>> ListPositionsAsync(string subject, DateTimeOffset at, CancellationToken cancellationToken)
    {
        var parts = subject.Split(':', 2);
        return parts is not [var component, var coin] ? []
            : EvidenceRow.Of("hlp_vault_inventory",
                (await inventory.ListOfPositionAsync(component, coin, at.AddHours(-1), at, 2, cancellationToken))
                .Select(HlpVaultPositionView.Of));
    }
}
