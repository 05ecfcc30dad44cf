using System.Text.Json.Nodes;
using Monitoring.Simulator.Model;

namespace Monitoring.Simulator.Info;

/// <summary>The answers to userFills and userFillsByTime: at most 2000 of an account's 10,000 newest fills.</summary>
internal static class UserFillsAnswer
{
    private const int PerPage = 2000;
    private const int Newest = 10_000;

    /// <summary>The newest fills, newest first.</summary>
    public static JsonArray NewestOf(FillBook book, string user, Moment now) =>
        [.. Known(book, user, now).Reverse().Take(PerPage).Select(trade => Fill(trade, user, now))];

    /// <summary>
    /// Fills between two times, both included: the oldest first or, reversed, the newest first. What is older than the
    /// newest 10,000 is not there.
    /// </summary>
    public static JsonArray ByTime(FillBook book, string user, long start, long? end, bool reversed, Moment now)
    {
        var within = Known(book, user, now).Where(trade => TimeOf(trade, now) >= start && TimeOf(trade, now) <= (end ?? long.MaxValue));
        return [.. (reversed ? within.Reverse() : within).Take(PerPage).Select(trade => Fill(trade, user, now))];
    }

    private static IEnumerable<LiquidationTrade> Known(FillBook book, string user, Moment now) =>
        book.TradesOf(user).Where(trade => trade.At <= now.Seconds).TakeLast(Newest);

    /// <summary>The venue's time of a trade.</summary>
    public static long TimeOf(LiquidationTrade trade, Moment now) => now.UnixMilliseconds + (long)((trade.At - now.Seconds) * 1000);

    /// <summary>A trade as its party sees it.</summary>
    public static JsonObject Fill(LiquidationTrade trade, string user, Moment now)
    {
        var isVictim = string.Equals(user, trade.Victim, StringComparison.OrdinalIgnoreCase);
        var isLong = trade.Side == LiquidatedSide.Long;
        return new JsonObject
        {
            ["coin"] = trade.Coin,
            ["px"] = WireNumber.Text(trade.Price),
            ["sz"] = WireNumber.Text(trade.Size),
            ["side"] = isVictim == isLong ? "A" : "B",
            ["time"] = TimeOf(trade, now),
            ["startPosition"] = isVictim ? WireNumber.Text(isLong ? trade.Size : -trade.Size) : "0.0",
            ["dir"] = DirectionOf(trade, isVictim, isLong),
            // Small and even positive figures are ordinary here; they say nothing of the size.
            ["closedPnl"] = isVictim && trade.Kind == LiquidationKind.Market ? WireNumber.Text(trade.Tid % 3 - 1) : "0.0",
            ["hash"] = trade.Hash,
            ["oid"] = trade.Tid + 7,
            ["crossed"] = isVictim || trade.Kind != LiquidationKind.Market,
            ["fee"] = "0.0",
            ["tid"] = trade.Tid,
            ["feeToken"] = "USDC",
            ["twapId"] = null,
            ["liquidation"] = new JsonObject
            {
                ["liquidatedUser"] = trade.Victim,
                ["markPx"] = WireNumber.Text(trade.Price),
                ["method"] = trade.Kind == LiquidationKind.Market ? "market" : "backstop",
            },
        };
    }

    private static string DirectionOf(LiquidationTrade trade, bool isVictim, bool isLong) => trade.Kind switch
    {
        LiquidationKind.Market => isVictim ? (isLong ? "Close Long" : "Close Short") : (isLong ? "Open Long" : "Open Short"),
        LiquidationKind.Adl when !isVictim => "Auto-Deleveraging",
        LiquidationKind.Adl => isLong ? "Liquidated Cross Long" : "Liquidated Cross Short",
        _ => isLong ? "Liquidated Isolated Long" : "Liquidated Isolated Short",
    };
}
