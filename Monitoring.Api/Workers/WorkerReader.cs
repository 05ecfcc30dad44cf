using Monitoring.Data.Database;
using Monitoring.Data.Workers;

namespace Monitoring.Api.Workers;

/// <summary>The workers, and whether the database takes writes.</summary>
internal sealed record WorkersNow(WorkersView Workers, bool TakesWrites);

/// <summary>
/// Tells whether anybody watches. Ages are the database's when the rows were read and this machine's steady clock since then: no clock of a
/// worker counts, nor this machine's time of day.
/// </summary>
internal sealed class WorkerReader(WriteTrial trial, TimeProvider clock)
{
    // Rows of a database that nobody writes to are read again after so long: the steady clock of a machine that slept did not count that.
    private static readonly TimeSpan ReadAgainAfter = TimeSpan.FromSeconds(10);

    /// <summary>Adds the statements that read the workers to a batch.</summary>
    public Func<TimedRows<WorkerRows>> Ask(DatabaseBatch batch, DateTimeOffset now)
    {
        var mode = WorkerPulses.FindMode(batch);
        var pulses = WorkerPulses.List(batch);
        return () => new TimedRows<WorkerRows>(new WorkerRows(mode.Only!, pulses.Rows, clock.GetTimestamp()), now + ReadAgainAfter);
    }

    /// <summary>The workers as they are now, by rows that hold now. Where none reports it is tried whether one could.</summary>
    public async Task<WorkersNow> ShowAsync(WorkerRows rows, CancellationToken cancellationToken)
    {
        var noWrites = WorkerRules.IsAnyAlive(rows, SinceRead(rows)) ? null
            : WorkerRules.FindReadOnly(rows.Mode)
            ?? (rows.Pulses.Count > 0 ? await trial.FindProblemAsync(cancellationToken) : null);
        return new WorkersNow(WorkerRules.Judge(rows, SinceRead(rows), noWrites), noWrites is null);
    }

    private TimeSpan SinceRead(WorkerRows rows) => clock.GetElapsedTime(rows.ReadAt);
}
