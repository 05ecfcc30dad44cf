using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Monitoring.Data.Subjects;
using Monitoring.Data.Venues;
using Monitoring.Worker.Venues.Hyperliquid;

namespace Monitoring.Worker.Venues.Liquidations;

/// <summary>An account whose fills are followed.</summary>
internal sealed record FillOwner(string Address, bool IsHlpVault);

/// <summary>Tells which fills are liquidations, of which kind and of whom.</summary>
internal static class LiquidationMapping
{
    /// <summary>Stands where the venue does not say whose position it was.</summary>
    public const string UnknownUser = "unknown";

    private const int LongestHash = 66;

    /// <summary>
    /// The row of a fill, or null when the fill is no liquidation: an ordinary trade carries no object
    /// <c>liquidation</c>, whatever its direction is called.
    /// </summary>
    public static LiquidationFill? Map(Fill fill, FillOwner owner)
    {
        if (!fill.IsLiquidation)
            return null;
        var victim = fill.Liquidation?.LiquidatedUser?.ToLowerInvariant() ?? UnknownUser;
        var isVictim = victim == owner.Address;
        var method = MethodOf(fill, owner, isVictim);
        return new LiquidationFill(fill.Coin, fill.Tid ?? MakeTid(fill), victim, fill.At, method, SideOf(fill, method, isVictim), fill.Px,
            fill.Sz, fill.Px * fill.Sz, isVictim ? null : owner.Address, HashOf(fill), owner.Address, CoverageOf(owner, method));
    }

    /// <summary>What makes it the same row.</summary>
    public static (string, long, string, DateTimeOffset) KeyOf(LiquidationFill row) =>
        (row.Coin, row.Tid, row.LiquidatedUser, row.ObservedAt);

    /// <summary>
    /// The rows of many fills, each trade once: both sides of a trade have the same tid, and of the two rows that which
    /// names the counterparty says more.
    /// </summary>
    public static IReadOnlyList<LiquidationFill> Merge(IEnumerable<LiquidationFill> rows) =>
        [.. rows.GroupBy(KeyOf)
            .Select(same => same.OrderBy(row => row.Counterparty is null).ThenBy(row => row.SourceAddress, StringComparer.Ordinal).First())
            .OrderBy(row => row.ObservedAt).ThenBy(row => row.Coin, StringComparer.Ordinal).ThenBy(row => row.Tid)
            .ThenBy(row => row.LiquidatedUser, StringComparer.Ordinal)];

    private static LiquidationMethod MethodOf(Fill fill, FillOwner owner, bool isVictim) =>
        fill.Dir == Fill.Deleveraging ? LiquidationMethod.Adl
        : fill.Liquidation!.Method == "market" ? LiquidationMethod.Market
        // nobody takes over from the vault that takes over: its losers are deleveraged against
        : isVictim && owner.IsHlpVault ? LiquidationMethod.Adl
        : LiquidationMethod.Backstop;

    private static LiquidationSide SideOf(Fill fill, LiquidationMethod method, bool isVictim)
    {
        if (method != LiquidationMethod.Market && fill.Dir is { } dir && dir.StartsWith("Liquidated", StringComparison.Ordinal))
        {
            // Named on the fills of both parties, always the victim's.
            if (dir.EndsWith("Long", StringComparison.Ordinal))
                return LiquidationSide.Long;
            if (dir.EndsWith("Short", StringComparison.Ordinal))
                return LiquidationSide.Short;
        }

        // Who loses a long sells it; the other side then buys.
        return (fill.Side == "A") == isVictim ? LiquidationSide.Long : LiquidationSide.Short;
    }

    private static LiquidationCoverage CoverageOf(FillOwner owner, LiquidationMethod method) =>
        !owner.IsHlpVault ? LiquidationCoverage.Account
        : method == LiquidationMethod.Market ? LiquidationCoverage.HlpSample
        : LiquidationCoverage.HlpComplete;

    // 32 zero bytes are the hash of whatever is no transaction, so they tell nothing apart.
    private static string? HashOf(Fill fill) =>
        fill.Hash is { } hash && hash.AsSpan().IndexOfAnyExcept('0', 'x') >= 0
            ? OutsideName.CleanText(hash, LongestHash).ToLowerInvariant() : null;

    // Old answers have no tid. What stands for it is made of the fill itself, negative so that it meets no real one.
    private static long MakeTid(Fill fill) =>
        BinaryPrimitives.ReadInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{fill.Coin} {fill.Time} {fill.Key.WithoutTid}")))
        | long.MinValue;
}
