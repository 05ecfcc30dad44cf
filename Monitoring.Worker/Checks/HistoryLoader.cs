using Monitoring.Data.Database;

namespace Monitoring.Worker.Checks;

/// <summary>
/// Loads a monitor's stored history once, so that it goes on where an earlier process ended. While that fails it is tried again at each
/// check, which does not fail for it; what comes too late for a check is taken in by a later one.
/// </summary>
/// <param name="table">Where it is read from; null without a database: then there is nothing to read.</param>
/// <param name="reads">How a check waits for it.</param>
internal sealed class HistoryLoader(object? table, PastReads reads)
{
    private bool _loaded = table is null;
    private Task<Action>? _reading;

    /// <summary>
    /// Runs <paramref name="read"/> unless it has gone well before, and what it answers, which takes in what was read and belongs to the
    /// check. Tells <paramref name="notLoaded"/> in one line why it did not go well now.
    /// </summary>
    public Task LoadAsync(Func<CancellationToken, Task<Action>> read, Action<string> notLoaded, CancellationToken cancellationToken) =>
        _loaded ? Task.CompletedTask : LoadAgainAsync(read, notLoaded, cancellationToken);

    /// <summary>The same, although it has gone well before; unless there is nothing to read from.</summary>
    public async Task LoadAgainAsync(
        Func<CancellationToken, Task<Action>> read, Action<string> notLoaded, CancellationToken cancellationToken)
    {
        if (table is null)
            return;
        try
        {
            _reading ??= reads.Begin(read);
            (await reads.WaitAsync(_reading, cancellationToken))();
            _loaded = true;
        }
        catch (Exception fault) when (
            !cancellationToken.IsCancellationRequested && (DatabaseFaults.Covers(fault) || fault is OperationCanceledException))
        {
            notLoaded(DatabaseFaults.Describe(fault));
        }
        finally
        {
            if (_reading is { IsCompleted: true })
                _reading = null;
        }
    }
}
