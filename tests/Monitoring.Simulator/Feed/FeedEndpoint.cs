using Monitoring.Simulator.Info;

namespace Monitoring.Simulator.Feed;

/// <summary>GET /ws: the venue's websocket.</summary>
internal static class FeedEndpoint
{
    public static void MapFeed(this WebApplication app)
    {
        app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = TimeSpan.Zero });
        app.MapGet("/ws", ServeAsync);
    }

    internal static async Task ServeAsync(HttpContext http, Venue venue, TimeProvider clock, IHostApplicationLifetime lifetime)
    {
        if (!http.WebSockets.IsWebSocketRequest)
        {
            await InfoResponse.TextAsync(http, StatusCodes.Status400BadRequest, "text/plain", "this is a websocket");
            return;
        }

        var tooMany = !venue.Feed.TryAttempt();
        if (tooMany || venue.Faults.RefusesFeed())
        {
            venue.Feed.Refuse();
            await InfoResponse.HtmlAsync(
                http, tooMany ? StatusCodes.Status429TooManyRequests : StatusCodes.Status503ServiceUnavailable, "<HTML></HTML>");
            return;
        }

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, lifetime.ApplicationStopping);
        using var socket = await http.WebSockets.AcceptWebSocketAsync();
        using var connection = new FeedConnection(socket, venue, clock);
        await connection.RunAsync(ending.Token);
    }
}
