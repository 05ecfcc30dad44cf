using System.Text.Json.Nodes;
using Monitoring.Simulator.Model;

namespace Monitoring.Simulator.Info;

/// <summary>The answer to clearinghouseState: equity, margin and positions; all zero for an unknown account.</summary>
internal static class ClearinghouseAnswer
{
    public static JsonObject Of(Account? account, Moment now)
    {
        var equity = account?.PerpEquityAt(now.Seconds) ?? 0;
        var positions = account?.PositionsAt(now.Seconds) ?? [];
        var used = positions.Sum(position => Margin.Used(position));
        var maintenance = positions.Sum(position => Margin.Maintenance(position));
        return new()
        {
            ["marginSummary"] = Summary(equity, positions, used),
            ["crossMarginSummary"] = Summary(equity, positions, used),
            ["crossMaintenanceMarginUsed"] = WireNumber.Text(maintenance),
            ["withdrawable"] = WireNumber.Text(Math.Max(0, equity - used)),
            ["assetPositions"] = new JsonArray([.. positions.Select(position => AssetPosition(position, equity - maintenance))]),
            ["time"] = now.UnixMilliseconds,
        };
    }

    private static JsonObject Summary(decimal equity, IReadOnlyList<Position> positions, decimal used) => new()
    {
        ["accountValue"] = WireNumber.Text(equity),
        ["totalNtlPos"] = WireNumber.Text(positions.Sum(position => position.Value)),
        ["totalRawUsd"] = WireNumber.Text(equity - positions.Sum(position => position.SignedValue)),
        ["totalMarginUsed"] = WireNumber.Text(used),
    };

    private static JsonObject AssetPosition(Position position, decimal free)
    {
        var used = Margin.Used(position);
        return new()
        {
            ["type"] = "oneWay",
            ["position"] = new JsonObject
            {
                ["coin"] = position.Coin,
                ["szi"] = WireNumber.Text(position.Size),
                ["leverage"] = new JsonObject { ["type"] = "cross", ["value"] = Margin.Leverage },
                ["entryPx"] = WireNumber.Text(position.EntryPrice),
                ["positionValue"] = WireNumber.Text(position.Value),
                ["unrealizedPnl"] = WireNumber.Text(position.UnrealizedPnl),
                ["returnOnEquity"] = WireNumber.Text(
                    position.UnrealizedPnl * Margin.Leverage / (Math.Abs(position.Size) * position.EntryPrice)),
                ["liquidationPx"] = Margin.LiquidationPrice(position, free) is { } price ? WireNumber.Text(price) : null,
                ["marginUsed"] = WireNumber.Text(used),
                ["maxLeverage"] = Margin.MaxLeverage(position.Coin),
                ["cumFunding"] = new JsonObject { ["allTime"] = "0.0", ["sinceOpen"] = "0.0", ["sinceChange"] = "0.0" },
            },
        };
    }
}
