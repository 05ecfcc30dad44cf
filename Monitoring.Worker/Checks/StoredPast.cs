using Monitoring.Data.Database;

namespace Monitoring.Worker.Checks;

/// <summary>What a monitor reads from the database once, to go on where an earlier process ended. While that fails it is tried again at each check, which does not fail for it.</summary>
/// <param name="table">Where it is read from; null without a database: then there is nothing to read.</param>
/// <param name="timeout">An attempt may take so long of a check's time.</param>
internal sealed class StoredPast(object? table, TimeSpan timeout)
{
    private bool _read = table is null;

    /// <summary>Runs <paramref name="read"/> unless it has gone well before; tells <paramref name="notRead"/> in one line why it did not go well now.</summary>
    public async Task ReadAsync(Func<CancellationToken, Task> read, Action<string> notRead, CancellationToken cancellationToken)
    {
        if (_read)
            return;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        either.CancelAfter(timeout);
        try
        {
            await read(either.Token);
            _read = true;
        }
        catch (Exception fault) when (!cancellationToken.IsCancellationRequested && (DatabaseFaults.Covers(fault) || fault is OperationCanceledException))
        {
            notRead(DatabaseFaults.Find(fault) is not null ? DatabaseFaults.Describe(fault) : $"no answer within {timeout.TotalSeconds:0} s");
        }
    }
}
