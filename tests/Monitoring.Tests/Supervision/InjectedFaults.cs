using Monitoring.Worker.Venues.Hyperliquid.Feed;

namespace Monitoring.Tests.Supervision;

/// <summary>
/// Makes calls throw while it is on: all of them, or every other one, so that each call of a round is hit at some time; in turn what nobody
/// expects: a cancellation that nobody asked for, a defect, a fault of a device.
/// </summary>
internal sealed class InjectedFaults
{
    private int _thrown;

    public volatile bool IsOn;

    public volatile bool SparesSome;

    public int Thrown => Volatile.Read(ref _thrown);

    public void ThrowIfOn()
    {
        if (IsOn && (!SparesSome || Random.Shared.Next(2) == 0))
            throw (Interlocked.Increment(ref _thrown) % 3) switch
            {
                0 => new InvalidOperationException("thrown on purpose"),
                1 => new OperationCanceledException("nobody asked for it"),
                _ => new IOException("a device on purpose"),
            };
    }
}

/// <summary>A clock whose every call can fail.</summary>
internal sealed class FaultyClock(InjectedFaults faults) : TimeProvider
{
    public override DateTimeOffset GetUtcNow()
    {
        faults.ThrowIfOn();
        return System.GetUtcNow();
    }

    public override long GetTimestamp()
    {
        faults.ThrowIfOn();
        return System.GetTimestamp();
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        faults.ThrowIfOn();
        return System.CreateTimer(callback, state, dueTime, period);
    }
}

/// <summary>Lets every request of every client fail.</summary>
internal sealed class FaultyHandler(InjectedFaults faults) : DelegatingHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        faults.ThrowIfOn();
        return base.SendAsync(request, cancellationToken);
    }
}

/// <summary>A socket whose every call can fail, also one that is under way.</summary>
internal sealed class FaultySocket(InjectedFaults faults) : FeedSocket
{
    public override Task ConnectAsync(Uri url, CancellationToken cancellationToken)
    {
        faults.ThrowIfOn();
        return base.ConnectAsync(url, cancellationToken);
    }

    public override Task SendAsync(string text, CancellationToken cancellationToken)
    {
        faults.ThrowIfOn();
        return base.SendAsync(text, cancellationToken);
    }

    public override async Task<FeedMessage> ReceiveAsync(CancellationToken cancellationToken)
    {
        var message = await base.ReceiveAsync(cancellationToken);
        faults.ThrowIfOn();
        return message;
    }
}
