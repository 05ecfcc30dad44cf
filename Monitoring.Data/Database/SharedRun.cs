namespace Monitoring.Data.Database;

/// <summary>
/// Lets all who ask for the same thing at the same time share one run. Whoever comes while a run is under way waits for the next, which has
/// not looked yet: so what is answered is never older than the question.
/// </summary>
internal sealed class SharedRun<T>(Func<CancellationToken, Task<T>> run)
{
    private readonly Lock _lock = new();
    private Task<T>? _running;
    private Task<T>? _next;

    /// <summary>The result of a run that begins after this call.</summary>
    public Task<T> JoinAsync(CancellationToken cancellationToken)
    {
        Task<T> joined;
        lock (_lock)
            joined = _running is null ? _running = StartAsync() : _next ??= FollowAsync(_running);
        return joined.WaitAsync(cancellationToken);
    }

    // No caller's token: the run is for all of them. The statement's own time ends it.
    private async Task<T> StartAsync()
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // not under the lock
        try
        {
            return await run(CancellationToken.None);
        }
        finally
        {
            lock (_lock)
                (_running, _next) = (_next, null);
        }
    }

    private async Task<T> FollowAsync(Task running)
    {
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
        return await StartAsync();
    }
}
