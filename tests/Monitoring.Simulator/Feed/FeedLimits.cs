namespace Monitoring.Simulator.Feed;

/// <summary>The venue's limits per address on its websocket, and what was counted against them.</summary>
internal sealed class FeedLimits(TimeProvider clock)
{
    public const int NewConnectionsPerMinute = 30;
    public const int Users = 10;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
    private readonly Lock _gate = new();
    private readonly Queue<DateTimeOffset> _attempts = new();
    private readonly Dictionary<string, int> _users = new(StringComparer.Ordinal);
    private int _most;
    private long _connections;
    private long _refused;
    private int _open;
    private long _messages;
    private long _sent;
    private decimal _toldUntil;

    public FeedCounts Counts
    {
        get
        {
            lock (_gate)
                return new(_connections, _open, _refused, _most, _messages, _sent, _toldUntil, _users.Count);
        }
    }

    /// <summary>Counts an attempt to connect; false when there were too many within a minute.</summary>
    public bool TryAttempt()
    {
        lock (_gate)
        {
            while (_attempts.TryPeek(out var first) && first <= clock.GetUtcNow() - Window)
                _attempts.Dequeue();
            _attempts.Enqueue(clock.GetUtcNow());
            _most = Math.Max(_most, _attempts.Count);
            return _attempts.Count <= NewConnectionsPerMinute;
        }
    }

    public void Refuse()
    {
        lock (_gate)
            _refused++;
    }

    public void Open()
    {
        lock (_gate)
        {
            _connections++;
            _open++;
        }
    }

    public void Close(IEnumerable<string> users)
    {
        lock (_gate)
            _open--;
        foreach (var user in users)
            RemoveUser(user);
    }

    /// <summary>Counts a message of the client.</summary>
    public void Hear()
    {
        lock (_gate)
            _messages++;
    }

    /// <summary>Counts a message to a client.</summary>
    public void Say()
    {
        lock (_gate)
            _sent++;
    }

    /// <summary>A client was told everything until this second of the scenario.</summary>
    public void Tell(decimal until)
    {
        lock (_gate)
            _toldUntil = Math.Max(_toldUntil, until);
    }

    /// <summary>Takes an account among those followed; false when they are too many.</summary>
    public bool TryAddUser(string user)
    {
        lock (_gate)
        {
            if (!_users.ContainsKey(user) && _users.Count == Users)
                return false;
            _users[user] = _users.GetValueOrDefault(user) + 1;
            return true;
        }
    }

    public void RemoveUser(string user)
    {
        lock (_gate)
        {
            if (--_users[user] == 0)
                _users.Remove(user);
        }
    }
}

/// <summary>
/// Connections accepted, open and refused, the most attempts within a minute, messages of and to clients, the second of
/// the scenario until which a client was told everything, and accounts followed now.
/// </summary>
internal sealed record FeedCounts(
    long Connections, int Open, long Refused, int MaxAttemptsPerMinute, long Messages, long Sent, decimal ToldUntil, int Users);
