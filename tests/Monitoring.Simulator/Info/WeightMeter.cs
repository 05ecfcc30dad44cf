namespace Monitoring.Simulator.Info;

/// <summary>The venue's limit per address: the weight of the requests admitted in the last 60 seconds.</summary>
internal sealed class WeightMeter(TimeProvider clock, int limit)
{
    public const int VenueLimit = 1200;

    private static readonly TimeSpan Window = TimeSpan.FromSeconds(60);
    private readonly Lock _gate = new();
    private readonly Queue<(DateTimeOffset At, int Weight)> _admitted = new();
    private int _current;
    private int _max;
    private long _rejected;

    /// <summary>The weight of the last minute.</summary>
    public int LastMinute
    {
        get
        {
            lock (_gate)
            {
                Forget();
                return _current;
            }
        }
    }

    /// <summary>The most that any minute weighed.</summary>
    public int MaxLastMinute
    {
        get
        {
            lock (_gate)
                return _max;
        }
    }

    /// <summary>How many requests were over the limit.</summary>
    public long Rejected
    {
        get
        {
            lock (_gate)
                return _rejected;
        }
    }

    /// <summary>Takes a request's weight, or refuses the request.</summary>
    public bool Admit(int weight)
    {
        lock (_gate)
        {
            Forget();
            if (_current + weight > limit)
            {
                _rejected++;
                return false;
            }

            _admitted.Enqueue((clock.GetUtcNow(), weight));
            _current += weight;
            _max = Math.Max(_max, _current);
            return true;
        }
    }

    /// <summary>Adds the weight of an answer that is given already.</summary>
    public void Charge(int weight)
    {
        lock (_gate)
        {
            Forget();
            _admitted.Enqueue((clock.GetUtcNow(), weight));
            _current += weight;
            _max = Math.Max(_max, _current);
        }
    }

    private void Forget()
    {
        var oldest = clock.GetUtcNow() - Window;
        while (_admitted.TryPeek(out var first) && first.At <= oldest)
            _current -= _admitted.Dequeue().Weight;
    }
}
