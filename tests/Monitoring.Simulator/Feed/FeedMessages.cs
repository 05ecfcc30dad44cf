using System.Text.Json.Nodes;
using Monitoring.Simulator.Info;
using Monitoring.Simulator.Model;

namespace Monitoring.Simulator.Feed;

/// <summary>The messages of the websocket in the venue's shapes.</summary>
internal static class FeedMessages
{
    private const int Replayed = 10;
    private const string NoHash = "0x0000000000000000000000000000000000000000000000000000000000000000";

    /// <summary>Sent before anything else; it is not JSON.</summary>
    public const string Greeting = "Websocket connection established.";

    public static JsonObject Pong() => new() { ["channel"] = "pong" };

    public static JsonObject Error(string text) => Message("error", text);

    public static JsonObject Acknowledge(string method, FeedSubscription subscription) =>
        Message("subscriptionResponse", new JsonObject { ["method"] = method, ["subscription"] = subscription.Json });

    /// <summary>An account's fills after one moment and until another; null when there are none and it is no snapshot.</summary>
    public static JsonObject? Fills(Venue venue, string user, decimal after, Moment now, bool isSnapshot)
    {
        var fills = isSnapshot
            ? UserFillsAnswer.NewestOf(venue.Fills, user, now)
            : new JsonArray([.. venue.Fills.TradesOf(user)
                .Where(trade => trade.At > after && trade.At <= now.Seconds)
                .Select(trade => UserFillsAnswer.Fill(trade, user, now))]);
        if (fills.Count == 0 && !isSnapshot)
            return null;
        var data = new JsonObject { ["user"] = user, ["fills"] = fills };
        if (isSnapshot)
            data["isSnapshot"] = true;
        return Message("userFills", data);
    }

    /// <summary>A coin's trades after one moment and until another: its liquidations, and one of the market at the end.</summary>
    public static JsonObject Trades(Venue venue, string coin, decimal after, Moment now) => Message("trades", new JsonArray(
    [
        .. venue.Fills.All.Where(trade => trade.Coin == coin && trade.At > after && trade.At <= now.Seconds)
            .Select(trade => Trade(trade, now)), MarketTrade(venue, coin, now),
    ]));

    /// <summary>What a new subscriber gets first: the newest trades once more.</summary>
    public static JsonObject ReplayedTrades(Venue venue, string coin, Moment now) => Message("trades", new JsonArray(
        [.. venue.Fills.All.Where(trade => trade.Coin == coin && trade.At <= now.Seconds)
            .TakeLast(Replayed)
            .Select(trade => Trade(trade, now))]));

    /// <summary>What a coin is at.</summary>
    public static JsonObject Context(Venue venue, string coin, Moment now) =>
        Message("activeAssetCtx",
            new JsonObject { ["coin"] = coin, ["ctx"] = MarketsAnswer.ContextOf(venue.Scenario, venue.Prices, venue.Oracles, coin, now) });

    private static JsonObject Message(string channel, JsonNode data) => new() { ["channel"] = channel, ["data"] = data };

    private static JsonObject Trade(LiquidationTrade trade, Moment now)
    {
        // The side is the taker's: who loses a long sells.
        var sells = trade.Side == LiquidatedSide.Long;
        return Trade(trade.Coin, sells ? "A" : "B", trade.Price, trade.Size, UserFillsAnswer.TimeOf(trade, now), trade.Hash, trade.Tid,
            sells ? trade.Counterparty : trade.Victim, sells ? trade.Victim : trade.Counterparty);
    }

    private static JsonObject MarketTrade(Venue venue, string coin, Moment now) =>
        Trade(coin, "B", venue.Prices[coin].At(now.Seconds), 0.01m, now.UnixMilliseconds, NoHash, now.UnixMilliseconds * 1000,
            FillBook.Trader(venue.Scenario.Seed, -1, 0), FillBook.Trader(venue.Scenario.Seed, -1, 1));

    private static JsonObject Trade(
        string coin, string side, decimal price, decimal size, long time, string hash, long tid, string buyer, string seller) => new()
    {
        ["coin"] = coin,
        ["side"] = side,
        ["px"] = WireNumber.Text(price),
        ["sz"] = WireNumber.Text(size),
        ["time"] = time,
        ["hash"] = hash,
        ["tid"] = tid,
        ["users"] = new JsonArray(buyer, seller),
    };
}
