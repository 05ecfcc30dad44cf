#!/usr/bin/env bash
# Microsoft.AspNetCore.OpenApi 10.0.15. A modifier of System.Text.Json's contract says that a property of type string? is never null in JSON
# (JsonPropertyInfo.IsGetNullable = false), as for rows of which the database guarantees it.
# Expected: the document says what the contract says, as it does for names that a modifier changes: "note": {"type":"string"}.
# Seen: the name follows the contract, null does not; it is taken from the C# property:
#     {"remark":{"type":["null","string"]},"name":{"type":"string"}}
# Clients made from the document then check for a null that never comes. Set the schema in a schema transformer, too.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/contract.cs" <<'CODE'
#:sdk Microsoft.NET.Sdk.Web
#:property PublishAot=false
#:package Microsoft.AspNetCore.OpenApi@10.0.15
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

var builder = WebApplication.CreateBuilder();
builder.Logging.ClearProviders();
builder.WebHost.UseUrls("http://127.0.0.1:0");
builder.Services.AddOpenApi();
builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolver = new DefaultJsonTypeInfoResolver
{
    Modifiers =
    {
        contract =>
        {
            foreach (var property in contract.Properties.Where(property => property.Name == "note"))
                (property.Name, property.IsGetNullable) = ("remark", false);
        },
    },
});
await using var app = builder.Build();
app.MapOpenApi();
app.MapGet("/row", () => new Row("n", "x"));
await app.StartAsync();
using var http = new HttpClient();
var document = JsonNode.Parse(await http.GetStringAsync(app.Urls.First() + "/openapi/v1.json"))!;
Console.WriteLine(document["components"]!["schemas"]!["Row"]!["properties"]!.ToJsonString());

internal sealed record Row(string? Note, string Name);
CODE
seen=$(cd "$folder" && dotnet run contract.cs)
echo "$seen"
[[ $seen == '{"remark":{"type":["null","string"]},"name":{"type":"string"}}' ]]
