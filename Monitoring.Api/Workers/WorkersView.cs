using Monitoring.Data.Workers;

namespace Monitoring.Api.Workers;

/// <summary>Whether anybody watches.</summary>
public enum WorkerState
{
    /// <summary>A worker has reported just now.</summary>
    Alive,

    /// <summary>None has for so long that none lives, or none reaches the database.</summary>
    Silent,

    /// <summary>None runs: the last one was stopped in good order.</summary>
    Stopped,

    /// <summary>It cannot be seen from here, or none has ever reported.</summary>
    Unknown,
}

/// <summary>
/// The workers, by the pulse that each writes every 5 s. <c>count</c> of them report now; <c>age_seconds</c> is how long ago the newest
/// pulse was, by the database's clock. <c>state</c> is <c>silent</c> from 12 s on, and <c>unknown</c> while the database takes no writes;
/// <c>detail</c> says it in a sentence. <c>vanished</c> are those that ended without a word while another one lives.
/// </summary>
public sealed record WorkersView(
    DateTimeOffset? NewestPulseAt, double? AgeSeconds, int Count, WorkerState State, string Detail, IReadOnlyList<string> Vanished)
{
    /// <summary>Whether nobody watches, and nothing else explains that none is seen.</summary>
    internal bool IsBlind => State == WorkerState.Silent || (State == WorkerState.Stopped && AgeSeconds >= WorkerRules.SilentAfterSeconds);
}

/// <summary>The rows of all workers, and what the server says of itself, some time ago.</summary>
internal sealed record WorkerRows(ServerMode Mode, IReadOnlyList<WorkerPulse> Pulses, long ReadAt);

/// <summary>Judges the workers by what is stored of them and the time since that was read.</summary>
internal static class WorkerRules
{
    /// <summary>Two pulses and a deadline: from so long on a worker is silent.</summary>
    public const double SilentAfterSeconds = 12;

    private const int MostNamed = 3;

    /// <summary>Whether one of them lives: then the database takes writes, too.</summary>
    public static bool IsAnyAlive(WorkerRows rows, TimeSpan sinceRead) =>
        !rows.Mode.IsStandby && rows.Pulses.Any(pulse => IsAlive(pulse, sinceRead));

    /// <summary>Why the database takes no writes, as far as it says so itself; else null.</summary>
    public static string? FindReadOnly(ServerMode mode) =>
        mode.IsStandby ? "it is a standby" : mode.IsReadOnly ? "it is set to read-only" : null;

    /// <summary>
    /// The workers as they are now. <paramref name="noWrites"/> is why the database takes no writes, null where it does: what cannot be
    /// written says nothing of those who would write it.
    /// </summary>
    public static WorkersView Judge(WorkerRows rows, TimeSpan sinceRead, string? noWrites)
    {
        if (rows.Pulses.Count == 0)
            return new WorkersView(null, null, 0, WorkerState.Unknown,
                noWrites is null ? "No worker has reported yet" : CannotBeSeen(noWrites), []);
        // A pulse that lies ahead of the clock was written before that was set back: it is as old as it is ahead.
        var newest = rows.Pulses.MinBy(pulse => Math.Abs(AgeOf(pulse, sinceRead)))!;
        var age = AgeOf(newest, sinceRead);
        var alive = rows.Pulses.Count(pulse => IsAlive(pulse, sinceRead));
        var vanished = alive > 0 && noWrites is null
            ? rows.Pulses.Where(pulse => HasVanished(pulse, rows.Pulses, sinceRead)).ToList() : [];
        var (state, detail) = noWrites is not null ? (WorkerState.Unknown, CannotBeSeen(noWrites))
            : alive > 0 ? (WorkerState.Alive, SayAlive(alive, vanished, sinceRead))
            : newest.StoppedAt is not null ? (WorkerState.Stopped, $"The last worker was stopped {Say(age)} ago")
            : age < 0 ? (WorkerState.Silent, $"No worker has reported since the database's clock was set back by {Say(-age)} or more")
            : (WorkerState.Silent, $"No worker has reported for {Say(age)}");
        return new WorkersView(newest.PulsedAt, Math.Round(Math.Abs(age) < SilentAfterSeconds ? Math.Max(0, age) : age, 1),
            noWrites is null ? alive : 0, state, detail, [.. vanished.Select(pulse => pulse.Worker)]);
    }

    private static double AgeOf(WorkerPulse pulse, TimeSpan sinceRead) => pulse.AgeSeconds + sinceRead.TotalSeconds;

    private static bool IsAlive(WorkerPulse pulse, TimeSpan sinceRead) =>
        pulse.StoppedAt is null && Math.Abs(AgeOf(pulse, sinceRead)) < SilentAfterSeconds;

    // One that was started on the same host since has taken its place: a program that crashed and was started again is no loss.
    private static bool HasVanished(WorkerPulse pulse, IReadOnlyList<WorkerPulse> all, TimeSpan sinceRead) =>
        pulse.StoppedAt is null && !IsAlive(pulse, sinceRead)
        && !all.Any(other => HostOf(other) == HostOf(pulse) && other.StartedAt > pulse.PulsedAt);

    private static string HostOf(WorkerPulse pulse) => pulse.Worker.Split('/')[0];

    private static string CannotBeSeen(string noWrites) =>
        $"The database takes no writes; the worker cannot be seen from here ({noWrites})";

    private static string SayAlive(int alive, List<WorkerPulse> vanished, TimeSpan sinceRead)
    {
        var reporting = alive == 1 ? "One worker reports" : $"{alive} workers report";
        if (vanished.Count == 0)
            return reporting;
        var named = vanished.Take(MostNamed).Select(pulse => $"{pulse.Worker} has not for {Say(Math.Abs(AgeOf(pulse, sinceRead)))}");
        var more = vanished.Count > MostNamed ? $", nor have {vanished.Count - MostNamed} more" : "";
        return $"{reporting}; {string.Join(", ", named)}{more}";
    }

    private static string Say(double seconds) => seconds switch
    {
        < 120 => $"{seconds:0} s",
        < 120 * 60 => $"{seconds / 60:0} min",
        < 48 * 3600 => $"{seconds / 3600:0} h",
        _ => $"{seconds / 86400:0} days",
    };
}
