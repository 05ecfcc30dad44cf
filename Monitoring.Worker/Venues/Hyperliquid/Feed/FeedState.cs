namespace Monitoring.Worker.Venues.Hyperliquid.Feed;

/// <summary>What the live feed did since the start, and whether it is connected now.</summary>
internal sealed class FeedState
{
    private long _connections;
    private long _frames;
    private long _unreadable;
    private long _refusals;
    private long _triggers;
    private long _downSinceTicks;
    private volatile bool _isUp;

    /// <summary>Whether it is connected and its subscriptions are acknowledged.</summary>
    public bool IsUp => _isUp;

    /// <summary>Since when there is no connection that works; null while there is one, and while the feed is off.</summary>
    public DateTimeOffset? DownSince =>
        Interlocked.Read(ref _downSinceTicks) is > 0 and var ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;

    /// <summary>Connections that were opened.</summary>
    public long Connections => Interlocked.Read(ref _connections);

    /// <summary>Messages received.</summary>
    public long Frames => Interlocked.Read(ref _frames);

    /// <summary>Messages that could not be read: cut, too large, binary, or of another shape.</summary>
    public long Unreadable => Interlocked.Read(ref _unreadable);

    /// <summary>Error messages of the venue.</summary>
    public long Refusals => Interlocked.Read(ref _refusals);

    /// <summary>How often something was seen that calls for a check.</summary>
    public long Triggers => Interlocked.Read(ref _triggers);

    public void CountConnection() => Interlocked.Increment(ref _connections);

    public void CountFrame() => Interlocked.Increment(ref _frames);

    public void CountUnreadable() => Interlocked.Increment(ref _unreadable);

    public void CountRefusal() => Interlocked.Increment(ref _refusals);

    public void CountTrigger() => Interlocked.Increment(ref _triggers);

    /// <summary>Subscriptions are acknowledged: it works.</summary>
    public void SetUp()
    {
        Interlocked.Exchange(ref _downSinceTicks, 0);
        _isUp = true;
    }

    /// <summary>It does not work any more, or not yet; the first of several such moments counts.</summary>
    public void SetDown(DateTimeOffset at)
    {
        _isUp = false;
        Interlocked.CompareExchange(ref _downSinceTicks, at.UtcTicks, 0);
    }

    /// <summary>One line for the log.</summary>
    public override string ToString() =>
        $"{Connections} connections, {Frames} messages, {Unreadable} of them unreadable, {Refusals} refusals; {Triggers} triggers";
}
