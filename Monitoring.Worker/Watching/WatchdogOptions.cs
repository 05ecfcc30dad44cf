using Monitoring.Data.Configuration;

namespace Monitoring.Worker.Watching;

/// <summary>How often the watchdog looks, and the address to request while all data is fresh, if any.</summary>
internal sealed record WatchdogOptions(TimeSpan Interval, Uri? HeartbeatUrl)
{
    private const string Form = "an http or https address";

    /// <summary>Reads the settings. The heartbeat's address is a secret: whoever knows it can keep the alarm from going off.</summary>
    public static WatchdogOptions Read(SettingsReader settings)
    {
        var interval = settings.Seconds("Monitors:Watchdog:Interval", null, 10, 1, 3600);
        if (settings.Secret("Heartbeat:Url", "HEARTBEAT_URL", Form) is not { } text)
            return new WatchdogOptions(interval, null);
        if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https")
            return new WatchdogOptions(interval, url);
        settings.Refuse("HEARTBEAT_URL", $"is not allowed; it must be {Form}");
        return new WatchdogOptions(interval, null);
    }
}
