using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Monitoring.Api.Access;

/// <summary>
/// Tells the OpenAPI document how keys are sent, and what every operation answers where one is missing, not
/// enough, or used too often.
/// </summary>
internal static class AccessOpenApi
{
    private static readonly (string Id, OpenApiSecurityScheme Scheme)[] Schemes =
    [
        ("bearer",
            new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "Authorization: Bearer mk_…" }),
        ("header", new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.ApiKey, In = ParameterLocation.Header, Name = "X-API-Key", Description = "X-API-Key: mk_…",
        }),
        ("basic", new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http, Scheme = "basic",
            Description = "The key as password, with any name: how a browser opens the page.",
        }),
    ];

    private static readonly (int Status, string Description)[] Refusals =
    [
        (401, "No key, or none that is valid. With API_AUTH=none never."),
        (403, "A key that is not valid for this, or a request from a page of another site."),
        (429, "More requests than agreed; Retry-After says in how many seconds the next is taken."),
    ];

    public static void AddAccess(this OpenApiOptions options)
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Components ??= new OpenApiComponents();
            document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
            document.Security = [];
            foreach (var (id, scheme) in Schemes)
            {
                document.Components.SecuritySchemes[id] = scheme;
                document.Security.Add(new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(id, document)] = [] });
            }

            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            operation.Responses ??= [];
            if (context.Description.RelativePath is "health/live" or "health/ready")
            {
                operation.Security = [];
                return Task.CompletedTask;
            }

            foreach (var (status, description) in Refusals)
                operation.Responses[$"{status}"] = new OpenApiResponse
                {
                    Description = description,
                    Content = new Dictionary<string, OpenApiMediaType>
                    {
                        ["application/problem+json"] = new() { Schema = new OpenApiSchemaReference("ProblemDetails", context.Document) },
                    },
                };
            return Task.CompletedTask;
        });
    }
}
