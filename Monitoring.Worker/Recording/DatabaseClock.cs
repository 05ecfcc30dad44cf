using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Recording;

/// <summary>Asks the database what time it is.</summary>
internal delegate Task<DateTimeOffset> AskDatabaseTime(CancellationToken cancellationToken);

/// <summary>
/// Keeps the worker's clock informed of the database's: asked before results are written and every few seconds besides, and at once when
/// this machine's clock was set. Without anybody to ask, this machine's clock is right.
/// </summary>
internal sealed class DatabaseClock(WorkerClock clock, AskDatabaseTime? ask = null)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);

    private long? _askedAt;

    /// <summary>Asks if the last answer is some seconds old or no longer sure. Throws what the database throws.</summary>
    /// <returns>Whether it asked.</returns>
    public async Task<bool> AskIfDueAsync(CancellationToken cancellationToken)
    {
        if (ask is null || (_askedAt is { } at && clock.GetElapsedTime(at) < Every && !clock.IsInDoubt))
            return false;
        await AskAsync(ask, cancellationToken);
        return true;
    }

    /// <summary>Asks now. Throws what the database throws.</summary>
    public Task AskAsync(CancellationToken cancellationToken) => ask is null ? Task.CompletedTask : AskAsync(ask, cancellationToken);

    private async Task AskAsync(AskDatabaseTime ask, CancellationToken cancellationToken)
    {
        var begunAt = clock.GetTimestamp();
        _askedAt = begunAt;
        var time = await ask(cancellationToken);
        clock.Hear(WorkerClock.Database, time, TimeSpan.Zero, begunAt);
    }
}
