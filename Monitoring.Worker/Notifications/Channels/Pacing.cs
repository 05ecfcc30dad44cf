namespace Monitoring.Worker.Notifications.Channels;

/// <summary>
/// Keeps a service's limit of rate: so many messages at once, then one each <paramref name="every"/>. Whoever comes too early waits;
/// while the service itself asked for a pause, nobody does.
/// </summary>
internal sealed class Pacing(TimeSpan every, int burst, TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly long _start = clock.GetTimestamp();
    private TimeSpan _bookedUntil; // since the start
    private TimeSpan _pausedUntil;

    /// <summary>Waits for a turn. Answers null when it has come, or how long the service's pause still is.</summary>
    public async Task<TimeSpan?> WaitAsync(CancellationToken cancellationToken)
    {
        TimeSpan wait;
        lock (_lock)
        {
            var now = clock.GetElapsedTime(_start);
            if (now < _pausedUntil)
                return _pausedUntil - now;
            _bookedUntil = (_bookedUntil > now ? _bookedUntil : now) + every;
            wait = _bookedUntil - (burst * every) - now;
        }

        if (wait > TimeSpan.Zero)
            await Task.Delay(wait, clock, cancellationToken);
        return null;
    }

    /// <summary>The service wants nothing for so long.</summary>
    public void Pause(TimeSpan wait)
    {
        lock (_lock)
        {
            var until = clock.GetElapsedTime(_start) + wait;
            if (until > _pausedUntil)
                _pausedUntil = until;
        }
    }
}
