using System.Text.Json.Nodes;
using Monitoring.Data.Events;
using Monitoring.Data.Logging;

namespace Monitoring.Worker.Notifications.Channels;

/// <summary>
/// Posts to a Discord webhook: the headline as content, all else as one embed. It mentions nobody, whatever the text says.
/// </summary>
internal sealed class DiscordChannel(Uri address, ChannelHttp http, TimeProvider clock) : INotificationChannel
{
    public const string ChannelName = "discord";

    private const int MostOfContent = 2000;
    private const int MostOfDescription = 4096;
    private const int MostOfFields = 25;
    private const int MostOfFieldName = 256;
    private const int MostOfFieldValue = 1024;
    private const int MostOfEmbed = 6000; // title, description, names and values of fields, and footer together

    // With wait, Discord answers only when the message is stored; without, it says yes to what it then drops.
    private readonly Uri _address =
        new UriBuilder(address) { Query = address.Query.Length > 1 ? $"{address.Query[1..]}&wait=true" : "wait=true" }.Uri;

    // Five at once, and thirty a minute into one channel.
    private readonly Pacing _pacing = new(TimeSpan.FromSeconds(2), burst: 5, clock);

    /// <inheritdoc/>
    public string Name => ChannelName;

    /// <inheritdoc/>
    public Task<DeliveryOutcome> SendAsync(NotificationMessage message, CancellationToken cancellationToken) =>
        http.PostPacedAsync(_pacing, _address, ChannelJson.Write(Write(message)), address.AbsolutePath, Acceptances.HasId,
            cancellationToken);

    private static JsonObject Write(NotificationMessage message) => new()
    {
        ["content"] = ChannelText.Escape(MessageWords.Headline(message), MostOfContent, Escape),
        ["allowed_mentions"] = new JsonObject { ["parse"] = new JsonArray() },
        ["embeds"] = new JsonArray(message.Entries is [var entry] ? Single(message, entry) : Group(message)),
    };

    private static JsonObject Single(NotificationMessage message, NotificationEntry entry)
    {
        var description = string.Join('\n', ((string?[])
        [
            ChannelText.Escape(PlainText.OneLine(entry.Description), 2000, Escape),
            MessageWords.Note(entry) is { } note ? ChannelText.Escape(note, 500, Escape) : null,
            MessageWords.When(entry),
        ]).Where(line => !string.IsNullOrEmpty(line)));
        var embed = Embed(message, entry, description);
        if (entry.Link is { } link)
            (embed["title"], embed["url"]) = ("Open the event", link.AbsoluteUri);
        var footer = ChannelText.Cut(PlainText.OneLine($"{entry.RuleId} · {entry.ThreatType} · {entry.Subject}"), 400)
            + $" · notification {message.NotificationId}";
        embed["footer"] = new JsonObject { ["text"] = footer };
        embed["fields"] = Fields(MessageWords.Facts(entry), MostOfEmbed - description.Length - footer.Length - "Open the event".Length);
        return embed;
    }

    private static JsonArray Fields(IReadOnlyList<Fact> facts, int room)
    {
        var fields = new JsonArray();
        foreach (var fact in facts)
        {
            var (name, value) = (ChannelText.Escape(fact.Name, MostOfFieldName, Escape), ChannelText.Escape(
                fact.Value, MostOfFieldValue, Escape));
            var last = $"{facts.Count - fields.Count} more figures";
            if (fields.Count == MostOfFields - 1 && facts.Count > MostOfFields || room < name.Length + value.Length + last.Length + 1)
            {
                fields.Add(Field("…", last));
                break;
            }

            fields.Add(Field(name, value));
            room -= name.Length + value.Length;
        }

        return fields;
    }

    private static JsonObject Group(NotificationMessage message)
    {
        var ranked = MessageWords.Ranked(message);
        var embed = Embed(message, ranked[0],
            ChannelText.Fit([.. ranked.Select(Line)], MostOfDescription, taken => $"… and {MessageWords.Count(ranked.Skip(taken))}"));
        embed["footer"] = new JsonObject { ["text"] = $"notification {message.NotificationId}" };
        return embed;
    }

    private static string Line(NotificationEntry entry)
    {
        var text = ChannelText.Escape(MessageWords.Line(entry), 200, Escape);
        return entry.Link is { } link ? $"{text} [open]({link.AbsoluteUri})" : text;
    }

    private static JsonObject Embed(NotificationMessage message, NotificationEntry worst, string description) => new()
    {
        ["description"] = description,
        ["color"] = message.IsTest ? 0x607D8B : Colour(worst),
        ["timestamp"] = $"{worst.ChangedAt.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}",
    };

    private static JsonObject Field(string name, string value) => new() { ["name"] = name, ["value"] = value, ["inline"] = true };

    private static int Colour(NotificationEntry entry) => (entry.Kind, entry.Severity) switch
    {
        (ChangeKind.Resolved or ChangeKind.Expired, _) => 0x2E7D32,
        (_, Severity.Critical) => 0xB71C1C,
        (_, Severity.High) => 0xEF6C00,
        (_, Severity.Medium) => 0xF9A825,
        _ => 0x1565C0,
    };

    // What begins Discord's markup and mentions. The backslash itself is not shown.
    private static string? Escape(char character) => @"\*_~`|<[]@".Contains(character) ? $@"\{character}" : null;
}
