namespace Monitoring.Worker.Venues.Hyperliquid.Feed;

/// <summary>
/// Says when to connect again: exponential backoff with full jitter, from a second to a minute, and never more attempts
/// within a minute than half of what the venue allows an address, so that a second worker beside this one may reconnect
/// as well. <paramref name="random"/> draws from 0 to 1.
/// </summary>
internal sealed class ConnectionPacing(TimeProvider clock, Func<double> random)
{
    /// <summary>Attempts within any minute; the venue's limit is 30.</summary>
    public const int MostPerMinute = 15;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
    private const double LongestSeconds = 60;

    private readonly Queue<DateTimeOffset> _attempts = new();
    private int _failures;

    /// <summary>How long to wait now before the next attempt.</summary>
    public TimeSpan Delay()
    {
        var now = clock.GetUtcNow();
        while (_attempts.TryPeek(out var first) && now - first >= Window)
            _attempts.Dequeue();
        var backoff = _failures == 0
            ? TimeSpan.Zero
            : TimeSpan.FromSeconds(random() * Math.Min(LongestSeconds, Math.Pow(2, _failures - 1)));
        var limit = _attempts.Count < MostPerMinute ? TimeSpan.Zero : _attempts.Peek() + Window - now;
        return backoff > limit ? backoff : limit;
    }

    /// <summary>An attempt is made now.</summary>
    public void Attempt() => _attempts.Enqueue(clock.GetUtcNow());

    /// <summary>The connection ended after so long; one that held for a minute was a good one.</summary>
    public void Ended(TimeSpan held) => _failures = held >= Window ? 1 : Math.Min(_failures + 1, 30);
}
