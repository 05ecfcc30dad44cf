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
    public FaultMet? Take(string type, string? account = null)
    {
        lock (_gate)
        {
            var index = _active.FindIndex(fault => (fault.Type is null || fault.Type == type)
                && (fault.Account is null || string.Equals(fault.Account, account, StringComparison.OrdinalIgnoreCase)));
            if (index < 0)
                return timed.FindAt(now(), type) is { } due ? new(due, clock, _clearing.Token) : null;
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
