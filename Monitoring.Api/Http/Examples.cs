using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace Monitoring.Api.Http;

/// <summary>Gives every parameter and every answer of the document an example, made from its schema and from how our fields look.</summary>
internal static class Examples
{
    private const int MaxDepth = 8;
    private const string Event = "0f8f1f5e-6f0c-4a53-9d3c-2b9f3a5f7c11";

    private static readonly Dictionary<string, Func<JsonNode>> ByName = new()
    {
        ["vault_address"] = () => "0xdfc24b077bc1425ad1dea75bcb6f8158e10df303", ["parent_address"] = () => "0xdfc24b077bc1425ad1dea75bcb6f8158e10df303",
        ["liquidated_user"] = () => "0x4f1c8a2be0d5a3b97c66b1e2d3f4a5b6c7d8e9f0", ["source_address"] = () => "0x2e3d94f0562703b25c83308a05046ddaf9a8dd14",
        ["account_value"] = () => 373942112.5m, ["anomaly_score"] = () => 12.4m, ["score"] = () => 70, ["share_pct"] = () => 4.2m, ["asset"] = () => "BTC", ["coin"] = () => "BTC",
        ["hyperliquid_price"] = () => 96412.5m, ["reference_price"] = () => 96380.1m, ["max_deviation_pct"] = () => 0.61m, ["max_deviation_source"] = () => "kraken",
        ["monitor"] = () => "hlp-vault", ["name"] = () => "hlp-vault", ["rule_id"] = () => "hlp.loss", ["threat_type"] = () => "hlp_exploitation", ["subject"] = () => "0xdfc24b077bc1425ad1dea75bcb6f8158e10df303",
        ["title"] = () => "HLP vault lost 3,000,000 USD within an hour", ["description"] = () => "PnL over 1 h is -3,000,000 USD, -0.8 % of capital.", ["actor"] = () => "worker",
        ["id"] = () => Event, ["event_id"] = () => Event, ["eventId"] = () => Event, ["limit"] = () => 50, ["hours"] = () => 24, ["days"] = () => 30, ["from"] = () => "2026-11-20T00:00:00Z",
        ["to"] = () => "2026-11-21T00:00:00Z", ["min_deviation_pct"] = () => 0.5m, ["Last-Event-ID"] = () => 4711, ["seq"] = () => 4712, ["decided_by"] = () => "open_events",
        ["before"] = () => "q1b3s8Jx2m0vLr4ZeyJTaW5jZSI6Ii4uLiJ9", ["next"] = () => "q1b3s8Jx2m0vLr4ZeyJTaW5jZSI6Ii4uLiJ9", ["count"] = () => 1, ["success"] = () => true,
        ["indicators"] = () => new JsonObject { ["pnl_1h_usd"] = -3000000 }, ["thresholds"] = () => new JsonObject { ["critical_usd"] = -2000000 },
        ["values"] = () => new JsonObject { ["pnl_1h_usd"] = -3000000 }, ["row"] = () => new JsonObject { ["timestamp"] = "2026-11-21T09:00:00Z", ["pnl_1h"] = -3000000 },
        ["arithmetic"] = () => new JsonArray("pnl_1h_usd -3000000 reaches critical_usd -2000000"), ["table"] = () => "hlp_vault_snapshots",
        ["schema_version"] = () => Data.Database.SchemaVersions.Required, ["interval_seconds"] = () => 300, ["age_seconds"] = () => 42.5m,
    };

    public static void AddTo(Microsoft.OpenApi.OpenApiDocument document)
    {
        foreach (var operation in document.Paths.Values.SelectMany(path => path.Operations?.Values.AsEnumerable() ?? []))
        {
            foreach (var parameter in (operation.Parameters ?? []).OfType<OpenApiParameter>())
                parameter.Example ??= Of(parameter.Schema!, parameter.Name!, 0);
            foreach (var (status, response) in operation.Responses ?? [])
            {
                var json = response.Content?.FirstOrDefault(content => content.Key is "application/json" or Security.EventStream.ContentType).Value?.Schema;
                foreach (var (form, media) in response.Content ?? new Dictionary<string, OpenApiMediaType>())
                    media.Example ??= form.EndsWith("problem+json", StringComparison.Ordinal) ? ProblemOf(status) : Of(form, json is null ? null : Of(json, "", 0));
            }
        }
    }

    private static JsonNode? Of(string form, JsonNode? answer)
    {
        var row = answer is JsonObject page && page.Select(member => member.Value).OfType<JsonArray>().FirstOrDefault() is [JsonObject first, ..] ? first : null;
        return form switch
        {
            RowForms.Csv when row is not null => $"{string.Join(',', row.Select(cell => cell.Key))}\r\n{string.Join(',', row.Select(cell => Cell(cell.Value)))}\r\n",
            RowForms.NdJson when row is not null => row.ToJsonString() + "\n",
            Security.EventStream.ContentType => $"id: 4712\nevent: opened\ndata: {answer!.ToJsonString()}\n\n",
            "text/plain" => "monitoring_database_up 1\n",
            "image/svg+xml" => "<svg xmlns=\"http://www.w3.org/2000/svg\">…</svg>",
            _ => answer,
        };
    }

    private static string Cell(JsonNode? value) => value is JsonValue text && text.TryGetValue<string>(out var plain) && !plain.Contains(',')
        ? plain : value?.ToJsonString() is { } json ? json.StartsWith('"') ? json : json.Contains(',') || json.Contains('"') ? $"\"{json.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : json : "";

    private static JsonObject ProblemOf(string status)
    {
        var problem = new JsonObject { ["status"] = int.Parse(status, CultureInfo.InvariantCulture) };
        (problem["title"], problem["detail"]) = status switch
        {
            "400" => ("One or more validation errors occurred.", "limit must be a whole number from 1 to 500"),
            "404" => ("Not Found", "No check of the vault has been stored yet."),
            "503" => ("The database cannot be used", "The database does not answer. Nothing is known about the present state; try again in 5 seconds."),
            _ => ("", ""),
        };
        if (status == "400")
            problem["errors"] = new JsonObject { ["limit"] = new JsonArray("must be a whole number from 1 to 500") };
        return problem;
    }

    private static JsonNode? Of(IOpenApiSchema schema, string name, int depth)
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
            return new JsonObject { ["hlp-vault"] = Of(values, name, depth + 1) };
        if (ByName.TryGetValue(name, out var known))
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
