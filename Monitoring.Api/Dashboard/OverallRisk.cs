using System.Text.Json.Serialization;
using Monitoring.Api.Monitors;
using Monitoring.Api.Workers;
using Monitoring.Data.Checks;
using Monitoring.Data.Events;

namespace Monitoring.Api.Dashboard;

/// <summary>The level that a score of overall risk means.</summary>
public enum RiskLevel { LOW, MEDIUM, HIGH, CRITICAL }

/// <summary>One part of the overall risk: its score from 0 to 100, and where it comes from.</summary>
public sealed record RiskPart(string Name, decimal Score, string Detail);

/// <summary>The largest of its parts, and which one that was.</summary>
public sealed record OverallRisk(
    decimal Score, [property: JsonConverter(
        typeof(JsonStringEnumConverter<RiskLevel>))] RiskLevel Level, string DecidedBy, IReadOnlyList<RiskPart> Parts)
{
    /// <summary>Weighs what subjects bring, the open events, the monitors that cannot see, and whether anybody watches at all.</summary>
    internal static OverallRisk Of(
        IEnumerable<RiskPart> ofSubjects, IReadOnlyList<SeverityCount> open, IReadOnlyList<MonitorView> monitors, WorkersView workers)
    {
        var parts = ofSubjects.ToList();
        var worst = open.Where(count => count.Count > 0).MaxBy(count => count.Severity);
        parts.Add(worst is null
            ? new RiskPart("open_events", 0, "no open event")
            : new RiskPart("open_events", WeightOf(worst.Severity),
                $"{worst.Count} open event{(worst.Count == 1 ? "" : "s")} of severity {worst.Severity.ToString().ToLowerInvariant()}"));

        var blind = monitors.Where(monitor => monitor.State is Freshness.Stale or Freshness.Never).Select(monitor => monitor.Name).ToList();
        parts.Add(workers.IsBlind ? new RiskPart("blind", 60, $"blind: {workers.Detail}")
            : monitors.Count == 0 ? new RiskPart("blind", 60, "blind: no worker has registered a monitor")
            : blind.Count > 0 ? new RiskPart("blind", 60, $"blind: no recent successful check of {string.Join(", ", blind)}")
            : new RiskPart("blind", 0, "every monitor has recent data"));

        var deciding = parts.MaxBy(part => part.Score)!;
        return new OverallRisk(deciding.Score, LevelOf(deciding.Score), deciding.Name, parts);
    }

    private static decimal WeightOf(Severity severity) => severity switch
    {
        Severity.Critical => 90,
        Severity.High => 70,
        Severity.Medium => 45,
        Severity.Low => 20,
        _ => 0,
    };

    private static RiskLevel LevelOf(decimal score) => score switch
    {
        >= 70 => RiskLevel.CRITICAL,
        >= 50 => RiskLevel.HIGH,
        >= 30 => RiskLevel.MEDIUM,
        _ => RiskLevel.LOW,
    };
}
