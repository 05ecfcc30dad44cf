using Monitoring.Data.Events;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Recording;

/// <summary>Takes what checks brought.</summary>
internal interface IRecorder
{
    /// <summary>Takes a result. It is kept when this returns; no check waits for the database.</summary>
    void Record(CheckResult result);
}

/// <summary>How events are handled, for all monitors.</summary>
internal sealed record EventOptions(int ResolveAfter, Severity AlertMinSeverity)
{
    public static EventOptions Read(Data.Configuration.SettingsReader settings) => new(
        settings.Whole("Events:ResolveAfter", null, 3, 1, 100),
        settings.Choice("Events:AlertMinSeverity", "ALERT_MIN_SEVERITY", Severity.High));
}
