using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Monitoring.Data.Configuration;
using Monitoring.Data.Events;
using Monitoring.Data.Logging;

namespace Monitoring.Worker.Notifications.Channels;

/// <summary>Where PagerDuty's Events API v2 is, and the integration key that it sorts events by.</summary>
internal sealed record PagerDutyOptions(Uri ApiUrl, string RoutingKey)
{
    private const string KeyForm = "the 32 letters and digits of an integration key (Events API v2)";

    /// <summary>Reads the settings; null where the channel is off.</summary>
    public static PagerDutyOptions? Read(SettingsReader settings)
    {
        var api = settings.BaseAddress("Notifications:PagerDuty:ApiUrl", "PAGERDUTY_API_URL", "https://events.pagerduty.com");
        if (settings.Secret("Notifications:PagerDuty:RoutingKey", "PAGERDUTY_ROUTING_KEY", KeyForm) is not { } key)
            return null;
        if (key.Length == 32 && key.All(char.IsAsciiLetterOrDigit))
            return new PagerDutyOptions(api, key);
        settings.Refuse("PAGERDUTY_ROUTING_KEY", $"is not allowed; it must be {KeyForm}");
        return null;
    }

    /// <inheritdoc/>
    public override string ToString() => nameof(PagerDutyOptions); // without secrets
}

/// <summary>
/// Sends to PagerDuty's Events API v2: an event's opening, and what later calls for people, trigger an incident of its own, its
/// acknowledgement and resolution go to the same one by <c>dedup_key</c>, the event's id. A storm is one incident,
/// which nobody but people can close, because no single resolution ends it.
/// </summary>
internal sealed class PagerDutyChannel(PagerDutyOptions options, ChannelHttp http, TimeProvider clock) : INotificationChannel
{
    public const string ChannelName = "pagerduty";

    /// <summary>More openings than this in one message are a storm.</summary>
    public const int MostIncidents = 10;

    private const int MostOfSummary = 1024;
    private const int MostOfDetails = 200_000; // of the 512 KB that an event may have
    private const int MostKept = 1000;

    private readonly Uri _address = new(options.ApiUrl, "/v2/enqueue");
    private readonly Pacing _pacing = new(TimeSpan.Zero, burst: 1, clock); // only the pauses that the service asks for
    private readonly ConcurrentDictionary<Guid, (int Sent, DeliveryOutcome.Dead? Dead)> _begun = new();

    /// <inheritdoc/>
    public string Name => ChannelName;

    /// <summary>
    /// Sends a message's requests in order. Where one must wait, the next attempt goes on there; a restart repeats
    /// them, which <c>dedup_key</c> makes harmless.
    /// </summary>
    public async Task<DeliveryOutcome> SendAsync(NotificationMessage message, CancellationToken cancellationToken)
    {
        var requests = Write(message);
        _begun.TryRemove(message.NotificationId, out var begun);
        for (var (sent, dead) = begun; ; sent++)
        {
            if (sent >= requests.Count)
                return dead ?? (DeliveryOutcome)new DeliveryOutcome.Delivered();
            var outcome = await http.PostPacedAsync(
                _pacing, _address, ChannelJson.Write(requests[sent]), options.RoutingKey, Acceptances.IsSuccess, cancellationToken);
            dead ??= outcome as DeliveryOutcome.Dead;
            if (outcome is not DeliveryOutcome.Retry)
                continue;
            if (_begun.Count >= MostKept)
                _begun.Clear(); // of messages that nobody sends any more
            _begun[message.NotificationId] = (sent, dead);
            return outcome;
        }
    }

    private IReadOnlyList<JsonObject> Write(NotificationMessage message)
    {
        var triggers = MessageWords.Ranked(message).Where(entry => ActionOf(entry.Kind) == "trigger").ToList();
        return
        [
            .. triggers.Count > MostIncidents ? [Storm(message, triggers)] : triggers.Select(entry => Trigger(message, entry)),
            .. from entry in message.Entries
               let action = ActionOf(entry.Kind)
               where action is not ("trigger" or "")
               select Request(action, entry.EventId),
        ];
    }

    private static string ActionOf(ChangeKind kind) => kind switch
    {
        _ when kind.Announces() => "trigger",
        ChangeKind.Acknowledged => "acknowledge",
        ChangeKind.Resolved or ChangeKind.Expired => "resolve",
        _ => "",
    };

    private JsonObject Request(string action, Guid key) =>
        new() { ["routing_key"] = options.RoutingKey, ["event_action"] = action, ["dedup_key"] = key.ToString() };

    private JsonObject Trigger(NotificationMessage message, NotificationEntry entry)
    {
        var details = new JsonObject
        {
            ["description"] = ChannelText.Cut(PlainText.OneLine(entry.Description), 4000),
            ["when"] = MessageWords.When(entry),
            ["evidence"] = new JsonObject(MessageWords.Facts(entry).Select(fact => KeyValuePair.Create(fact.Name, (JsonNode?)fact.Value))),
            ["addresses"] = new JsonArray([.. entry.AffectedAddresses.Take(100)
                .Select(address => JsonValue.Create(PlainText.OneLine(address)))]),
            ["rule"] = PlainText.OneLine(entry.RuleId),
            ["notification"] = message.NotificationId.ToString(),
        };
        if (MessageWords.Note(entry) is { } note)
            details["note"] = note;
        var request = Request("trigger", entry.EventId);
        request["payload"] = Payload(message, MessageWords.Plain(entry), entry.Subject, entry, details);
        if (entry.Link is { } link)
            (request["client_url"], request["links"]) =
                (link.AbsoluteUri, new JsonArray(new JsonObject { ["href"] = link.AbsoluteUri, ["text"] = "Open the event" }));
        return request;
    }

    private JsonObject Storm(NotificationMessage message, List<NotificationEntry> triggers)
    {
        var request = Request("trigger", message.NotificationId);
        request["payload"] = Payload(message,
            $"{triggers.Count} events: {MessageWords.Count(triggers)}; the gravest: {MessageWords.Plain(triggers[0])}",
            "Monitoring", triggers[0], new JsonObject
            {
                ["events"] = ChannelText.Fit([.. triggers.Select(entry => ChannelText.Cut(MessageWords.Plain(entry), 300))], MostOfDetails,
                    taken => $"… and {MessageWords.Count(triggers.Skip(taken))}"),
                ["closing"] = "This incident stands for many events at once. It stays open until you close it.",
                ["notification"] = message.NotificationId.ToString(),
            });
        return request;
    }

    private static JsonObject Payload(
        NotificationMessage message, string summary, string source, NotificationEntry worst, JsonObject details) => new()
    {
        ["summary"] = ChannelText.Cut((message.IsTest ? "[TEST] " : "") + summary, MostOfSummary),
        ["source"] = PlainText.OneLine(source) is { Length: > 0 } named ? ChannelText.Cut(named, 255) : "Monitoring",
        ["severity"] = worst.Severity switch
        {
            Severity.Critical => "critical",
            Severity.High => "error",
            Severity.Medium => "warning",
            _ => "info",
        },
        ["timestamp"] = $"{worst.ChangedAt.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}",
        ["class"] = PlainText.OneLine(worst.ThreatType),
        ["custom_details"] = details,
    };
}
