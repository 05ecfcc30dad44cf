using System.Security.Cryptography;
using System.Text;
using Monitoring.Data.Configuration;

namespace Monitoring.Worker.Notifications.Channels;

/// <summary>Where the webhook is, and the key that its messages are signed with, if any.</summary>
internal sealed record WebhookOptions(Uri Address, byte[]? Key)
{
    private const int ShortestSecret = 16;
    private const string KeyPrefix = "whsec_";
    private const string SecretForm = "whsec_ and at least 16 bytes in base64, or any text of at least 16 characters";

    /// <summary>Reads the settings; null where the channel is off.</summary>
    public static WebhookOptions? Read(SettingsReader settings)
    {
        var address = ChannelAddress.Read(settings, "Notifications:Webhook:Url", "WEBHOOK_URL");
        var secret = settings.Secret("Notifications:Webhook:Secret", "WEBHOOK_SECRET", SecretForm);
        if (secret is not null && address is null && !settings.HasFault("WEBHOOK_URL"))
            settings.Refuse("WEBHOOK_URL", "is not set, but WEBHOOK_SECRET is; set WEBHOOK_URL, or neither");
        var key = secret is null ? null : ParseKey(secret);
        if (secret is not null && key is null)
            settings.Refuse("WEBHOOK_SECRET", $"is too short or no base64; it must be {SecretForm}");
        return address is null ? null : new WebhookOptions(address, key);
    }

    /// <inheritdoc/>
    public override string ToString() => nameof(WebhookOptions); // without secrets

    private static byte[]? ParseKey(string secret)
    {
        if (!secret.StartsWith(KeyPrefix, StringComparison.Ordinal))
            return secret.Length >= ShortestSecret ? Encoding.UTF8.GetBytes(secret) : null;
        var key = new byte[secret.Length];
        return Convert.TryFromBase64String(secret[KeyPrefix.Length..], key, out var length) && length >= ShortestSecret
            ? key[..length]
            : null;
    }
}

/// <summary>
/// Posts the message as JSON to an address of the operator's, with the headers of the Standard Webhooks specification:
/// <c>webhook-id</c> (the same in every repeat), <c>webhook-timestamp</c> (of this attempt) and
/// <c>webhook-signature</c>, HMAC-SHA256 over <c>id.timestamp.body</c>.
/// </summary>
internal sealed class WebhookChannel(WebhookOptions options, ChannelHttp http, TimeProvider clock) : INotificationChannel
{
    public const string ChannelName = "webhook";

    /// <inheritdoc/>
    public string Name => ChannelName;

    /// <inheritdoc/>
    public Task<DeliveryOutcome> SendAsync(NotificationMessage message, CancellationToken cancellationToken)
    {
        var body = Write(message);
        var id = message.NotificationId.ToString();
        var timestamp = clock.GetUtcNow().ToUnixTimeSeconds();
        var headers = new List<(string, string)> { ("webhook-id", id), ("webhook-timestamp", $"{timestamp}") };
        if (options.Key is { } key)
            headers.Add(("webhook-signature", Sign(key, id, timestamp, body)));
        return http.PostAsync(options.Address, body, headers, options.Address.PathAndQuery, Acceptances.IsNoPage, cancellationToken);
    }

    private static string Sign(byte[] key, string id, long timestamp, byte[] body) =>
        $"v1,{Convert.ToBase64String(HMACSHA256.HashData(key, (byte[])[.. Encoding.UTF8.GetBytes($"{id}.{timestamp}."), .. body]))}";

    // Machines read this, so nothing is cut.
    private static byte[] Write(NotificationMessage message) => ChannelJson.Write(new
    {
        message.NotificationId,
        Test = message.IsTest,
        Summary = MessageWords.Headline(message),
        Changes = message.Entries.Select(entry => new
        {
            entry.EventId,
            entry.Kind,
            entry.Severity,
            entry.RuleId,
            entry.ThreatType,
            entry.Subject,
            entry.Title,
            entry.Description,
            FirstSeenAt = Utc(entry.FirstSeenAt),
            ChangedAt = Utc(entry.ChangedAt),
            Indicators = ChannelJson.Indicators(entry.Indicators),
            entry.AffectedAddresses,
            entry.Note,
            entry.Link,
        }),
    });

    private static string Utc(DateTimeOffset at) => $"{at.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'}";
}
