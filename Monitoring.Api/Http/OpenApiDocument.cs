using Microsoft.OpenApi;

namespace Monitoring.Api.Http;

/// <summary>Makes the OpenAPI document say what the code declares beside the handlers' signatures.</summary>
internal static class OpenApiDocument
{
    public static IServiceCollection AddOpenApiDocument(this IServiceCollection services) => services.AddOpenApi("v1", options =>
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "Monitoring",
                Version = "1",
                Description = "What the monitor saw and decided. Times are UTC, money is USD. 503 means that nothing is known, not that all is well.",
            };
            document.Servers = [];
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            foreach (var parameter in context.Description.ActionDescriptor.EndpointMetadata.OfType<QueryParameterList>().SelectMany(list => list.Parameters))
            {
                operation.Parameters ??= [];
                operation.Parameters.Add(new OpenApiParameter { Name = parameter.Name, In = parameter.In, Description = parameter.Description, Schema = parameter.Schema });
            }

            return Task.CompletedTask;
        });
    });
}
