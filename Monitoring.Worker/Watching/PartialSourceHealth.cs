using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Watching;

/// <summary>What one check saw of one of the parts that its monitor watches, such as an account; the error where it saw nothing.</summary>
internal sealed record SourceReading(string Part, string? Error);

/// <summary>
/// The health of the parts of one monitor, which can fail alone: a check that succeeds with some of them says nothing of the others, so
/// each grows stale as a whole monitor does.
/// </summary>
internal sealed class PartialSourceHealth
{
    private readonly Dictionary<string, DateTimeOffset> _seenAt = [];

    /// <summary>
    /// One finding per part that was not seen for too long, and the fingerprints of those not seen for a while yet. A part that this
    /// process has never seen is taken for seen when it was first looked for.
    /// </summary>
    public (IReadOnlyList<Finding> Findings, IReadOnlyList<string> Unjudged) Judge(
        MonitorSchedule monitor, IEnumerable<SourceReading> readings, DateTimeOffset now)
    {
        var findings = new List<Finding>();
        var unjudged = new List<string>();
        foreach (var (part, error) in readings)
        {
            if (error is null || !_seenAt.TryGetValue(part, out var seenAt))
                _seenAt[part] = seenAt = now;
            if (error is null)
                continue;
            if (WatchdogRules.FindPart(monitor, part, seenAt, error, now) is { } finding)
                findings.Add(finding);
            else
                unjudged.Add(WatchdogRules.FingerprintOfPart(monitor, part));
        }

        return (findings, unjudged);
    }
}
