using Monitoring.Data.Checks;
using Monitoring.Data.Subjects;

namespace Monitoring.Worker.Checks;

/// <summary>
/// What this process knows of one monitor's checks on the grid: the newest success, and the error of the newest check if that
/// failed. A check that the feed triggered may have looked at one account only, and says nothing of how fresh the rest is.
/// </summary>
internal sealed record MonitorMemory(DateTimeOffset? LastSuccessAt, string? LastError);

/// <summary>Counts what this process did since its start; logged when it stops.</summary>
internal sealed class SessionStatistics(TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, (long Succeeded, long Failed, int FailuresInARow)> _checks = [];
    private readonly Dictionary<string, MonitorMemory> _memory = [];
    private long _stored;
    private long _alreadyThere;
    private long _changes;

    /// <summary>When this process began.</summary>
    public DateTimeOffset StartedAt { get; } = clock.GetUtcNow();

    /// <summary>What is known of a monitor; null before its first check on the grid has ended.</summary>
    public MonitorMemory? Find(string monitor)
    {
        lock (_lock)
            return _memory.GetValueOrDefault(monitor);
    }

    /// <summary>Counts a check; answers how many of its monitor have failed in a row by now.</summary>
    public int Count(CheckRun run)
    {
        lock (_lock)
        {
            if (run.Trigger == CheckTrigger.Grid)
            {
                var lastSuccess = _memory.GetValueOrDefault(run.Monitor)?.LastSuccessAt;
                _memory[run.Monitor] = new MonitorMemory(
                    run.Outcome == CheckOutcome.Succeeded && !(lastSuccess > run.ScheduledAt && !lastSuccess.Value.IsAhead(run.FinishedAt))
                        ? run.ScheduledAt : lastSuccess,
                    run.Error);
            }

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
            return $"up {(clock.GetUtcNow() - StartedAt).TotalSeconds:0} s; checks: {(checks.Length > 0 ? checks : "none")}; "
                + $"{_stored} results stored, {_alreadyThere} already there; {_changes} event changes"
                + (OutsideName.Cleaned is > 0 and var cleaned ? $"; {cleaned} names from outside were made fit" : "");
        }
    }
}

/// <summary>The name of this process in the ledger.</summary>
internal sealed record WorkerIdentity(string Name)
{
    /// <summary>The host alone.</summary>
    public string Host => Name.Split('/')[0];

    /// <summary>What a part of this machine is called where every machine has one of its own.</summary>
    public string SubjectOf(string part) => $"{Host}:{part}";

    /// <summary>Whether an event's subject is this machine, or a part of it.</summary>
    public bool IsSubject(string subject) => subject == Host || subject.StartsWith(SubjectOf(""), StringComparison.Ordinal);

    /// <summary>Host and process id.</summary>
    public static WorkerIdentity OfThisProcess() => new($"{Environment.MachineName}/{Environment.ProcessId}");
}
