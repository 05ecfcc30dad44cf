using System.Text.Json.Serialization;

namespace Monitoring.Worker.Venues.Hyperliquid;

/// <summary>
/// One fill of <c>userFillsByTime</c>, seen from its owner: <see cref="Side"/> is B for a buy and A for a sale. Price
/// in USD, size in base units. What old answers leave out is null; <see cref="Tid"/> names the trade and is the same in
/// the fills of both its sides.
/// </summary>
internal sealed record Fill
{
    // The sums of many such fit into a decimal.
    private const decimal LargestNotional = 1_000_000_000_000;

    [JsonConverter(typeof(OutsideNameConverter))]
    public required string Coin { get; init; }
    public required decimal Px { get; init; }
    public required decimal Sz { get; init; }
    public required string Side { get; init; }
    public required long Time { get; init; }
    public decimal? StartPosition { get; init; }
    public string? Dir { get; init; }
    public decimal? ClosedPnl { get; init; }
    public string? Hash { get; init; }
    public long? Oid { get; init; }
    public decimal? Fee { get; init; }
    public string? FeeToken { get; init; }
    public long? Tid { get; init; }
    public FillLiquidation? Liquidation { get; init; }

    /// <summary>The venue's time of the fill.</summary>
    public DateTimeOffset At => DateTimeOffset.FromUnixTimeMilliseconds(Time);

    /// <summary>Whether it belongs to a liquidation or a deleveraging.</summary>
    public bool IsLiquidation => Liquidation is not null || Dir == Deleveraging;

    /// <summary>The direction of a deleveraging.</summary>
    public const string Deleveraging = "Auto-Deleveraging";

    /// <summary>What cannot be. Of a liquidation more must be right than of a trade, of which the time alone is used.</summary>
    public string? FindFault() =>
        !HyperliquidJson.IsTime(Time) ? $"{Time} is no time"
        : Px < 0 || Sz < 0 || Px * Sz > LargestNotional ? $"a size of {Sz} at {Px}"
        : !IsLiquidation ? null
        : Px == 0 || Sz == 0 ? $"a liquidation of {Sz} at {Px}"
        : Side is not ("A" or "B") ? "a side that is neither A nor B"
        : Dir != Deleveraging && Liquidation!.Method is not ("market" or "backstop") ? "a liquidation of an unknown method"
        : null;

    /// <summary>What tells the fill from every other of its owner.</summary>
    public FillKey Key => new(Coin, Time, Tid, Tid is null ? $"{Hash} {Oid} {Px} {Sz} {StartPosition}" : null);
}

/// <summary>Whose position was liquidated and how; the user is missing where the venue lent money instead.</summary>
internal sealed record FillLiquidation
{
    [JsonConverter(typeof(OutsideNameConverter))]
    public string? LiquidatedUser { get; init; }

    public decimal? MarkPx { get; init; }
    public string? Method { get; init; }
}

/// <summary>The identity of a fill among those of its owner.</summary>
internal sealed record FillKey(string Coin, long Time, long? Tid, string? WithoutTid);
