namespace Monitoring.Data.Database;

/// <summary>Rows, and the moment from which on time alone would make them others: when the oldest row leaves its window, say.</summary>
public sealed record TimedRows<T>(T Rows, DateTimeOffset Until);

/// <summary>Rows as they are at a moment.</summary>
public sealed record RowsAt<T>(T Rows, DateTimeOffset Now);

/// <summary>
/// A batch whose rows are kept while nothing can have changed them: neither a commit, which the mark of the database tells by one tiny
/// statement, nor the time. Whoever asks at the same time shares what is asked. Nothing is ever answered that a read of one's own would not
/// have seen.
/// </summary>
public sealed class HeldRead<T>
{
    private readonly DatabaseConnections _db;
    private readonly ChangeMarks _marks;
    private readonly TimeProvider _clock;
    private readonly Func<DatabaseBatch, DateTimeOffset, Func<TimedRows<T>>> _ask;
    private readonly SharedRun<Held> _reading;
    private volatile Held? _held;
    private volatile bool _changes; // the last look found other rows: looking before reading would only be a second round trip

    private sealed record Held(string? Mark, T Rows, DateTimeOffset ReadAt, DateTimeOffset Until);

    /// <summary><paramref name="ask"/> adds its statements for a moment, and answers what makes their rows into the result.</summary>
    public HeldRead(
        DatabaseConnections db, ChangeMarks marks, TimeProvider clock, Func<DatabaseBatch, DateTimeOffset, Func<TimedRows<T>>> ask)
    {
        (_db, _marks, _clock, _ask) = (db, marks, clock, ask);
        _reading = new SharedRun<Held>(ReadAsync);
    }

    /// <summary>The rows as they are at a moment that is not before this call.</summary>
    public async Task<RowsAt<T>> FindAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (_held is { Mark: { } mark } held && !_changes && (await _marks.ReadAsync(cancellationToken)).Mark == mark
                && Edge.Now(_clock) is var now && now >= held.ReadAt && now < held.Until)
                return new RowsAt<T>(held.Rows, now);
            var read = await _reading.JoinAsync(cancellationToken);
            return new RowsAt<T>(read.Rows, read.ReadAt);
        }
        catch (Exception fault) when (DatabaseFaults.Covers(fault))
        {
            _held = null; // a server that crashed may give the numbers of lost commits a second time
            throw;
        }
    }

    private async Task<Held> ReadAsync(CancellationToken cancellationToken)
    {
        var now = Edge.Now(_clock);
        var batch = new DatabaseBatch();
        var mark = batch.Add<ChangeMark>(ChangeMark.FindSql);
        var take = _ask(batch, now);
        await batch.SendAsync(_db, cancellationToken);
        var timed = take();
        var held = new Held(mark.Only!.Mark, timed.Rows, now, timed.Until);
        _changes = _held is { } before && before.Mark != held.Mark;
        return _held = held;
    }
}
