using Monitoring.Data.Access;

namespace Monitoring.Api.Access;

/// <summary>What a key must allow to use an endpoint. An endpoint that only reads needs no word of it.</summary>
internal sealed record RequiredScope(ApiScope Scope)
{
    /// <summary>
    /// What this request needs: what its endpoint declares; else to read, where it only reads, and to operate, so that an endpoint which
    /// forgot to say so is not open.
    /// </summary>
    public static ApiScope Of(HttpContext context) =>
        context.GetEndpoint()?.Metadata.GetMetadata<RequiredScope>()?.Scope
            ?? (IsReading(context.Request) ? ApiScope.Read : ApiScope.Operate);

    /// <summary>Whether the request changes nothing, by its verb.</summary>
    public static bool IsReading(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsOptions(request.Method);
}

/// <summary>Declares it.</summary>
internal static class RequiredScopes
{
    /// <summary>Only keys of this scope may use the endpoint.</summary>
    public static TBuilder RequireScope<TBuilder>(this TBuilder endpoint, ApiScope scope) where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new RequiredScope(scope));
}
