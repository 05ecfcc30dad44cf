using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Monitoring.Tests.Api;

/// <summary>
/// Compares a JSON value with a schema of an OpenAPI 3.1 document; as strict as the document: a member that it
/// does not name is a fault.
/// </summary>
internal sealed class JsonSchemaCheck(JsonNode document)
{
    /// <summary>Everything that does not fit, each with its place; empty when all does.</summary>
    public IReadOnlyList<string> FindFaults(JsonNode? value, JsonNode schema)
    {
        var faults = new List<string>();
        Check(value, schema.AsObject(), "$", faults);
        return faults;
    }

    private void Check(JsonNode? value, JsonObject schema, string place, List<string> faults)
    {
        if ((string?)schema["$ref"] is { } reference)
        {
            var target = reference.TrimStart('#', '/').Split('/').Aggregate(
                document, (node, name) => node[name] ?? throw new InvalidOperationException($"{reference} leads nowhere"));
            Check(value, target.AsObject(), place, faults);
            return;
        }

        if ((schema["oneOf"] ?? schema["anyOf"])?.AsArray() is { } choices)
        {
            if (!choices.Any(choice => FindFaults(value, choice!).Count == 0))
                faults.Add($"{place}: {value?.ToJsonString() ?? "null"} fits none of {schema.ToJsonString()}");
            return;
        }

        var types = schema["type"] switch { null => [], JsonArray several => several.Select(type => (string)type!)
            .ToList(), var one => [(string)one!] };
        if (types.Count > 0 && !types.Exists(type => IsOf(value, type)))
            faults.Add($"{place}: {value?.ToJsonString() ?? "null"} is no {string.Join(" or ", types)}");
        if (value is not null && schema["enum"]?.AsArray() is { } names && !names.Any(name => JsonNode.DeepEquals(name, value)))
            faults.Add($"{place}: {value.ToJsonString()} is none of {names.ToJsonString()}");
        if (value is not null && (string?)schema["format"] == "date-time" && !((string)value!).EndsWith('Z'))
            faults.Add($"{place}: {value} is not UTC");
        if (value is not null && (string?)schema["format"] == "date-time"
            && !DateTimeOffset.TryParse((string)value!, CultureInfo.InvariantCulture, out _))
            faults.Add($"{place}: {value} is no time");
        if (value is JsonArray items && schema["items"] is JsonObject item)
            for (var i = 0; i < items.Count; i++)
                Check(items[i], item, $"{place}[{i}]", faults);
        if (value is JsonObject members)
            CheckMembers(members, schema, place, faults);
    }

    private void CheckMembers(JsonObject members, JsonObject schema, string place, List<string> faults)
    {
        foreach (var name in schema["required"]?.AsArray() ?? [])
            if (!members.ContainsKey((string)name!))
                faults.Add($"{place}: {name} is missing");
        if (schema["properties"] is not JsonObject known)
            return;
        foreach (var (name, value) in members)
            if (known[name] is JsonObject member)
                Check(value, member, $"{place}.{name}", faults);
            else if (schema["additionalProperties"] is null)
                faults.Add($"{place}: {name} is not in the document");
    }

    private static bool IsOf(JsonNode? value, string type) => type switch
    {
        "null" => value is null,
        "object" => value is JsonObject,
        "array" => value is JsonArray,
        "string" => value?.GetValueKind() == JsonValueKind.String,
        "boolean" => value?.GetValueKind() is JsonValueKind.True or JsonValueKind.False,
        "integer" => value?.GetValueKind() == JsonValueKind.Number && value.ToJsonString().AsSpan().IndexOfAny(".eE") < 0,
        "number" => value?.GetValueKind() == JsonValueKind.Number,
        _ => throw new InvalidOperationException($"unknown type {type}"),
    };
}
