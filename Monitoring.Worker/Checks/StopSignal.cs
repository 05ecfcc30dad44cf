
namespace Monitoring.Worker.Checks;

/// <summary>Lets running checks end when the worker is asked to stop, and cancels them when they take too long about it.</summary>
internal sealed class StopSignal : IDisposable
{
    /// <summary>
    /// How long a running check may go on after the worker was asked to stop; the rest of ten seconds is for recording it.
    /// </summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(7);

    private readonly CancellationTokenSource _checks;

    public StopSignal(IHostApplicationLifetime lifetime, TimeProvider clock)
    {
        _checks = new CancellationTokenSource(Timeout.InfiniteTimeSpan, clock);
        lifetime.ApplicationStopping.Register(() => _checks.CancelAfter(Grace));
    }

    /// <summary>Cancelled when checks must end now.</summary>
    public CancellationToken Checks => _checks.Token;

    /// <inheritdoc/>
    public void Dispose() => _checks.Dispose();
}
