namespace Monitoring.Benchmarks.Faults;

/// <summary>
/// What one pause came to: seconds from the wrong price to its message, the longest time that a monitor went without a check beyond its
/// interval, and what was wrong.
/// </summary>
internal sealed record PauseResult(Pause Pause, double? ToldAfter, double Overdue, IReadOnlyList<string> Problems);

/// <summary>
/// What a run came to; <paramref name="Missing"/>: checks that a worker said it keeps and that are neither stored nor named by an event.
/// </summary>
internal sealed record PauseReport(IReadOnlyList<PauseResult> Pauses, int Kept, int Missing, IReadOnlyList<string> Ends)
{
    /// <summary>Nothing was wrong, nothing is missing, and each worker ended as it should.</summary>
    public bool IsClean => Missing == 0 && Ends.Count == 0 && Pauses.All(pause => pause.Problems.Count == 0);

    /// <summary>Prints the report as a table.</summary>
    public void Print(TextWriter output)
    {
        output.WriteLine();
        output.WriteLine($"  {"held still or broken",-36} {"for",6} {"told after",11} {"overdue",9}");
        foreach (var (pause, told, overdue, problems) in Pauses)
            output.WriteLine($"  {pause.What,-36} {pause.For.TotalSeconds,4:0} s {(told is { } after ? $"{after:0.0} s" : "-"),11} "
                + $"{(pause.Kind is PauseKind.Worker or PauseKind.Journal ? "-" : $"{overdue:0.0} s"),9}  {string.Join("; ", problems)}");
        output.WriteLine($"  {Kept} checks kept, {Missing} of them neither stored nor named by an event"
            + string.Concat(Ends.Select(end => $"; {end}")));
        output.WriteLine(IsClean ? "PASSED" : "FAILED");
    }
}
