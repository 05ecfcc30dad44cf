using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Monitoring.Data.Configuration;
using Monitoring.Data.Logging;

namespace Monitoring.Worker.Notifications.Channels;

/// <summary>The bot that writes, and the chat that it writes to.</summary>
internal sealed partial record TelegramOptions(Uri ApiUrl, string Token, string ChatId)
{
    private const string TokenForm = "a bot token like 123456:AbC-dEf";
    private const string ChatForm = "a chat's number, or @ and the name of a channel";

    /// <summary>Reads the settings; null where the channel is off.</summary>
    public static TelegramOptions? Read(SettingsReader settings)
    {
        var api = settings.BaseAddress("Notifications:Telegram:ApiUrl", "TELEGRAM_API_URL", "https://api.telegram.org");
        var token = settings.Secret("Notifications:Telegram:BotToken", "TELEGRAM_BOT_TOKEN", TokenForm);
        var chat = settings.Optional(
            "Notifications:Telegram:ChatId", "TELEGRAM_CHAT_ID", ChatForm, text => Chat().IsMatch(text) ? text : null);
        if (token is not null && !Bot().IsMatch(token))
            settings.Refuse("TELEGRAM_BOT_TOKEN", $"is not allowed; it must be {TokenForm}");
        if (token is not null && chat is null && !settings.HasFault("TELEGRAM_CHAT_ID"))
            settings.Refuse("TELEGRAM_CHAT_ID", "is not set, but TELEGRAM_BOT_TOKEN is; set both or neither");
        if (token is null && chat is not null && !settings.HasFault("TELEGRAM_BOT_TOKEN"))
            settings.Refuse("TELEGRAM_BOT_TOKEN", "is not set, but TELEGRAM_CHAT_ID is; set both or neither");
        return token is null || chat is null ? null : new TelegramOptions(api, token, chat);
    }

    /// <inheritdoc/>
    public override string ToString() => nameof(TelegramOptions); // without secrets

    [GeneratedRegex("^[0-9]{1,20}:[A-Za-z0-9_-]{10,100}$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Bot();

    [GeneratedRegex("^(-?[0-9]{1,20}|@[A-Za-z0-9_]{4,64})$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Chat();
}

/// <summary>Sends by a Telegram bot's <c>sendMessage</c>, as HTML.</summary>
internal sealed class TelegramChannel(TelegramOptions options, ChannelHttp http, TimeProvider clock) : INotificationChannel
{
    public const string ChannelName = "telegram";

    private const int MostOfText = 4096;

    private readonly Uri _address = new(options.ApiUrl, $"/bot{options.Token}/sendMessage");

    // Twenty messages a minute into one group.
    private readonly Pacing _pacing = new(TimeSpan.FromSeconds(3), burst: 3, clock);

    /// <inheritdoc/>
    public string Name => ChannelName;

    /// <inheritdoc/>
    public Task<DeliveryOutcome> SendAsync(NotificationMessage message, CancellationToken cancellationToken) =>
        http.PostPacedAsync(_pacing, _address, ChannelJson.Write(new JsonObject
        {
            ["chat_id"] = options.ChatId,
            ["text"] = message.Entries is [var entry] ? Single(message, entry) : Group(message),
            ["parse_mode"] = "HTML",
            ["link_preview_options"] = new JsonObject { ["is_disabled"] = true },
        }), options.Token, Acceptances.IsOk, cancellationToken);

    private static string Single(NotificationMessage message, NotificationEntry entry)
    {
        var head = $"<b>{Escape(MessageWords.Headline(message), 500)}</b>";
        var tail = $"{MessageWords.When(entry)}\n{Escape($"{entry.RuleId} · {entry.ThreatType} · {entry.Subject}", 400)}"
            + (entry.Link is { } link ? $"\n<a href=\"{Attribute(link)}\">Open the event</a>" : "")
            + $"\n<i>notification {message.NotificationId}</i>";
        var lines = new List<string>();
        if (!string.IsNullOrWhiteSpace(entry.Description))
            lines.Add(Escape(entry.Description, 1500));
        if (MessageWords.Note(entry) is { } note)
            lines.Add($"<i>{Escape(note, 400)}</i>");
        var before = lines.Count;
        lines.AddRange(MessageWords.Facts(entry).Select(fact => $"{Escape(fact.Name, 200)}: <b>{Escape(fact.Value, 400)}</b>"));
        var middle = ChannelText.Fit(
            lines, MostOfText - head.Length - tail.Length - 3, taken => $"… and {lines.Count - Math.Max(taken, before)} more figures");
        return middle.Length == 0 ? $"{head}\n{tail}" : $"{head}\n{middle}\n\n{tail}";
    }

    private static string Group(NotificationMessage message)
    {
        var (head, tail) =
            ($"<b>{Escape(MessageWords.Headline(message), 500)}</b>\n\n", $"\n\n<i>notification {message.NotificationId}</i>");
        var ranked = MessageWords.Ranked(message);
        return head + ChannelText.Fit([.. ranked.Select(Line)], MostOfText - head.Length - tail.Length,
            taken => $"… and {MessageWords.Count(ranked.Skip(taken))}") + tail;
    }

    private static string Line(NotificationEntry entry)
    {
        var text = Escape(MessageWords.Line(entry), 200);
        return entry.Link is { } link ? $"<a href=\"{Attribute(link)}\">{text}</a>" : text;
    }

    private static string Attribute(Uri link) => link.AbsoluteUri.Replace("&", "&amp;", StringComparison.Ordinal);

    // Markup, and the @ of a mention, which an invisible word joiner after it ends.
    private static string Escape(string text, int limit) => ChannelText.Escape(PlainText.OneLine(text), limit,
        character => character switch { '&' => "&amp;", '<' => "&lt;", '>' => "&gt;", '@' => "@\u2060", _ => null });
}
