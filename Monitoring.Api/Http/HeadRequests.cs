namespace Monitoring.Api.Http;

/// <summary>HEAD is answered as GET is, without the body, which the server leaves away by itself: watchers of proxies ask so.</summary>
internal static class HeadRequests
{
    private sealed record Mark;

    /// <summary>Comes before routing, or nothing would take the verb.</summary>
    public static void UseHead(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        if (HttpMethods.IsHead(context.Request.Method))
        {
            context.Features.Set(new Mark());
            context.Request.Method = HttpMethods.Get;
        }

        return next(context);
    });

    /// <summary>Whether nobody will read the body.</summary>
    public static bool IsHead(this HttpContext context) => context.Features.Get<Mark>() is not null;
}
