using Monitoring.Data.Events;
using Monitoring.Worker.Events;

namespace Monitoring.Worker.Recording;

/// <summary>Says in the log what became of the events: loudly from <c>ALERT_MIN_SEVERITY</c> up.</summary>
internal sealed partial class EventLog(EventOptions options, ILogger<EventLog> logger)
{
    /// <summary>Writes one line per change.</summary>
    public void Write(EventUpdate update)
    {
        foreach (var change in update.Changes)
        {
            var level = change.Kind.Ends() || change.Severity < options.AlertMinSeverity ? LogLevel.Information
                : change.Severity == Severity.Critical ? LogLevel.Critical
                : LogLevel.Warning;
            var subject = update.EventOf(change);
            LogChange(level, change.Severity, subject.RuleId, change.Kind, change.Note, subject.Subject, change.EventId);
        }
    }

    [LoggerMessage("{Severity} {RuleId} {Kind}: {Note} [{Subject}, event {EventId}]")]
    private partial void LogChange(
        LogLevel level, Severity severity, string ruleId, ChangeKind kind, string? note, string subject, Guid eventId);
}
