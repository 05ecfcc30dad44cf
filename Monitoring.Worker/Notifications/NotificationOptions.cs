using Monitoring.Data.Configuration;
using Monitoring.Data.Events;
using Monitoring.Data.Subjects;
using Monitoring.Worker.Notifications.Channels;

namespace Monitoring.Worker.Notifications;

/// <summary>
/// How notifications leave: the first of each minute at once; what comes after them is gathered, waits for at most
/// <paramref name="GroupWindow"/> and goes as one. After <paramref name="Deadline"/> of failures a message is dead.
/// </summary>
internal sealed record NotificationOptions(TimeSpan GroupWindow, TimeSpan Deadline, IReadOnlyList<NotificationRoute> Routes)
{
    private const string RoutesSection = "Notifications:Routes";
    private static readonly TimeSpan LongestUrgentWindow = TimeSpan.FromSeconds(10);

    /// <summary>What is critical waits for others no longer than this.</summary>
    public TimeSpan UrgentWindow => GroupWindow < LongestUrgentWindow ? GroupWindow : LongestUrgentWindow;

    /// <summary>Reads the settings. A route without a severity of its own begins at <paramref name="minSeverity"/>.</summary>
    public static NotificationOptions Read(SettingsReader settings, ChannelOptions channels, Severity minSeverity)
    {
        var window = settings.Seconds("Notifications:GroupWindow", null, 30, 0, 3600);
        var deadline = settings.Seconds("Notifications:Deadline", null, 86400, 60, 30 * 86400);
        ReadRoute(settings, "<name>", channels, minSeverity); // for the reference
        return new NotificationOptions(window, deadline,
            [.. settings.Children(RoutesSection).Select(name => ReadRoute(settings, name, channels, minSeverity, given: true))]);
    }

    private static NotificationRoute ReadRoute(
        SettingsReader settings, string name, ChannelOptions channels, Severity minSeverity, bool given = false)
    {
        var key = $"{RoutesSection}:{name}";
        var (known, threatTypes) = (Known(channels), DataSubjects.Rules.ThreatTypes);
        var route = new NotificationRoute(name,
            settings.List(
                $"{key}:Channels", string.Join(", ", known.Keys), text => known.ContainsKey(text) ? text.ToLowerInvariant() : null),
            settings.Choice($"{key}:MinSeverity", null, minSeverity),
            settings.List($"{key}:ThreatTypes", string.Join(", ", threatTypes), text => threatTypes.Contains(text) ? text : null),
            settings.List(
                $"{key}:Subjects", "subjects of events, such as BTC; one that ends with * means all that begin like it", text => text))
        {
            After = settings.Whole($"{key}:After", null, 0, 0, 7 * 86400),
        };
        if (given && route.Channels.Count == 0 && !settings.HasFault($"{key}:Channels"))
            settings.Refuse($"{key}:Channels", $"is not set; it must be one or more of {string.Join(", ", known.Keys)}");
        foreach (var channel in route.Channels.Where(channel => known[channel] is not null))
            settings.Refuse($"{key}:Channels", $"names {channel}, which is off; set {known[channel]}");
        return route;
    }

    // Each channel, with the setting that is missing where it is off.
    private static Dictionary<string, string?> Known(ChannelOptions channels) => new(StringComparer.OrdinalIgnoreCase)
    {
        [WebhookChannel.ChannelName] = channels.Webhook is null ? "WEBHOOK_URL" : null,
        [SlackChannel.ChannelName] = channels.SlackUrl is null ? "SLACK_WEBHOOK_URL" : null,
        [DiscordChannel.ChannelName] = channels.DiscordUrl is null ? "DISCORD_WEBHOOK_URL" : null,
        [TelegramChannel.ChannelName] = channels.Telegram is null ? "TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID" : null,
        [PagerDutyChannel.ChannelName] = channels.PagerDuty is null ? "PAGERDUTY_ROUTING_KEY" : null,
        [EmailChannel.ChannelName] = channels.Email is null ? "SMTP_URL and ADMIN_EMAIL" : null,
    };
}
