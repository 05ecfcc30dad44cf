using Monitoring.Api.Monitors;
using Monitoring.Api.Workers;
using Monitoring.Data.Database;
using Monitoring.Data.Events;

namespace Monitoring.Api.Metrics;

/// <summary>What the database holds of the metrics, at one moment.</summary>
internal sealed record StoredFigures(
    long SchemaVersion, IReadOnlyList<MonitorView> Monitors, WorkersNow Workers, IReadOnlyList<SeverityCount> OpenEvents);

/// <summary>Reads what the database holds of the metrics, in one round trip.</summary>
internal sealed class StoredMetrics
{
    private const int Hours = 1;

    private readonly WorkerReader _workers;
    private readonly HeldRead<Rows> _read;

    private sealed record Rows(long SchemaVersion, MonitorRows Monitors, WorkerRows Workers, IReadOnlyList<SeverityCount> Open);

    public StoredMetrics(WorkerReader workers, DatabaseConnections db, ChangeMarks marks, TimeProvider clock) =>
        (_workers, _read) = (workers, new HeldRead<Rows>(db, marks, clock, Ask));

    /// <summary>The figures as they are now.</summary>
    public async Task<StoredFigures> ReadAsync(CancellationToken cancellationToken)
    {
        var (rows, now) = await _read.FindAsync(cancellationToken);
        return new StoredFigures(rows.SchemaVersion, MonitorReader.Show(rows.Monitors, now),
            await _workers.ShowAsync(rows.Workers, cancellationToken), rows.Open);
    }

    /// <summary>The figures as they are now; null while the database does not answer.</summary>
    public async Task<StoredFigures?> FindAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await ReadAsync(cancellationToken);
        }
        catch (Exception fault) when (DatabaseFaults.Covers(fault))
        {
            return null;
        }
    }

    private Func<TimedRows<Rows>> Ask(DatabaseBatch batch, DateTimeOffset now)
    {
        var schema = SchemaVersions.Current(batch);
        var monitors = MonitorReader.Ask(batch, now, Hours);
        var workers = _workers.Ask(batch, now);
        var open = SecurityEvents.CountOpen(batch);
        return () =>
        {
            var (watched, watching) = (monitors(), workers());
            return new TimedRows<Rows>(new Rows(schema.Only!.Version, watched.Rows, watching.Rows, open.Rows),
                Edge.Earliest(watched.Until, watching.Until));
        };
    }
}
