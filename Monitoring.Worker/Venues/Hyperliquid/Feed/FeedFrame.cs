using System.Text.Json;
using Monitoring.Data.Subjects;

namespace Monitoring.Worker.Venues.Hyperliquid.Feed;

/// <summary>What one message of the websocket says.</summary>
internal abstract record FeedFrame
{
    private const int MostOfRefusal = 300;

    private static readonly byte[] GreetingBegin = "Websocket connection"u8.ToArray();

    /// <summary>Whether it tells of the market: an answer to what we sent shows only that somebody is there.</summary>
    public virtual bool IsData => false;

    /// <summary>What of it cannot be read; the rest can.</summary>
    public virtual IReadOnlyList<UnreadablePart> Unreadable => [];

    /// <summary>The answer to a ping.</summary>
    internal sealed record Pong : FeedFrame;

    /// <summary>The venue has taken a subscription, or given it up.</summary>
    internal sealed record Acknowledged(string Method, FeedSubscription? Subscription) : FeedFrame;

    /// <summary>The venue refuses something; the text is all that it says.</summary>
    internal sealed record Refused(string Text) : FeedFrame;

    /// <summary>An account's fills; a snapshot tells of the past. One that cannot be read may be anything.</summary>
    internal sealed record Fills(string User, bool IsSnapshot, ReadableList<Fill> Items) : FeedFrame
    {
        public override bool IsData => !Items.IsAllUnreadable;

        public override IReadOnlyList<UnreadablePart> Unreadable => Items.Unreadable;
    }

    /// <summary>Public trades, whose parties were buyer and seller.</summary>
    internal sealed record Trades(ReadableList<FeedTrade> Items) : FeedFrame
    {
        public override bool IsData => !Items.IsAllUnreadable;

        public override IReadOnlyList<UnreadablePart> Unreadable => Items.Unreadable;
    }

    /// <summary>What a coin is at.</summary>
    internal sealed record Context(string Coin, decimal OraclePx) : FeedFrame
    {
        public override bool IsData => true;
    }

    /// <summary>The greeting, or a channel that we did not ask for.</summary>
    internal sealed record Other : FeedFrame;

    /// <summary>Reads a message.</summary>
    /// <exception cref="JsonException">It is cut, no JSON, or not of the venue's shape.</exception>
    public static FeedFrame Read(ReadOnlyMemory<byte> text)
    {
        if (text.Span.StartsWith(GreetingBegin))
            return new Other();
        using var document = JsonDocument.Parse(text);
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("channel", out var channel)
            || channel.ValueKind != JsonValueKind.String)
            throw new JsonException("a message without a channel");
        return channel.GetString() switch
        {
            "pong" => new Pong(),
            "error" => new Refused(OutsideName.CleanText(Data(root).ToString(), MostOfRefusal)),
            "subscriptionResponse" => ReadAcknowledgement(Data(root)),
            FeedSubscription.UserFills => ReadFills(Get<FillsData>(root)),
            FeedSubscription.Trades => new Trades(Get<ReadableList<FeedTrade>>(root)),
            FeedSubscription.AssetContext => ReadContext(Get<ContextData>(root)),
            _ => new Other(),
        };
    }

    private static JsonElement Data(JsonElement root) =>
        root.TryGetProperty("data", out var data) ? data : throw new JsonException("a message without data");

    private static T Get<T>(JsonElement root) where T : class =>
        Data(root).Deserialize<T>(HyperliquidJson.Options) ?? throw new JsonException("a message whose data is null");

    private static Fills ReadFills(FillsData data) => new(data.User.ToLowerInvariant(), data.IsSnapshot ?? false, data.Fills);

    private static Context ReadContext(ContextData data) => new(data.Coin, data.Ctx.OraclePx);

    private static Acknowledged ReadAcknowledgement(JsonElement data) =>
        data.ValueKind == JsonValueKind.Object && data.TryGetProperty("method", out var method)
        && data.TryGetProperty("subscription", out var subscription)
            ? new Acknowledged(method.ToString(), FeedSubscription.Find(subscription))
            : throw new JsonException("an acknowledgement of nothing");

    private sealed record FillsData
    {
        public required string User { get; init; }
        public bool? IsSnapshot { get; init; }
        public required ReadableList<Fill> Fills { get; init; }
    }

    private sealed record ContextData
    {
        public required string Coin { get; init; }
        public required OracleData Ctx { get; init; }
    }

    private sealed record OracleData
    {
        public required decimal OraclePx { get; init; }
    }
}

/// <summary>A public trade, as far as we use it.</summary>
internal sealed record FeedTrade
{
    public required string Coin { get; init; }
    public required decimal Px { get; init; }
    public required long Time { get; init; }
    public required long Tid { get; init; }

    /// <summary>What cannot be: nothing is given away.</summary>
    public string? FindFault() => Px > 0 ? null : $"a trade at {Px}";
}
