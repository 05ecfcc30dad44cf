using System.Text.Json.Nodes;
using Monitoring.Simulator.Faults;

namespace Monitoring.Simulator.Info;

/// <summary>POST /info: read, count, weigh, meet a fault or answer.</summary>
internal static class InfoEndpoint
{
    private const int ItemsPerWeight = 20;

    public static void MapInfo(this IEndpointRouteBuilder routes) => routes.MapPost("/info", AnswerAsync);

    internal static async Task AnswerAsync(HttpContext http, Venue venue)
    {
        var (request, complaint) = await InfoRequest.ReadAsync(http.Request.Body, http.RequestAborted);
        venue.Requests.Add(request?.Type.Name ?? RequestCounts.Invalid);
        if (request is null)
            await InfoResponse.TextAsync(http, StatusCodes.Status422UnprocessableEntity, "text/plain; charset=utf-8",
                $"Failed to deserialize the JSON body into the target type: {complaint}");
        else if (!venue.Weight.Admit(request.Type.Weight))
            await InfoResponse.JsonAsync(http, StatusCodes.Status429TooManyRequests, null);
        else if (venue.Faults.Take(request.Type.Name, request.Address) is { } met)
            await FaultyAnswers.WriteAsync(http, met, () => Answer(request, venue));
        else
            await InfoResponse.JsonAsync(http, StatusCodes.Status200OK, Answer(request, venue));
    }

    /// <summary>The good answer as of now.</summary>
    private static JsonNode? Answer(InfoRequest request, Venue venue)
    {
        var now = venue.Now;
        var account = request.Address is null ? null : venue.Vaults.Find(request.Address);
        // Vaults trade on the venue's own market only; elsewhere their accounts are empty.
        var onMainDex = string.IsNullOrEmpty(request.Dex);
        return request.Type.Name switch
        {
            "vaultDetails" => VaultDetailsAnswer.Of(venue.Vaults, account, request.User, now),
            "portfolio" => PortfolioAnswer.Of(account, now),
            "clearinghouseState" => ClearinghouseAnswer.Of(onMainDex ? account : null, now),
            "userRole" => new JsonObject { ["role"] = account is null ? "missing" : "vault" },
            "metaAndAssetCtxs" => onMainDex ? MarketsAnswer.Of(venue.Scenario, venue.Prices, venue.Oracles, now) : null,
            "userFills" => Weighed(venue, UserFillsAnswer.NewestOf(venue.Fills, request.Address!, now)),
            "userFillsByTime" => Weighed(venue, UserFillsAnswer.ByTime(
                venue.Fills, request.Address!, request.Fills!.StartTime, request.Fills.EndTime, request.Fills.Reversed, now)),
            "userNonFundingLedgerUpdates" =>
                Weighed(venue, LedgerAnswer.Of(venue, account, request.Address!, request.Fills!.StartTime, request.Fills.EndTime, now)),
            _ => throw new InvalidOperationException($"No answer for the type {request.Type.Name}"),
        };
    }

    // The items of a list weigh too, and are known only when the answer is there.
    private static JsonArray Weighed(Venue venue, JsonArray items)
    {
        venue.Weight.Charge((items.Count + ItemsPerWeight - 1) / ItemsPerWeight);
        return items;
    }
}
