using Monitoring.Data.Checks;
using Monitoring.Data.Database;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Watching;

/// <summary>
/// How current a monitor's data is: its newest success by any worker, or null; since when it could have succeeded; and
/// whether that can be said at all yet.
/// </summary>
internal sealed record MonitorState(
    MonitorSchedule Monitor, DateTimeOffset? LastSuccessAt, DateTimeOffset Since, bool CanBeJudged, string? LastError);

/// <summary>
/// Puts together what this worker's checks did and what the ledger says of all workers'. Without the database, memory alone speaks.
/// </summary>
internal sealed partial class MonitorHealth(
    IEnumerable<MonitorSchedule> monitors, SessionStatistics statistics, CheckRuns? runs, PastReads reads, ILogger<MonitorHealth> logger)
{
    // A worker that has just started lets its first checks end before it judges by what the ledger says of the time before.
    private static readonly TimeSpan StartGrace = TimeSpan.FromSeconds(60);

    /// <summary>The state of every monitor of this worker.</summary>
    public async Task<IReadOnlyList<MonitorState>> ReadAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        var stored = await ReadStoredAsync(now, cancellationToken);
        return [.. monitors.Select(monitor =>
        {
            var memory = statistics.Find(monitor.Name);
            var ledger = stored.GetValueOrDefault(monitor.Name)?.LastSuccessAt;
            var success = ledger is null || memory?.LastSuccessAt > ledger ? memory?.LastSuccessAt : ledger;
            return new MonitorState(monitor, success, success ?? statistics.StartedAt,
                CanBeJudged: memory is not null || now - statistics.StartedAt >= StartGrace, memory?.LastError);
        })];
    }

    private async Task<IReadOnlyDictionary<string, LatestCheckRuns>> ReadStoredAsync(
        DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (runs is null)
            return new Dictionary<string, LatestCheckRuns>();
        try
        {
            return (await reads.ReadAsync(token => runs.ListLatestAsync(now, token), cancellationToken)).ToDictionary(run => run.Monitor);
        }
        catch (Exception fault) when (DatabaseFaults.Covers(fault))
        {
            LogNoLedger(fault.Message);
            return new Dictionary<string, LatestCheckRuns>();
        }
    }

    [LoggerMessage(LogLevel.Debug, "the ledger cannot be read, monitors are judged by this worker's checks alone: {Error}")]
    private partial void LogNoLedger(string error);
}
