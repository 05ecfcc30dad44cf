using Monitoring.Data.Configuration;

namespace Monitoring.Worker.Notifications.Channels;

/// <summary>Every channel's settings; null where a channel is off. Links in messages begin with <paramref name="PublicUrl"/>.</summary>
internal sealed record ChannelOptions(
    WebhookOptions? Webhook, Uri? SlackUrl, Uri? DiscordUrl, TelegramOptions? Telegram, PagerDutyOptions? PagerDuty,
    EmailOptions? Email, Uri? PublicUrl)
{
    private const string PublicUrlForm = "the http or https address at which people reach the page, like https://risk.example.org";

    /// <summary>Reads the settings; what is half there becomes a fault.</summary>
    public static ChannelOptions Read(SettingsReader settings) => new(
        WebhookOptions.Read(settings),
        ChannelAddress.Read(settings, "Notifications:Slack:Url", "SLACK_WEBHOOK_URL"),
        ChannelAddress.Read(settings, "Notifications:Discord:Url", "DISCORD_WEBHOOK_URL"),
        TelegramOptions.Read(settings),
        PagerDutyOptions.Read(settings),
        EmailOptions.Read(settings),
        settings.Optional("Notifications:PublicUrl", "PUBLIC_URL", PublicUrlForm, ParsePublicUrl));

    /// <summary>Where people read about an event; null where <c>PUBLIC_URL</c> is not set.</summary>
    public Uri? LinkTo(Guid eventId) => PublicUrl is null ? null : new Uri(PublicUrl, $"#/events/{eventId}");

    /// <inheritdoc/>
    public override string ToString() => nameof(ChannelOptions); // without secrets

    private static Uri? ParsePublicUrl(string text) =>
        Uri.TryCreate(text.EndsWith('/') ? text : text + "/", UriKind.Absolute, out var url)
        && url is { Scheme: "http" or "https", UserInfo: "", Query: "", Fragment: "" } ? url : null;
}
