using Microsoft.AspNetCore.Http.Features;
using Monitoring.Api.Access;

namespace Monitoring.Api.Http;

/// <summary>
/// Takes the body of a request in before anything waits for it: who sends slowly holds a connection of its own and nothing that others
/// need, and gives that up as well when it is asked for.
/// </summary>
internal sealed class WholeBodies(ConnectionLimits connections, TimeProvider clock) : IMiddleware
{
    /// <summary>How long a body may take, however it comes.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (HasBody(context) && context.GetEndpoint() is not null)
        {
            if (await TakeAsync(context) is { } status)
            {
                context.Response.Headers.Connection = "close";
                await TypedResults.Problem("The body is too long, or was not sent in time.", statusCode: status).ExecuteAsync(context);
                return;
            }

            connections.Begin(context);
        }

        await next(context);
    }

    /// <summary>Whether a request brings a body, as far as its headers tell.</summary>
    public static bool HasBody(HttpContext context) => context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true;

    // Null when it is there.
    private async Task<int?> TakeAsync(HttpContext context)
    {
        using var patience = new CancellationTokenSource(Deadline, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, context.RequestAborted);
        var body = new MemoryStream();
        try
        {
            await context.Request.Body.CopyToAsync(body, either.Token);
        }
        catch (BadHttpRequestException fault)
        {
            return fault.StatusCode;
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            return StatusCodes.Status408RequestTimeout;
        }

        body.Position = 0;
        context.Request.Body = body;
        return null;
    }
}

/// <summary>Registers and installs what keeps connections and bodies in bounds.</summary>
internal static class RequestBounds
{
    public static IServiceCollection AddRequestBounds(this IServiceCollection services) => services.AddSingleton<WholeBodies>();

    /// <summary>Tells the connections which of them are being answered.</summary>
    public static void UseConnectionLimits(this IApplicationBuilder app, ConnectionLimits connections) => app.Use(async (context, next) =>
    {
        if (!WholeBodies.HasBody(context))
            connections.Begin(context);
        try
        {
            await next(context);
        }
        finally
        {
            connections.End(context);
        }
    });

    public static void UseWholeBodies(this IApplicationBuilder app) => app.UseMiddleware<WholeBodies>();
}
