using System.Text.Json;
using System.Text.Json.Nodes;
using Monitoring.Simulator.Model;

namespace Monitoring.Simulator.Feed;

/// <summary>One subscription of a connection: its type and the account or coin that it is about.</summary>
internal sealed record FeedSubscription(string Type, string Subject)
{
    private static readonly Dictionary<string, string> Fields = new(StringComparer.Ordinal)
    {
        ["userFills"] = "user", ["trades"] = "coin", ["activeAssetCtx"] = "coin",
    };

    /// <summary>As the venue repeats it in acknowledgements and complaints.</summary>
    public JsonObject Json => new() { ["type"] = Type, [Fields[Type]] = Subject };

    /// <summary>What the client asks to have, or null for what the venue does not know.</summary>
    public static FeedSubscription? Find(JsonElement subscription, Scenario scenario)
    {
        if (subscription.ValueKind != JsonValueKind.Object || Text(subscription, "type") is not { } type
            || !Fields.TryGetValue(type, out var field) || Text(subscription, field) is not { } subject)
            return null;
        return type == "userFills"
            ? FieldRules.IsAddress(subject) ? new(type, subject.ToLowerInvariant()) : null
            : scenario.Prices.ContainsKey(subject) ? new(type, subject) : null;
    }

    private static string? Text(JsonElement element, string field) =>
        element.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
