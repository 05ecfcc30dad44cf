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
    private static readonly TimeSpan RemindOfCritical = TimeSpan.FromMinutes(30);

    /// <summary>Whether an event may speak for others, which then notify nobody.</summary>
    public bool Inhibit { get; init; } = true;

    /// <summary>After how long people are reminded of what nobody has acknowledged; never for a severity that is not there.</summary>
    public IReadOnlyDictionary<Severity, TimeSpan> Remind { get; init; } =
        new Dictionary<Severity, TimeSpan> { [Severity.Critical] = RemindOfCritical };

    public static EventOptions Read(Data.Configuration.SettingsReader settings) => new(
        settings.Whole("Events:ResolveAfter", null, 3, 1, 100),
        settings.Choice("Events:AlertMinSeverity", "ALERT_MIN_SEVERITY", Severity.High))
    {
        Inhibit = settings.IsOn("Notifications:Inhibit", null, fallback: true),
        Remind = Enum.GetValues<Severity>().OrderDescending().Select(severity => (Severity: severity, Every: settings.Seconds(
                $"Notifications:Remind:{severity}", null,
                severity == Severity.Critical ? (int)RemindOfCritical.TotalSeconds : 0, 0, 7 * 86400)))
            .Where(remind => remind.Every > TimeSpan.Zero).ToDictionary(remind => remind.Severity, remind => remind.Every),
    };
}
