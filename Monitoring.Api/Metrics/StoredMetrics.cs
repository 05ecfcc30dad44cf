using Monitoring.Api.Monitors;
using Monitoring.Data.Database;
using Monitoring.Data.Events;

namespace Monitoring.Api.Metrics;

/// <summary>What the database holds of the metrics, at one moment.</summary>
internal sealed record StoredFigures(long SchemaVersion, IReadOnlyList<MonitorView> Monitors, IReadOnlyList<SeverityCount> OpenEvents);

/// <summary>Reads what the database holds of the metrics, in one round trip.</summary>
internal sealed class StoredMetrics
{
    private const int Hours = 1;

    private readonly HeldRead<Rows> _read;

    private sealed record Rows(long SchemaVersion, MonitorRows Monitors, IReadOnlyList<SeverityCount> Open);

    public StoredMetrics(DatabaseConnections db, ChangeMarks marks, TimeProvider clock) =>
        _read = new HeldRead<Rows>(db, marks, clock, Ask);

    /// <summary>The figures as they are now.</summary>
    public async Task<StoredFigures> ReadAsync(CancellationToken cancellationToken)
    {
        var (rows, now) = await _read.FindAsync(cancellationToken);
        return new StoredFigures(rows.SchemaVersion, MonitorReader.Show(rows.Monitors, now), rows.Open);
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

    private static Func<TimedRows<Rows>> Ask(DatabaseBatch batch, DateTimeOffset now)
    {
        var schema = SchemaVersions.Current(batch);
        var monitors = MonitorReader.Ask(batch, now, Hours);
        var open = SecurityEvents.CountOpen(batch);
        return () =>
        {
            var (watched, until) = monitors();
            return new TimedRows<Rows>(new Rows(schema.Only!.Version, watched, open.Rows), until);
        };
    }
}
