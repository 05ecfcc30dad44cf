using Monitoring.Simulator.Model;

namespace Monitoring.Simulator.Info;

/// <summary>The venue's margin arithmetic for cross positions.</summary>
internal static class Margin
{
    /// <summary>The leverage that every position is set to; the least of the coins' maxima.</summary>
    public const int Leverage = 10;

    public static int MaxLeverage(string coin) => coin switch
    {
        "BTC" => 40,
        "ETH" => 25,
        "SOL" => 20,
        _ => Leverage,
    };

    public static decimal Used(Position position) => decimal.Round(position.Value / Leverage, 8);

    public static decimal Maintenance(Position position) => decimal.Round(position.Value / (2 * MaxLeverage(position.Coin)), 8);

    /// <summary>The price at which what is free above maintenance is gone; none when no positive price is.</summary>
    public static decimal? LiquidationPrice(Position position, decimal free)
    {
        var side = Math.Sign(position.Size);
        var rate = 1m / (2 * MaxLeverage(position.Coin));
        var price = position.Price - (side * free / Math.Abs(position.Size) / (1 - (rate * side)));
        return price > 0 ? price : null;
    }
}
