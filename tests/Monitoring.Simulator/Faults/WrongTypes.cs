using System.Globalization;
using System.Text.Json.Nodes;

namespace Monitoring.Simulator.Faults;

/// <summary>Turns a good answer into well-formed JSON of another shape, which nobody may take for data.</summary>
internal static class WrongTypes
{
    public static JsonNode? Of(JsonNode? node) => node switch
    {
        JsonObject map => new JsonObject(map
            .Where(field => field.Key != "accountValueHistory")
            .Select(field => KeyValuePair.Create(field.Key, Field(field.Key, field.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Of)]),
        JsonValue value when value.TryGetValue<string>(out var text)
            && decimal.TryParse(text, CultureInfo.InvariantCulture, out var number) => number,
        _ => node?.DeepClone(),
    };

    private static JsonNode? Field(string name, JsonNode? value) => name switch
    {
        "pnlHistory" when value is JsonArray points =>
            new JsonObject(points.Select(point => KeyValuePair.Create(point![0]!.ToString(), Of(point[1])))),
        "accountValue" or "role" => new JsonObject { ["value"] = Of(value) },
        _ => Of(value),
    };
}
