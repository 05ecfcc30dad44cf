namespace Monitoring.Data.Database;

/// <summary>
/// Lets all who ask for the same thing at the same time share one run. Whoever comes while a run is under way waits for the next, which has
/// not looked yet: so what is answered is never older than the question.
/// </summary>
internal sealed class SharedRun<T>(Func<CancellationToken, Task<T>> run)
{
    private readonly Lock _lock = new();
    private Task? _running;
    private TaskCompletionSource<T>? _next;

    /// <summary>The result of a run that begins after this call.</summary>
    public Task<T> JoinAsync(CancellationToken cancellationToken)
    {
        TaskCompletionSource<T>? own = null;
        TaskCompletionSource<T> joined;
        lock (_lock)
        {
            if (_running is null)
                _running = (own = joined = New()).Task;
            else
                joined = _next ??= New();
        }

        return own is null ? joined.Task.WaitAsync(cancellationToken) : RunAsync(own);
    }

    // No caller's token: the run is for all of them. The statement's own time ends it. Who begins it has its result without another thread.
    private async Task<T> RunAsync(TaskCompletionSource<T> result)
    {
        try
        {
            var found = await run(CancellationToken.None);
            result.SetResult(found);
            return found;
        }
        catch (Exception fault)
        {
            result.SetException(fault);
            _ = result.Task.Exception; // observed, should nobody have joined
            throw;
        }
        finally
        {
            Follow();
        }
    }

    private void Follow()
    {
        TaskCompletionSource<T>? next;
        lock (_lock)
        {
            (next, _next) = (_next, null);
            _running = next?.Task;
        }

        if (next is not null)
            _ = Task.Run(async () => await ((Task)RunAsync(next)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing));
                // told to those who joined
    }

    private static TaskCompletionSource<T> New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
