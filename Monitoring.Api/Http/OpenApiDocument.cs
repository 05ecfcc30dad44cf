using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Monitoring.Api.Access;

namespace Monitoring.Api.Http;

/// <summary>
/// An endpoint that can answer without the database; while that is away, keys are taken for it that were valid just before.
/// </summary>
internal sealed record NoDatabase;

/// <summary>Makes the OpenAPI document say what the code declares beside the handlers' signatures.</summary>
internal static class OpenApiDocument
{
    private const string Problem = "application/problem+json";

    public static IServiceCollection AddOpenApiDocument(this IServiceCollection services) => services.AddOpenApi("v1", options =>
    {
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
        options.AddSchemaTransformer((schema, context, _) =>
        {
            SayType(schema, context.JsonTypeInfo.Type);
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            Describe(operation, context);
            return Task.CompletedTask;
        });
        options.AddAccess();
        options.AddDocumentTransformer((document, context, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "Monitoring",
                Version = "1",
                Description =
                    "What the monitor saw and decided. Times are UTC, money is USD. 503 means that nothing is known, not that all is well. "
                    + "Lists are answered in pages of JSON, newest first, and go on with `before=<next>`; with `Accept: "
                    + "text/csv` or `application/x-ndjson` they come whole, row by row, up to `limit` rows if that is given. "
                    + "An answer that breaks off without an end is not whole.",
            };
            document.Servers = [];
            FoldTexts(document);
            context.ApplicationServices.GetRequiredService<Examples>().AddTo(document);
            return Task.CompletedTask;
        });
    });

    // Texts come from the comments of the code, whose lines end where the width of the code ends.
    private static void FoldTexts(Microsoft.OpenApi.OpenApiDocument document)
    {
        foreach (var operation in document.Paths.Values.SelectMany(path => path.Operations?.Values.AsEnumerable() ?? []))
            (operation.Summary, operation.Description) = (Fold(operation.Summary), Fold(operation.Description));
        foreach (var schema in document.Components?.Schemas?.Values.OfType<OpenApiSchema>() ?? [])
        {
            schema.Description = Fold(schema.Description);
            foreach (var property in schema.Properties?.Values.OfType<OpenApiSchema>() ?? [])
                property.Description = Fold(property.Description);
        }
    }

    private static string? Fold(string? text) =>
        text is null ? null : string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    // Types that our own converters write are opaque to the schema's maker.
    private static void SayType(OpenApiSchema schema, Type type)
    {
        var bare = Nullable.GetUnderlyingType(type) ?? type;
        var nothing = bare == type ? default : JsonSchemaType.Null;
        if (bare == typeof(decimal))
            (schema.Type, schema.Format) = (JsonSchemaType.Number | nothing, null);
        else if (bare == typeof(DateTimeOffset))
            (schema.Type, schema.Format) = (JsonSchemaType.String | nothing, "date-time");
        else if (bare.IsEnum)
            schema.Type = JsonSchemaType.String;
        else if (bare.IsAssignableTo(typeof(ProblemDetails)))
            schema.AdditionalProperties = new OpenApiSchema(); // RFC 9457 lets a problem say more, such as its trace_id
    }

    private static void Describe(OpenApiOperation operation, OpenApiOperationTransformerContext context)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        foreach (var parameter in metadata.OfType<QueryParameterList>().SelectMany(list => list.Parameters))
        {
            operation.Parameters ??= [];
            operation.Parameters.Add(new OpenApiParameter
            {
                Name = parameter.Name, In = parameter.In, Description = parameter.Description, Schema = parameter.Schema,
            });
        }

        var responses = operation.Responses ??= [];
        if (responses.TryGetValue("400", out var refused))
            refused.Description = "A parameter is unknown, given twice or malformed; `errors` names each.";
        if (responses.TryGetValue("404", out var missing))
            missing.Description = "There is no such thing, or nothing is stored yet.";
        if (context.Description.HttpMethod == "GET" && responses.TryGetValue("200", out var found)
            && found.Content?.ContainsKey(Security.EventStream.ContentType) != true)
        {
            responses["304"] =
                new OpenApiResponse { Description = "The client has this answer already: its `If-None-Match` is the `ETag`." };
            found.Headers?.Clear();
            if (found is OpenApiResponse ok)
                ok.Headers = new Dictionary<string, IOpenApiHeader> { ["ETag"] = new OpenApiHeader
                {
                    Description = "Of an answer of up to a megabyte.", Schema = new OpenApiSchema { Type = JsonSchemaType.String },
                } };
        }

        foreach (var text in responses.Values.SelectMany(response => response.Content ?? new Dictionary<string, OpenApiMediaType>())
                     .Where(content => content.Key.StartsWith("text/", StringComparison.Ordinal)
                         && content.Key != Security.EventStream.ContentType || content.Key == RowForms.NdJson))
            text.Value.Schema = new OpenApiSchema { Type = JsonSchemaType.String, Description = "The items, one a line." };
        if (FindReasonToBeAway(metadata, context.Description.RelativePath) is { } reason)
            responses["503"] = new OpenApiResponse
            {
                Description = reason,
                Headers = new Dictionary<string, IOpenApiHeader> { ["Retry-After"] =
                    new OpenApiHeader { Description = "Seconds.", Schema = new OpenApiSchema { Type = JsonSchemaType.Integer } } },
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    [Problem] = new OpenApiMediaType { Schema = new OpenApiSchemaReference("ProblemDetails", context.Document) },
                },
            };
    }

    private static string? FindReasonToBeAway(IList<object> metadata, string? path) =>
        !metadata.OfType<NoDatabase>().Any() ? "The database cannot be used: nothing is known about the present state."
        : path == "health/live" ? null
        : "With API_AUTH=keys: the database has been away for more than five minutes, so that no key can be checked any more."
            + (metadata.OfType<AlwaysServed>().Any() ? "" : " Or there is more to do than can be done at once.");
}
