namespace Monitoring.Simulator.Watching;

/// <summary>Prints a report as a table.</summary>
internal static class ReportTable
{
    public static void Print(Report report, ScenarioView scenario, IReadOnlyList<string> complaints, TextWriter output)
    {
        output.WriteLine();
        output.WriteLine($"Report of scenario {scenario.Name}");
        if (report.Expected.Count > 0)
            output.WriteLine($"  {"result",-9} {"rule",-22} {"expected",-9} {"raised",-9} {"seconds",8} {"within",7} {"told",7}  title");
        foreach (var result in report.Expected)
            output.WriteLine(Line(result));

        if (report.PositionLead is var (lead, position, loss))
            output.WriteLine(lead > 0
                ? $"  {position} fired {lead:0.0} s before {loss}, the first rule that sees a loss."
                : $"  {position} fired {-lead:0.0} s AFTER {loss}, the first rule that sees a loss.");

        var from = Text.Of(scenario.UnexpectedFrom);
        output.WriteLine(report.Unexpected.Count == 0
            ? $"  No unexpected event of severity {from} or above."
            : $"  Unexpected, severity {from} or above:");
        foreach (var (watched, change) in report.Unexpected)
            output.WriteLine(
                $"    {Text.Second(change.ChangedAt, scenario),8}  {Text.Of(change.Severity),-9} "
                + $"{watched.Event.RuleId,-22} {watched.Event.Title}");
        foreach (var complaint in complaints)
            output.WriteLine($"  {complaint}");
        output.WriteLine(report.Passed && complaints.Count == 0 ? "PASSED" : "FAILED");
    }

    private static string Line(ExpectedResult result)
    {
        var raised = result.Severity is { } severity ? Text.Of(severity) : "-";
        var seconds = result.Seconds is { } number ? $"{number:0.0}" : "-";
        var told = result.ToldSeconds is { } at ? $"{at:0.0}" : "-";
        var expected = result.Expected;
        return $"  {Word(result.Outcome),-9} {expected.Rule,-22} {Text.Of(expected.Severity),-9} {raised,-9} {seconds,8} "
            + $"{expected.WithinSeconds,7} {told,7}  " + (result.Title ?? expected.Note);
    }

    private static string Word(Outcome outcome) => outcome switch
    {
        Outcome.Found => "found",
        Outcome.Late => "late",
        Outcome.Missed => "MISSED",
        _ => "not seen",
    };
}
