using Monitoring.Api.Access;

namespace Monitoring.Api.Http;

/// <summary>Headers of every answer, faults too, that keep a browser from doing with it what nobody meant.</summary>
internal static class SecurityHeaders
{
    private const string ContentPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
        + "manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

    public static void UseSecurityHeaders(this IApplicationBuilder app, ApiAuth auth) => app.Use((context, next) =>
    {
        // At the last moment, because whoever answers a fault begins with empty headers.
        context.Response.OnStarting(() =>
        {
            var headers = context.Response.Headers;
            headers.ContentSecurityPolicy = ContentPolicy;
            headers.XContentTypeOptions = "nosniff";
            headers.XFrameOptions = "DENY";
            headers["Referrer-Policy"] = "no-referrer";
            headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()";
            headers["Cross-Origin-Opener-Policy"] = "same-origin";
            // Badges are there to be shown by pages elsewhere.
            headers["Cross-Origin-Resource-Policy"] = context.Request.Path.StartsWithSegments("/badge", StringComparison.Ordinal)
                ? "cross-origin"
                : "same-origin";
            if (headers.CacheControl.Count == 0)
                headers.CacheControl = "no-store";
            else if ((auth == ApiAuth.Keys || Forwarding.Of(context).IsForwarded) && headers.CacheControl != "no-store")
                headers.CacheControl = $"private, {headers.CacheControl}"; // no proxy may give one caller's answer to another
            return Task.CompletedTask;
        });
        return next(context);
    });
}
