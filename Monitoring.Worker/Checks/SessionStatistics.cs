using Monitoring.Data.Checks;

namespace Monitoring.Worker.Checks;

/// <summary>Counts what this process did since its start; logged when it stops.</summary>
internal sealed class SessionStatistics(TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, (long Succeeded, long Failed, int FailuresInARow)> _checks = [];
    private readonly DateTimeOffset _startedAt = clock.GetUtcNow();
    private long _stored;
    private long _alreadyThere;
    private long _changes;

    /// <summary>Counts a check; answers how many of its monitor have failed in a row by now.</summary>
    public int Count(CheckRun run)
    {
        lock (_lock)
        {
            var (succeeded, failed, inARow) = _checks.GetValueOrDefault(run.Monitor);
            _checks[run.Monitor] = run.Outcome == CheckOutcome.Succeeded ? (succeeded + 1, failed, 0) : (succeeded, failed + 1, inARow + 1);
            return _checks[run.Monitor].FailuresInARow;
        }
    }

    /// <summary>Whether this was its monitor's first success, so that a log without news still shows that things work.</summary>
    public bool IsFirstSuccess(CheckRun run)
    {
        lock (_lock)
            return _checks[run.Monitor].Succeeded == 1;
    }

    /// <summary>Counts a recorded result.</summary>
    public void CountRecorded(bool wasNew, int changes)
    {
        lock (_lock)
        {
            _stored += wasNew ? 1 : 0;
            _alreadyThere += wasNew ? 0 : 1;
            _changes += changes;
        }
    }

    /// <summary>One line for the log.</summary>
    public override string ToString()
    {
        lock (_lock)
        {
            var checks = string.Join("; ", _checks.Select(c => $"{c.Key} {c.Value.Succeeded} succeeded, {c.Value.Failed} failed"));
            return $"up {(clock.GetUtcNow() - _startedAt).TotalSeconds:0} s; checks: {(checks.Length > 0 ? checks : "none")}; "
                + $"{_stored} results stored, {_alreadyThere} already there; {_changes} event changes";
        }
    }
}

/// <summary>The name of this process in the ledger.</summary>
internal sealed record WorkerIdentity(string Name)
{
    /// <summary>Host and process id.</summary>
    public static WorkerIdentity OfThisProcess() => new($"{Environment.MachineName}/{Environment.ProcessId}");
}
