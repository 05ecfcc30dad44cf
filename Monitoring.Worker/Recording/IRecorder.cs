using Monitoring.Data.Events;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Recording;

/// <summary>
/// Takes what checks brought. <see cref="RecordAsync"/> does not throw for a database that is away: the result is kept for later.
/// </summary>
internal interface IRecorder
{
    /// <summary>Records the result, or keeps it until it can be recorded.</summary>
    Task RecordAsync(CheckResult result, CancellationToken cancellationToken);
}

/// <summary>How events are handled, for all monitors.</summary>
internal sealed record EventOptions(int ResolveAfter, Severity AlertMinSeverity)
{
    public static EventOptions Read(Data.Configuration.SettingsReader settings) => new(
        settings.Whole("Events:ResolveAfter", null, 3, 1, 100),
        settings.Choice("Events:AlertMinSeverity", "ALERT_MIN_SEVERITY", Severity.High));
}
