using System.Text.Json.Nodes;
using Monitoring.Data.Logging;

namespace Monitoring.Worker.Notifications.Channels;

/// <summary>Posts to a Slack incoming webhook: a header, the description, the evidence, the circumstances and the link as blocks.</summary>
internal sealed class SlackChannel(Uri address, ChannelHttp http, TimeProvider clock) : INotificationChannel
{
    public const string ChannelName = "slack";

    private const int MostOfHeader = 150;
    private const int MostOfSection = 3000;
    private const int MostOfText = 300; // of the push notification

    // One message a second; short bursts are taken.
    private readonly Pacing _pacing = new(TimeSpan.FromSeconds(1), burst: 3, clock);

    /// <inheritdoc/>
    public string Name => ChannelName;

    /// <inheritdoc/>
    public Task<DeliveryOutcome> SendAsync(NotificationMessage message, CancellationToken cancellationToken) =>
        http.PostPacedAsync(_pacing, address, ChannelJson.Write(Write(message)), address.AbsolutePath, Acceptances.SaysOk,
            cancellationToken);

    private static JsonObject Write(NotificationMessage message)
    {
        var headline = MessageWords.Headline(message);
        var blocks = new JsonArray(new JsonObject { ["type"] = "header", ["text"] = Plain(headline, MostOfHeader) });
        foreach (var block in message.Entries is [var entry] ? Single(message, entry, headline.Length > MostOfHeader) : Group(message))
            blocks.Add(block);
        return new JsonObject
        {
            ["text"] = ChannelText.Escape(headline, MostOfText, Escape),
            ["unfurl_links"] = false,
            ["unfurl_media"] = false,
            ["blocks"] = blocks,
        };
    }

    private static IEnumerable<JsonObject> Single(NotificationMessage message, NotificationEntry entry, bool headlineIsCut)
    {
        var description = PlainText.OneLine((headlineIsCut ? $"{entry.Title} – " : "") + entry.Description);
        if (description.Length > 0)
            yield return new JsonObject { ["type"] = "section", ["text"] = Plain(description, MostOfSection) };
        if (MessageWords.Note(entry) is { } note)
            yield return Section($"_{ChannelText.Escape(note, MostOfSection - 2, Escape)}_");
        var facts = MessageWords.Facts(entry);
        if (facts.Count > 0)
            yield return Section(ChannelText.Fit([.. facts.Select(fact => $"{Escaped(fact.Name)}: *{Escaped(fact.Value)}*")], MostOfSection,
                taken => $"… and {facts.Count - taken} more figures"));
        yield return Context(
            $"{MessageWords.When(entry)} · {Escaped(entry.RuleId)} · {Escaped(entry.ThreatType)} · {Escaped(entry.Subject)}", Id(message));
        if (entry.Link is { } link)
            yield return Section($"<{link.AbsoluteUri}|Open the event>");
    }

    private static IEnumerable<JsonObject> Group(NotificationMessage message)
    {
        var ranked = MessageWords.Ranked(message);
        yield return Section(ChannelText.Fit(
            [.. ranked.Select(Line)], MostOfSection, taken => $"… and {MessageWords.Count(ranked.Skip(taken))}"));
        yield return Context(Id(message));
    }

    private static string Line(NotificationEntry entry)
    {
        var text = ChannelText.Escape(MessageWords.Line(entry), 200, Escape);
        return entry.Link is { } link ? $"{text} <{link.AbsoluteUri}|open>" : text;
    }

    private static JsonObject Section(string text) => new() { ["type"] = "section", ["text"] = Markup(text) };

    private static JsonObject Context(params string[] texts) =>
        new() { ["type"] = "context", ["elements"] = new JsonArray([.. texts.Select(Markup)]) };

    private static string Id(NotificationMessage message) => $"notification {message.NotificationId}";

    // Plain text is shown as it is: no mentions, no formatting, no emoji names.
    private static JsonObject Plain(string text, int limit) =>
        new() { ["type"] = "plain_text", ["text"] = ChannelText.Cut(text, limit), ["emoji"] = false };

    // Verbatim: addresses and names in it do not become links and mentions by themselves.
    private static JsonObject Markup(string text) => new() { ["type"] = "mrkdwn", ["text"] = text, ["verbatim"] = true };

    private static string Escaped(string text) => ChannelText.Escape(PlainText.OneLine(text), 500, Escape);

    // The three characters that begin Slack's markup of links and mentions, such as <!channel>.
    private static string? Escape(char character) => character switch { '&' => "&amp;", '<' => "&lt;", '>' => "&gt;", _ => null };
}
