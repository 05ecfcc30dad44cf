using System.Text.Json;
using System.Text.Json.Nodes;

namespace Monitoring.Worker.Venues.Hyperliquid.Feed;

/// <summary>One subscription: its type, and the account (lower case) or coin that it is about.</summary>
internal sealed record FeedSubscription(string Type, string Subject)
{
    public const string UserFills = "userFills";
    public const string Trades = "trades";
    public const string AssetContext = "activeAssetCtx";

    private string Field => Type == UserFills ? "user" : "coin";

    /// <summary>The message that asks for it, or with <c>unsubscribe</c> gives it up.</summary>
    public string ToMessage(string method = "subscribe") =>
        new JsonObject { ["method"] = method, ["subscription"] = new JsonObject { ["type"] = Type, [Field] = Subject } }.ToJsonString();

    /// <summary>Reads what the venue repeats in an acknowledgement; it may add fields of its own. Null for what is none of ours.</summary>
    public static FeedSubscription? Find(JsonElement subscription)
    {
        if (subscription.ValueKind != JsonValueKind.Object || Text(subscription, "type") is not { } type)
            return null;
        return type == UserFills ? Text(subscription, "user") is { } user ? new(type, user.ToLowerInvariant()) : null
            : Text(subscription, "coin") is { } coin ? new(type, coin) : null;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Type} {Subject}";

    private static string? Text(JsonElement element, string field) =>
        element.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
