namespace Monitoring.Worker.Recording;

/// <summary>The database takes no results since then.</summary>
internal sealed record DatabaseOutage(DateTimeOffset Since, string Error);

/// <summary>
/// Whether the database takes results: connected, or away since some time for some reason. <see cref="RecordingPipeline"/> alone changes
/// it, because only writing shows it; all others ask, or wait for its loss. A worker begins connected until its first result.
/// </summary>
internal sealed class DatabaseLink
{
    private volatile DatabaseOutage? _outage;
    private volatile TaskCompletionSource _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The outage that goes on, or null.</summary>
    public DatabaseOutage? Outage => _outage;

    /// <summary>Whether an outage goes on.</summary>
    public bool IsAway => _outage is not null;

    /// <summary>
    /// Ends when the database goes away: whoever waits for its answer and for this is not held up by a database that hangs.
    /// </summary>
    public Task WaitUntilLostAsync(CancellationToken cancellationToken) => _lost.Task.WaitAsync(cancellationToken);

    /// <summary>The database went away.</summary>
    public void Lose(DatabaseOutage outage)
    {
        _outage = outage;
        _lost.TrySetResult();
    }

    /// <summary>The database took a result.</summary>
    public void Restore()
    {
        _lost = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _outage = null;
    }
}
