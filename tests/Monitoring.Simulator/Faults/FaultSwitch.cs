namespace Monitoring.Simulator.Faults;

/// <summary>The faults in force, oldest first, those of the scenario last; each request meets the first that applies to it.</summary>
internal sealed class FaultSwitch(TimeProvider clock, TimedFaults timed, Func<decimal> now)
{
    private readonly Lock _gate = new();
    private readonly List<Fault> _active = [];
    private CancellationTokenSource _clearing = new();

    public IReadOnlyList<Fault> Active
    {
        get
        {
            lock (_gate)
                return [.. _active];
        }
    }

    public void Add(Fault fault)
    {
        lock (_gate)
            _active.Add(fault);
    }

    /// <summary>Ends every fault and lets the requests that hang or wait be answered.</summary>
    public void Clear()
    {
        CancellationTokenSource ended;
        lock (_gate)
        {
            _active.Clear();
            (ended, _clearing) = (_clearing, new());
        }

        ended.Cancel();
    }

    /// <summary>The fault that a request of this type meets, counted off if it has a count.</summary>
    public FaultMet? Take(string type, string? account = null) =>
        Take(fault => (fault.Type is null || fault.Type == type)
            && (fault.Account is null || string.Equals(fault.Account, account, StringComparison.OrdinalIgnoreCase)))
        ?? (timed.FindAt(now(), type) is { } due ? new(due, clock, _clearing.Token) : null);

    /// <summary>The fault that a message of the websocket meets.</summary>
    public FaultMet? TakeForFeed() => Take(fault => fault.Type == FaultNames.Feed && fault.Kind != FaultKind.Refuse);

    /// <summary>Whether a client of the websocket is turned away.</summary>
    public bool RefusesFeed() => Take(fault => fault.Type == FaultNames.Feed && fault.Kind == FaultKind.Refuse) is not null || HasOutage();

    /// <summary>Whether the venue as a whole is down: then its websocket is, too.</summary>
    public bool HasOutage()
    {
        lock (_gate)
            return _active.Exists(fault => fault is { Type: null, Account: null, Count: null } && IsDown(fault))
                || (timed.FindAt(now(), FaultNames.Feed) is { } due && IsDown(due));
    }

    private static bool IsDown(Fault fault) => fault.Kind is FaultKind.Http500 or FaultKind.Html or FaultKind.Reset;

    private FaultMet? Take(Predicate<Fault> applies)
    {
        lock (_gate)
        {
            var index = _active.FindIndex(applies);
            if (index < 0)
                return null;
            var fault = _active[index];
            if (fault.Count == 1)
                _active.RemoveAt(index);
            else
                _active[index] = fault with { Count = fault.Count - 1 };
            return new(fault, clock, _clearing.Token);
        }
    }
}

/// <summary>A fault that one request met.</summary>
internal sealed record FaultMet(Fault Fault, TimeProvider Clock, CancellationToken Cleared)
{
    /// <summary>Waits as long as the fault makes a request wait; ends early, without a complaint, when the faults are cleared.</summary>
    public async Task WaitAsync(CancellationToken clientGone)
    {
        var length = Fault.Kind switch
        {
            FaultKind.Slow => TimeSpan.FromSeconds((double)(Fault.Seconds ?? 0)),
            FaultKind.Hang => Timeout.InfiniteTimeSpan,
            _ => TimeSpan.Zero,
        };
        using var either = CancellationTokenSource.CreateLinkedTokenSource(clientGone, Cleared);
        try
        {
            await Task.Delay(length, Clock, either.Token);
        }
        catch (OperationCanceledException) when (Cleared.IsCancellationRequested)
        {
            // Cleared: the request is answered as if nothing had been.
        }
    }
}
