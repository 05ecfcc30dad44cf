namespace Monitoring.Benchmarks.Faults;

/// <summary>
/// One kind of thing that was observed: how many, how many are stored, how many of them are missing, and how many are there twice.
/// </summary>
internal sealed record Observed(string What, long Count, long Stored, long Missing, long Doubled);

/// <summary>
/// The ledger of checks: rows, those that did not succeed, grid times without a row, and of these the ones that no
/// death of a worker explains.
/// </summary>
internal sealed record GridCount(long Rows, long Failed, int Absent, IReadOnlyList<string> Unexplained);

/// <summary>
/// Messages that were decided, and what became of them. Unasked: taken by the receiver under an id that no row has,
/// with their time and bytes. Refused: attempts that the receiver failed.
/// </summary>
internal sealed record Delivered(
    long Decided, long Taken, long Missing, int Repeated, int RepeatedWithoutCause, IReadOnlyList<string> Unasked, int Dead, int Refused);

/// <summary>
/// What a run came to. <paramref name="SettledAfter"/>: how long after the last fault and the scenario's end nothing
/// was missing any more; null when that did not happen in time.
/// </summary>
internal sealed record FaultReport(
    FaultOptions Options, IReadOnlyDictionary<FaultKind, int> Injected, IReadOnlyList<Observed> Observed,
    GridCount Grid, Delivered Delivered, TimeSpan? SettledAfter)
{
    /// <summary>Nothing is missing, nothing is there twice, and no message was repeated without a cause.</summary>
    public bool IsClean => SettledAfter is not null && Observed.All(one => one is { Missing: 0, Doubled: 0 }) && Grid.Unexplained.Count == 0
        && Delivered is { Missing: 0, RepeatedWithoutCause: 0, Dead: 0 };

    /// <summary>The name of a kind of fault, for people.</summary>
    public static string Name(FaultKind kind) => kind switch
    {
        FaultKind.Kill => "kills",
        FaultKind.DatabaseStop => "database stops",
        FaultKind.Cut => "cuts",
        FaultKind.Receiver => "receiver faults",
        FaultKind.SecondWorker => "times two workers",
        FaultKind.DiskFull => "full disks",
        FaultKind.JournalRemoved => "journal folders removed",
        _ => "clock steps",
    };

    /// <summary>Prints the report as tables.</summary>
    public void Print(TextWriter output)
    {
        output.WriteLine();
        output.WriteLine($"Faults (seed {Options.Seed}): "
            + $"{string.Join(", ", Injected.OrderBy(pair => pair.Key).Select(pair => $"{pair.Value} {Name(pair.Key)}"))}");
        output.WriteLine($"  {"",-36} {"observed",9} {"stored",9} {"missing",9} {"doubled",9}");
        foreach (var one in Observed)
            output.WriteLine($"  {one.What,-36} {one.Count,9} {one.Stored,9} {one.Missing,9} {one.Doubled,9}");
        output.WriteLine($"  {"",-36} {"rows",9} {"failed",9} {"absent",9} {"unexplained",11}");
        output.WriteLine($"  {"times of the grid",-36} {Grid.Rows,9} {Grid.Failed,9} {Grid.Absent,9} {Grid.Unexplained.Count,11}  "
            + $"{string.Join(", ", Grid.Unexplained.Take(6))}");
        output.WriteLine($"  {"",-36} {"decided",9} {"delivered",9} {"missing",9} {"repeated",9}");
        output.WriteLine($"  {"notifications",-36} {Delivered.Decided,9} {Delivered.Taken,9} {Delivered.Missing,9} {Delivered.Repeated,9}"
            + $"  ({Delivered.RepeatedWithoutCause} without a cause; {Delivered.Refused} attempts failed at the receiver, "
            + $"{Delivered.Dead} dead, {Delivered.Unasked.Count} of no row)");
        output.WriteLine(SettledAfter is { } after
            ? $"  all there {after.TotalSeconds:0} s after the end of the faults and of the scenario"
            : $"  NOT all there {FaultOptions.Patience.TotalSeconds:0} s after the end of the faults and of the scenario");
        output.WriteLine(IsClean ? "PASSED" : "FAILED");
    }
}
