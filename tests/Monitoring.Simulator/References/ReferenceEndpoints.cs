using System.Text.Json.Nodes;
using Monitoring.Simulator.Faults;
using Monitoring.Simulator.Info;

namespace Monitoring.Simulator.References;

/// <summary>The price sources, each under its own paths and in its own shape; their faults go by their names.</summary>
internal static class ReferenceEndpoints
{
    public static void MapReferences(this IEndpointRouteBuilder routes)
    {
        Map(routes, ReferenceSources.Binance, "/api/v3/ticker/bookTicker", (_, market) => ReferenceAnswers.Binance(market));
        Map(routes, ReferenceSources.Okx, "/api/v5/market/tickers", (_, market) => ReferenceAnswers.Okx(market));
        Map(routes, ReferenceSources.Coinbase, "/products/{pair}/ticker",
            (request, market) => ReferenceAnswers.Coinbase(market, (string)request.RouteValues["pair"]!));
        Map(routes, ReferenceSources.Kraken, "/0/public/Ticker",
            (request, market) => ReferenceAnswers.Kraken(market, request.Query["pair"].ToString().Split(',')));
        Map(routes, ReferenceSources.Pyth, "/v2/updates/price/latest",
            (request, market) => ReferenceAnswers.Pyth(market, [.. request.Query["ids[]"].OfType<string>()]));
    }

    // An answer of null is one to an unknown pair.
    private static void Map(
        IEndpointRouteBuilder routes, string source, string path, Func<HttpRequest, ReferenceMarket, JsonNode?> answer) =>
        routes.MapGet(path, async (HttpContext http, Venue venue, ReferenceMarket market) =>
        {
            venue.Requests.Add(source);
            if (venue.Faults.Take(source) is { } met)
                await FaultyAnswers.WriteAsync(http, met, () => answer(http.Request, market));
            else if (answer(http.Request, market) is { } good)
                await InfoResponse.JsonAsync(http, StatusCodes.Status200OK, good);
            else
                await InfoResponse.JsonAsync(http, StatusCodes.Status404NotFound, new JsonObject { ["message"] = "NotFound" });
        });
}
