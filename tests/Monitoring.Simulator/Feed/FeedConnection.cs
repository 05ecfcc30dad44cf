using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Monitoring.Simulator.Faults;

namespace Monitoring.Simulator.Feed;

/// <summary>One client of the websocket: answers what it sends, and tells it what happens in the scenario five times a second.</summary>
internal sealed class FeedConnection(WebSocket socket, Venue venue, TimeProvider clock) : IDisposable
{
    private const int HugeBytes = 20 << 20;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan IdleLimit = TimeSpan.FromSeconds(60);

    private readonly SemaphoreSlim _sending = new(1);
    private readonly Dictionary<FeedSubscription, decimal> _toldUntil = [];
    private DateTimeOffset _heardAt = clock.GetUtcNow();

    /// <summary>Serves the client until it leaves, is dropped, or the simulator ends.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        venue.Feed.Open();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            await SendTextAsync(FeedMessages.Greeting, ending.Token);
            var (listening, telling) = (ListenAsync(ending.Token), TellAsync(ending.Token));
            await Task.WhenAny(listening, telling);
            await ending.CancelAsync();
            await Task.WhenAll(listening, telling);
        }
        catch (Exception e) when (e is OperationCanceledException or WebSocketException or IOException or InvalidOperationException)
        {
            // One side went away.
        }
        finally
        {
            socket.Abort();
            venue.Feed.Close(
                [.. Subscriptions().Where(subscription => subscription.Type == "userFills").Select(subscription => subscription.Subject)]);
        }
    }

    public void Dispose() => _sending.Dispose();

    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        var buffer = new byte[64 << 10];
        while (true)
        {
            var length = 0;
            ValueWebSocketReceiveResult received;
            do
            {
                received = await socket.ReceiveAsync(buffer.AsMemory(length), cancellationToken);
                length += received.Count;
            }
            while (!received.EndOfMessage && length < buffer.Length);
            if (received.MessageType == WebSocketMessageType.Close)
            {
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, cancellationToken);
                return;
            }

            _heardAt = clock.GetUtcNow();
            venue.Feed.Hear();
            foreach (var answer in Answer(Encoding.UTF8.GetString(buffer, 0, length)))
                await SendAsync(answer, cancellationToken);
        }
    }

    private JsonObject[] Answer(string text)
    {
        JsonElement request;
        try
        {
            request = JsonElement.Parse(text);
        }
        catch (JsonException)
        {
            return [FeedMessages.Error($"Error parsing JSON into valid websocket request: {text}")];
        }

        var method = request.ValueKind == JsonValueKind.Object && request.TryGetProperty("method", out var named) ? named.ToString() : "";
        if (method == "ping")
            return [FeedMessages.Pong()];
        if (method is not ("subscribe" or "unsubscribe") || !request.TryGetProperty("subscription", out var asked))
            return [FeedMessages.Error($"Error parsing JSON into valid websocket request: {text}")];
        if (FeedSubscription.Find(asked, venue.Scenario) is not { } subscription)
            return [FeedMessages.Error($"Invalid subscription {asked}")];
        return method == "subscribe" ? Subscribe(subscription) : Unsubscribe(subscription);
    }

    private JsonObject[] Subscribe(FeedSubscription subscription)
    {
        var now = venue.Now;
        lock (_toldUntil)
        {
            if (_toldUntil.ContainsKey(subscription))
                return [FeedMessages.Error($"Already subscribed: {subscription.Json.ToJsonString()}")];
            if (subscription.Type == "userFills" && !venue.Feed.TryAddUser(subscription.Subject))
                return [FeedMessages.Error($"Cannot track more than {FeedLimits.Users} total users.")];
            _toldUntil[subscription] = now.Seconds;
        }

        var first = subscription.Type switch
        {
            "userFills" => FeedMessages.Fills(venue, subscription.Subject, now.Seconds, now, isSnapshot: true)!,
            "trades" => FeedMessages.ReplayedTrades(venue, subscription.Subject, now),
            _ => FeedMessages.Context(venue, subscription.Subject, now),
        };
        return [FeedMessages.Acknowledge("subscribe", subscription), first];
    }

    private JsonObject[] Unsubscribe(FeedSubscription subscription)
    {
        lock (_toldUntil)
            if (!_toldUntil.Remove(subscription))
                return [FeedMessages.Error($"Already unsubscribed: {subscription.Json.ToJsonString()}")];
        if (subscription.Type == "userFills")
            venue.Feed.RemoveUser(subscription.Subject);
        return [FeedMessages.Acknowledge("unsubscribe", subscription)];
    }

    private async Task TellAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(Tick, clock, cancellationToken);
            if (venue.Faults.HasOutage() || clock.GetUtcNow() - _heardAt > IdleLimit)
                return;
            var now = venue.Now;
            foreach (var message in News(now))
                await SendAsync(message, cancellationToken);
            venue.Feed.Tell(now.Seconds);
        }
    }

    private List<JsonObject> News(Moment now)
    {
        var news = new List<JsonObject>();
        foreach (var subscription in Subscriptions())
        {
            decimal after;
            lock (_toldUntil)
            {
                if (!_toldUntil.TryGetValue(subscription, out after)
                    || now.Seconds - after < (subscription.Type == "userFills" ? 0.001m : 1))
                    continue;
                _toldUntil[subscription] = now.Seconds;
            }

            if ((subscription.Type switch
                {
                    "userFills" => FeedMessages.Fills(venue, subscription.Subject, after, now, isSnapshot: false),
                    "trades" => FeedMessages.Trades(venue, subscription.Subject, after, now),
                    _ => FeedMessages.Context(venue, subscription.Subject, now),
                }) is { } message)
                news.Add(message);
        }

        return news;
    }

    private List<FeedSubscription> Subscriptions()
    {
        lock (_toldUntil)
            return [.. _toldUntil.Keys];
    }

    private async Task SendAsync(JsonObject message, CancellationToken cancellationToken)
    {
        var text = message.ToJsonString();
        if (venue.Faults.TakeForFeed() is not { } met)
        {
            await SendTextAsync(text, cancellationToken);
            return;
        }

        switch (met.Fault.Kind)
        {
            case FaultKind.Drop:
                socket.Abort();
                throw new WebSocketException("dropped");
            case FaultKind.Silent:
            case FaultKind.NoData when (string?)message["channel"] is not ("pong" or "subscriptionResponse"):
                break;
            case FaultKind.NoData:
                await SendTextAsync(text, cancellationToken);
                break;
            case FaultKind.Garbage:
                await SendTextAsync("<<<%%% not json at all", cancellationToken);
                break;
            case FaultKind.Truncated:
                await SendTextAsync(text[..(text.Length / 2)], cancellationToken);
                break;
            case FaultKind.Null:
                await SendTextAsync("null", cancellationToken);
                break;
            case FaultKind.Empty:
                await SendTextAsync("", cancellationToken);
                break;
            case FaultKind.WrongTypes:
                await SendTextAsync(WrongTypes.Of(message)!.ToJsonString(), cancellationToken);
                break;
            case FaultKind.Binary:
                await SendBytesAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Binary, cancellationToken);
                break;
            case FaultKind.Huge:
                await SendTextAsync(new string('x', HugeBytes), cancellationToken);
                break;
            case FaultKind.Duplicate:
                await SendTextAsync(text, cancellationToken);
                await SendTextAsync(text, cancellationToken);
                break;
            case FaultKind.Replay:
                await ReplayAsync(cancellationToken);
                await SendTextAsync(text, cancellationToken);
                break;
            case FaultKind.Slow:
                await met.WaitAsync(cancellationToken);
                await SendTextAsync(text, cancellationToken);
                break;
            default:
                throw new InvalidOperationException($"No message for the fault {met.Fault.Kind}");
        }
    }

    // Everything that the subscribed accounts ever filled, as if it were news.
    private async Task ReplayAsync(CancellationToken cancellationToken)
    {
        foreach (var subscription in Subscriptions().Where(subscription => subscription.Type == "userFills"))
            if (FeedMessages.Fills(venue, subscription.Subject, decimal.MinValue, venue.Now, isSnapshot: false) is { } all)
                await SendTextAsync(all.ToJsonString(), cancellationToken);
    }

    private Task SendTextAsync(string text, CancellationToken cancellationToken) =>
        SendBytesAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, cancellationToken);

    private async Task SendBytesAsync(byte[] bytes, WebSocketMessageType type, CancellationToken cancellationToken)
    {
        await _sending.WaitAsync(cancellationToken);
        try
        {
            await socket.SendAsync(bytes, type, endOfMessage: true, cancellationToken);
            venue.Feed.Say();
        }
        finally
        {
            _sending.Release();
        }
    }
}
