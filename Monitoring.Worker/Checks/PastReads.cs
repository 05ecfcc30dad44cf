namespace Monitoring.Worker.Checks;

/// <summary>
/// Lets checks read what the database has without waiting for it: a check waits for <see cref="Patience"/> at most, and while a read that
/// was waited for in vain goes on, none is begun and none is waited for. So a database that hangs costs all checks one wait together.
/// </summary>
internal sealed class PastReads
{
    /// <summary>So long a check waits.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30); // a read that nobody waits for may still bring something

    private volatile Task? _hanging;

    private bool Hangs => _hanging is { IsCompleted: false };

    /// <summary>Begins a read that may outlive the check that asks.</summary>
    /// <exception cref="TimeoutException">An earlier one hangs.</exception>
    internal Task<T> Begin<T>(Func<CancellationToken, Task<T>> read)
    {
        if (Hangs)
            throw StillHangs();
        var end = new CancellationTokenSource(Longest, TimeProvider.System); // not disposed while the read may go on
        var reading = Task.Run(() => read(end.Token));
        _ = reading.ContinueWith(ended => ended.Exception, TaskScheduler.Default); // observed, should nobody wait any more
        return reading;
    }

    /// <summary>Waits for a read as long as a check may.</summary>
    /// <exception cref="TimeoutException">It goes on.</exception>
    public async Task<T> WaitAsync<T>(Task<T> reading, CancellationToken cancellationToken)
    {
        if (!reading.IsCompleted && Hangs)
            throw StillHangs();
        try
        {
            return await reading.WaitAsync(Patience, TimeProvider.System, cancellationToken);
        }
        catch (TimeoutException fault) when (!reading.IsCompleted)
        {
            _hanging = reading;
            throw new TimeoutException($"no answer within {Patience.TotalSeconds:0} s", fault);
        }
    }

    /// <summary>Reads, and waits for it as long as a check may.</summary>
    /// <exception cref="TimeoutException">It takes longer, or an earlier one hangs.</exception>
    public Task<T> ReadAsync<T>(Func<CancellationToken, Task<T>> read, CancellationToken cancellationToken) =>
        WaitAsync(Begin(read), cancellationToken);

    private static TimeoutException StillHangs() => new("an earlier question is not answered yet");
}
