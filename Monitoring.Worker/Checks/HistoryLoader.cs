using Monitoring.Data.Database;

namespace Monitoring.Worker.Checks;

/// <summary>
/// Loads a monitor's stored history once, so that it goes on where an earlier process ended. While that fails it is tried again at each
/// check, which does not fail for it.
/// </summary>
/// <param name="table">Where it is read from; null without a database: then there is nothing to read.</param>
/// <param name="timeout">An attempt may take so long of a check's time.</param>
internal sealed class HistoryLoader(object? table, TimeSpan timeout)
{
    private bool _loaded = table is null;

    /// <summary>
    /// Runs <paramref name="load"/> unless it has gone well before; tells <paramref name="notLoaded"/> in one line why it did not go well
    /// now.
    /// </summary>
    public async Task LoadAsync(Func<CancellationToken, Task> load, Action<string> notLoaded, CancellationToken cancellationToken)
    {
        if (_loaded)
            return;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        either.CancelAfter(timeout);
        try
        {
            await load(either.Token);
            _loaded = true;
        }
        catch (Exception fault) when (
            !cancellationToken.IsCancellationRequested && (DatabaseFaults.Covers(fault) || fault is OperationCanceledException))
        {
            notLoaded(DatabaseFaults.Find(fault) is not null
                ? DatabaseFaults.Describe(fault) : $"no answer within {timeout.TotalSeconds:0} s");
        }
    }
}
