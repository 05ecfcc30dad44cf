using Monitoring.Simulator.Model;

namespace Monitoring.Simulator.Watching;

/// <summary>Words and times as the watch prints them.</summary>
internal static class Text
{
    public static string Of(Severity severity) => severity.ToString().ToLowerInvariant();

    /// <summary>A wall time as a second of the scenario: "+27.4s".</summary>
    public static string Second(DateTimeOffset time, ScenarioView scenario) =>
        (time - scenario.Start).TotalSeconds.ToString("+0.0;-0.0") + "s";
}
