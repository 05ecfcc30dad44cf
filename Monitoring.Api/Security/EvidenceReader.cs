using System.Text.Json;
using Monitoring.Data.Checks;
using Monitoring.Data.Events;
using Monitoring.Data.Rules;

namespace Monitoring.Api.Security;

/// <summary>A stored row that the verdict was made from, and its table.</summary>
public sealed record EvidenceRow(string Table, object Row)
{
    internal static IEnumerable<EvidenceRow> Of(string table, IEnumerable<object> rows) => rows.Select(row => new EvidenceRow(table, row));
}

/// <summary>A verdict: its event, the check that made it, and the values of the evidence that was kept with it.</summary>
internal sealed record Verdict(SecurityEvent Event, DateTimeOffset At, EvidenceValues Values);

/// <summary>Finds the stored rows behind the verdicts of some rules.</summary>
internal interface IEvidenceSource
{
    /// <summary>
    /// Those of the check that made it, and those of before that its arithmetic reaches back to, the newest first; null for a rule of
    /// another source.
    /// </summary>
    Task<IEnumerable<EvidenceRow>?> FindAsync(Verdict verdict, CancellationToken cancellationToken);
}

/// <summary>Asks every source for the rows behind a verdict.</summary>
internal sealed class EvidenceReader(IEnumerable<IEvidenceSource> sources, CheckRuns runs)
{
    /// <summary>How many rows of a table are listed at most.</summary>
    public const int MostRows = 500;

    /// <summary>
    /// At most some hundred rows, the newest first, the ledger row of the check last. <paramref name="values"/> are those
    /// of the evidence that was kept with the verdict of <paramref name="at"/>. Rows whose retention is over are absent.
    /// </summary>
    public async Task<IReadOnlyList<EvidenceRow>> ListAsync(
        SecurityEvent found, DateTimeOffset at, JsonElement values, CancellationToken cancellationToken)
    {
        var verdict = new Verdict(found, at, new EvidenceValues(values));
        IEnumerable<EvidenceRow>? rows = null;
        foreach (var source in sources)
            if ((rows = await source.FindAsync(verdict, cancellationToken)) is not null)
                break;
        return [.. rows ?? [], .. EvidenceRow.Of(MonitorLedger.Table, await runs.ListAsync(found.Monitor, at, at, 1, cancellationToken))];
    }
}

/// <summary>The engine's own rules: what the blind monitor's checks brought since its last success, that included.</summary>
internal sealed class LedgerEvidence(CheckRuns runs) : IEvidenceSource
{
    /// <inheritdoc/>
    public async Task<IEnumerable<EvidenceRow>?> FindAsync(Verdict verdict, CancellationToken cancellationToken)
    {
        if (verdict.Event.RuleId != EngineRules.Stale.Id)
            return null;
        return verdict.Values.Text("monitor") is not { } monitor ? []
            : EvidenceRow.Of(MonitorLedger.Table, await runs.ListAsync(
                monitor, verdict.Values.Time("last_success_at") ?? verdict.At.AddHours(-1), verdict.At, EvidenceReader.MostRows,
                    cancellationToken));
    }
}
