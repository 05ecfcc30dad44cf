using System.Globalization;
using System.Text.Json;
using Monitoring.Api.Venues;
using Monitoring.Data.Checks;
using Monitoring.Data.Events;
using Monitoring.Data.Venues;

namespace Monitoring.Api.Security;

/// <summary>A stored row that the verdict was made from, and its table.</summary>
public sealed record EvidenceRow(string Table, object Row);

/// <summary>Finds the stored rows behind a verdict: those of the check that made it, and those of before that its arithmetic reaches back to.</summary>
internal sealed class EvidenceReader(
    CheckRuns runs, HlpVaultSnapshots snapshots, HlpVaultComponents components, HlpVaultInventory inventory, OracleDeviations deviations, Liquidations liquidations,
    LiquidationPatterns patterns)
{
    private const int MostRows = 500;

    /// <summary>
    /// At most some hundred rows, the newest first, the ledger row of the check last. <paramref name="values"/> are those of the evidence that was kept with the
    /// verdict of <paramref name="at"/>. Rows whose retention is over are absent.
    /// </summary>
    public async Task<IReadOnlyList<EvidenceRow>> ListAsync(SecurityEvent found, DateTimeOffset at, JsonElement values, CancellationToken cancellationToken)
    {
        var rows = found.RuleId switch
        {
            "hlp.inventory" when found is { Account: { } component, SubjectId: { } coin } =>
                await ListPositionsAsync(component, coin, at, cancellationToken),
            "oracle.deviation" => await ListBreachAsync(found.Subject, at, values, cancellationToken),
            "oracle.common-mode" => await ListShiftAsync(at, values, cancellationToken),
            "monitor.stale" => await ListSilenceAsync(at, values, cancellationToken),
            _ when Text(values, "pattern_id") is { } patternId => await ListPatternAsync(patternId, values, cancellationToken),
            _ when found.Monitor == HlpVaultReader.Monitor => await ListVaultAsync(found.Subject, at, cancellationToken),
            _ => [],
        };
        return [.. rows, .. Rows("check_runs", await runs.ListAsync(found.Monitor, at, at, 1, cancellationToken))];
    }

    private async Task<IEnumerable<EvidenceRow>> ListVaultAsync(string vault, DateTimeOffset at, CancellationToken cancellationToken) =>
        await snapshots.FindAsync(vault, at, cancellationToken) is { } row
            ? [new("hlp_vault_snapshots", HlpVaultSnapshotView.Of(row)),
                .. Rows("hlp_vault_components", (await components.ListAtAsync(vault, at, cancellationToken)).Select(HlpVaultComponentView.Of))]
            : [];

    // The position, and the one before it that the jump is measured from.
    private async Task<IEnumerable<EvidenceRow>> ListPositionsAsync(
        string component, string coin, DateTimeOffset at, CancellationToken cancellationToken) =>
        Rows("hlp_vault_inventory", (await inventory.ListOfPositionAsync(component, coin, at.AddHours(-1), at, 2, cancellationToken))
            .Select(HlpVaultPositionView.Of));

    // Every check of the breach, which is what its duration is made of.
    private async Task<IEnumerable<EvidenceRow>> ListBreachAsync(string asset, DateTimeOffset at, JsonElement values, CancellationToken cancellationToken)
    {
        var since = values.TryGetProperty("duration_seconds", out var seconds) && seconds.TryGetDouble(out var duration) ? at.AddSeconds(-duration) : at;
        return Rows("oracle_deviations", (await deviations.ListOfAssetAsync(asset, since, JustAfter(at), 0, MostRows, cancellationToken)).Select(OracleDeviationView.Of));
    }

    private async Task<IEnumerable<EvidenceRow>> ListShiftAsync(DateTimeOffset at, JsonElement values, CancellationToken cancellationToken)
    {
        var off = Texts(values, "off").ToHashSet();
        return Rows("oracle_deviations", (await deviations.ListAsync(at, JustAfter(at), "", 0, MostRows, cancellationToken))
            .Where(row => off.Contains(row.Asset)).Select(OracleDeviationView.Of));
    }

    private async Task<IEnumerable<EvidenceRow>> ListPatternAsync(string patternId, JsonElement values, CancellationToken cancellationToken)
    {
        if (await patterns.FindAsync(patternId, cancellationToken) is not { } pattern)
            return [];
        var isOfAccounts = pattern.PatternType == LiquidationPatternType.Coordinated;
        var fills = await liquidations.ListOfPatternAsync(Time(values, "start_time") ?? pattern.StartTime, Time(values, "end_time") ?? pattern.EndTime,
            pattern.PatternType == LiquidationPatternType.Adl, isOfAccounts ? null : pattern.Subject, isOfAccounts ? [.. Texts(values, "accounts"), pattern.Subject] : null,
            MostRows, cancellationToken);
        return [new("liquidation_patterns", LiquidationPatternView.Of(pattern)), .. Rows("liquidations", fills.Select(LiquidationView.Of))];
    }

    // What the blind monitor's checks brought since its last success, that included.
    private async Task<IEnumerable<EvidenceRow>> ListSilenceAsync(DateTimeOffset at, JsonElement values, CancellationToken cancellationToken) =>
        Text(values, "monitor") is { } monitor
            ? Rows("check_runs", await runs.ListAsync(monitor, Time(values, "last_success_at") ?? at.AddHours(-1), at, MostRows, cancellationToken))
            : [];

    private static IEnumerable<EvidenceRow> Rows(string table, IEnumerable<object> rows) => rows.Select(row => new EvidenceRow(table, row));

    // The tables keep microseconds.
    private static DateTimeOffset JustAfter(DateTimeOffset at) => at.AddMicroseconds(1);

    private static string? Text(JsonElement values, string name) =>
        values.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static IEnumerable<string> Texts(JsonElement values, string name) =>
        values.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray().Select(item => item.GetString()).OfType<string>() : [];

    private static DateTimeOffset? Time(JsonElement values, string name) =>
        DateTimeOffset.TryParse(Text(values, name), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null;
}
