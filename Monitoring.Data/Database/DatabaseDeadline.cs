namespace Monitoring.Data.Database;

/// <summary>
/// Holds a question to the database to a time. A token alone does not: to cancel, Npgsql first connects once more and
/// waits for that, which with a server that hangs takes as long as a connection may.
/// </summary>
public static class DatabaseDeadline
{
    private static readonly TimeSpan ToCancel = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Asks with a token that is cancelled in time, and leaves the question to itself when that does not end it:
    /// whatever it does must be harmless when it comes late.
    /// </summary>
    /// <exception cref="TimeoutException">It did not end in time.</exception>
    public static async Task<T> HoldAsync<T>(Func<CancellationToken, Task<T>> ask, TimeSpan time, CancellationToken cancellationToken)
    {
        var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken); // not disposed while the question may go on
        end.CancelAfter(time);
        try
        {
            return await ask(end.Token).WaitAsync(time + ToCancel, TimeProvider.System, cancellationToken);
        }
        catch (OperationCanceledException canceled) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"no answer within {time.TotalSeconds:0} s", canceled);
        }
    }
}
