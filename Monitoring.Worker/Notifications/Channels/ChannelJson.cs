using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Monitoring.Data.Logging;

namespace Monitoring.Worker.Notifications.Channels;

/// <summary>The JSON that channels send: snake_case, without nulls, and text as it is instead of as escapes.</summary>
internal static class ChannelJson
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // a request body, never part of a page
    };

    public static byte[] Write(object body) => JsonSerializer.SerializeToUtf8Bytes(body, Options);

    /// <summary>An event's indicators as JSON; as a text where they are none. Texts in it are plain lines.</summary>
    public static JsonNode? Indicators(string indicators)
    {
        try
        {
            return Clean(JsonNode.Parse(indicators));
        }
        catch (JsonException)
        {
            return JsonValue.Create(PlainText.OneLine(indicators));
        }
    }

    private static JsonNode? Clean(JsonNode? node) => node switch
    {
        JsonObject members => new JsonObject(members.GroupBy(member => PlainText.OneLine(member.Key), member => member.Value)
            .Select(same => KeyValuePair.Create(same.Key, Clean(same.First())))),
        JsonArray items => new JsonArray([.. items.Select(Clean)]),
        JsonValue value when value.GetValueKind() == JsonValueKind.String =>
            JsonValue.Create(PlainText.OneLine(value.GetValue<string>())),
        _ => node?.DeepClone(),
    };
}
