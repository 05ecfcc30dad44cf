using Monitoring.Data.Database;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Subjects;

/// <summary>
/// What <c>--check</c> says of one thing: null where all is well. A fault keeps something from working, a warning leaves it less to judge
/// by.
/// </summary>
internal sealed record CheckLine(string What, string? Problem = null, bool IsFault = false)
{
    /// <summary>The line as it is printed.</summary>
    public override string ToString() => Problem is null ? $"ok     {What}" : $"{(IsFault ? "FAULT" : "WARN ")}  {What}: {Problem}";
}

/// <summary>Tries a connection within a deadline, and puts what goes wrong into words.</summary>
internal sealed class ConnectionProbe(TimeProvider clock)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Tries it once. <paramref name="findProblem"/> answers null when all is well, and may throw what sources and databases throw.
    /// </summary>
    public async Task<CheckLine> TryAsync(
        string what, bool isFault, Func<CancellationToken, Task<string?>> findProblem, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(Deadline, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            return new CheckLine(what, await findProblem(either.Token), isFault);
        }
        catch (Exception fault) when (DatabaseFaults.Covers(fault))
        {
            return new CheckLine(what, DatabaseFaults.Describe(fault), isFault);
        }
        catch (Exception fault) when (fault is SourceUnavailableException or MissingDataException)
        {
            return new CheckLine(what, fault.Message, isFault);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            return new CheckLine(what, $"no answer within {Deadline.TotalSeconds:0} s", isFault);
        }
    }
}
