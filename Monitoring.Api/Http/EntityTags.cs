using System.Security.Cryptography;

namespace Monitoring.Api.Http;

/// <summary>Gives every successful answer to a GET an ETag over its bytes, and answers 304 when the client has them already.</summary>
internal static class EntityTags
{
    public static void UseEntityTags(this IApplicationBuilder app) => app.Use(async (context, next) =>
    {
        if (!HttpMethods.IsGet(context.Request.Method))
        {
            await next(context);
            return;
        }

        var response = context.Response;
        var wire = response.Body;
        using var held = new MemoryStream();
        response.Body = held;
        try
        {
            await next(context);
        }
        finally
        {
            response.Body = wire;
        }

        if (response.StatusCode == StatusCodes.Status200OK)
        {
            var tag = $"\"{Convert.ToHexStringLower(SHA256.HashData(held.GetBuffer().AsSpan(0, (int)held.Length)).AsSpan(0, 16))}\"";
            response.Headers.ETag = tag;
            response.Headers.CacheControl = "no-cache";
            if (context.Request.Headers.IfNoneMatch.Any(header => header!.Split(',', StringSplitOptions.TrimEntries).Any(given => given == "*" || given.TrimStart('W', '/') == tag)))
            {
                response.StatusCode = StatusCodes.Status304NotModified;
                response.ContentLength = null;
                response.Headers.ContentType = default;
                return;
            }
        }

        response.ContentLength = response.StatusCode is 204 or 304 ? null : held.Length;
        held.Position = 0;
        await held.CopyToAsync(wire, context.RequestAborted);
    });
}
