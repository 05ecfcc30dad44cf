using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Monitoring.Api.Subjects;

namespace Monitoring.Api.Http;

/// <summary>Gives every parameter and every answer of the document an example, made from its schema and from how our fields look.</summary>
internal sealed class Examples(IEnumerable<ISubjectApi> subjects)
{
    private const int MaxDepth = 8;
    private const string Event = "0f8f1f5e-6f0c-4a53-9d3c-2b9f3a5f7c11";
    private const string Cursor = "q1b3s8Jx2m0vLr4ZeyJTaW5jZSI6Ii4uLiJ9";

    private readonly Dictionary<string, Func<JsonNode>> _byName = subjects.SelectMany(subject => subject.Examples).Concat(Own)
        .ToDictionary(example => example.Key, example => example.Value);

    private static Dictionary<string, Func<JsonNode>> Own => new()
    {
        ["score"] = () => 70, ["actor"] = () => "worker", ["id"] = () => Event, ["event_id"] = () => Event, ["eventId"] = () =>
            Event, ["limit"] = () => 50,
        ["hours"] = () => 24, ["days"] = () => 30, ["from"] = () => "2026-11-20T00:00:00Z", ["to"] = () => "2026-11-21T00:00:00Z",
        ["Last-Event-ID"] = () => 4711, ["seq"] = () => 4712, ["decided_by"] = () => "open_events", ["before"] = () =>
            Cursor, ["next"] = () => Cursor,
        ["count"] = () => 1, ["success"] = () => true, ["schema_version"] = () => Data.Database.SchemaVersions.Required,
            ["interval_seconds"] = () => 300,
        ["age_seconds"] = () => 42.5m,
    };

    /// <summary>Adds them to the document.</summary>
    public void AddTo(Microsoft.OpenApi.OpenApiDocument document)
    {
        foreach (var operation in document.Paths.Values.SelectMany(path => path.Operations?.Values.AsEnumerable() ?? []))
        {
            foreach (var parameter in (operation.Parameters ?? []).OfType<OpenApiParameter>())
                parameter.Example ??= Of(parameter.Schema!, parameter.Name!, 0);
            foreach (var (status, response) in operation.Responses ?? [])
            {
                var json = response.Content?.FirstOrDefault(content =>
                    content.Key is "application/json" or Security.EventStream.ContentType).Value?.Schema;
                foreach (var (form, media) in response.Content ?? new Dictionary<string, OpenApiMediaType>())
                    media.Example ??= form.EndsWith("problem+json", StringComparison.Ordinal)
                        ? ProblemOf(status)
                        : Of(form, json is null ? null : Of(json, "", 0));
            }
        }
    }

    private static JsonNode? Of(string form, JsonNode? answer)
    {
        var row = answer is JsonObject page
            && page.Select(member => member.Value).OfType<JsonArray>().FirstOrDefault() is [JsonObject first, ..] ? first : null;
        return form switch
        {
            RowForms.Csv when row is not null =>
                $"{string.Join(',', row.Select(cell => cell.Key))}\r\n{string.Join(',', row.Select(cell => Cell(cell.Value)))}\r\n",
            RowForms.NdJson when row is not null => row.ToJsonString() + "\n",
            Security.EventStream.ContentType => $"id: 4712\nevent: opened\ndata: {answer!.ToJsonString()}\n\n",
            "text/plain" => "monitoring_database_up 1\n",
            "image/svg+xml" => "<svg xmlns=\"http://www.w3.org/2000/svg\">…</svg>",
            _ => answer,
        };
    }

    private static string Cell(JsonNode? value) =>
        value is JsonValue text && text.TryGetValue<string>(out var plain) && !plain.Contains(',')
            ? plain : value?.ToJsonString() is { } json ? json.StartsWith('"') ? json
                : json.Contains(',') || json.Contains('"') ? $"\"{json.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
                : json : "";

    private static JsonObject ProblemOf(string status)
    {
        var problem = new JsonObject { ["status"] = int.Parse(status, CultureInfo.InvariantCulture) };
        (problem["title"], problem["detail"]) = status switch
        {
            "400" => ("One or more validation errors occurred.", "limit must be a whole number from 1 to 500"),
            "404" => ("Not Found", $"There is no event {Event}."),
            "503" => ("The database cannot be used",
                "The database does not answer. Nothing is known about the present state; try again in 5 seconds."),
            _ => ("", ""),
        };
        if (status == "400")
            problem["errors"] = new JsonObject { ["limit"] = new JsonArray("must be a whole number from 1 to 500") };
        return problem;
    }

    private JsonNode? Of(IOpenApiSchema schema, string name, int depth)
    {
        if (schema.Properties is { Count: > 0 } properties)
        {
            var made = new JsonObject();
            foreach (var (key, property) in properties)
                made[key] = depth < MaxDepth ? Of(property, key, depth + 1) : null;
            return made;
        }

        if (schema.OneOf is { Count: > 0 } choices)
            return Of(choices.First(choice => choice.Type != JsonSchemaType.Null), name, depth);
        if (schema.Enum is { Count: > 0 } names)
            return names[Math.Min(2, names.Count - 1)]!.DeepClone();
        if (schema.Items is { } items)
            return new JsonArray(Of(items, name, depth + 1));
        if (schema.AdditionalProperties is { } values)
            return new JsonObject { [_byName.TryGetValue("name", out var key) ? (string)key()! : "key"] = Of(values, name, depth + 1) };
        if (_byName.TryGetValue(name, out var known))
            return known();
        return (schema.Type & ~JsonSchemaType.Null) switch
        {
            JsonSchemaType.Boolean => schema.Default?.DeepClone() ?? true,
            JsonSchemaType.Integer => schema.Default?.DeepClone() ?? 3,
            JsonSchemaType.Number => schema.Default?.DeepClone() ?? 1.5m,
            JsonSchemaType.String when schema.Format == "date-time" => "2026-11-21T09:00:00Z",
            JsonSchemaType.String when schema.Format == "uuid" => Event,
            JsonSchemaType.String => name.Length > 0 ? name : "text",
            _ => new JsonObject(),
        };
    }
}
