using Monitoring.Worker.Venues.Hyperliquid;

namespace Monitoring.Worker.Venues.Oracle;

/// <summary>
/// How the sources call an asset of the venue. One unit on the venue is <paramref name="Units"/> units of
/// <paramref name="Ticker"/>. Null or false: the asset is not held against that source. <paramref name="PythId"/>
/// is that of its USD feed.
/// </summary>
internal sealed record AssetSymbols(
    string Asset, string Ticker, decimal Units = 1, bool OnCoinbase = false, string? Kraken = null, string? PythId = null);

/// <summary>
/// The assets that are held against other markets: a list kept by hand, because equal names do not mean equal assets.
/// HYPE and PURR are not in it: the venue quotes their oracle in USDC.
/// </summary>
internal static class SymbolTable
{
    public static readonly IReadOnlyList<AssetSymbols> All =
    [
        new("BTC", "BTC", 1, true, "XBT", "e62df6c8b4a85fe1a67db44dc12de5db330f7ac66b72dc658afedf0f4a415b43"),
        new("ETH", "ETH", 1, true, "ETH", "ff61491a931112ddf1bd8147cd1b641375f79f5825126d665480874634fd0ace"),
        new("SOL", "SOL", 1, true, "SOL", "ef0d8b6fda2ceba41da15d4095d1da392a0d2f8ed0c6c7bc0f4cfac8c280b56d"),
        new("XRP", "XRP", 1, true, "XRP", "ec5d399846a9209f3fe5881d70aae9268c94339ff9817e8d18ff19fa05eea1c8"),
        new("LINK", "LINK", 1, true, "LINK", "8ac0c70fff57e9aefdf5edf44b51d62c2d433653cbb2cf5cc06bb115af04d221"),
        new("APT", "APT", 1, true, "APT", "03ae4db29ed4ae33d323568895aa00337e658e348b37509f5372ae51f0af00d5"),
        new("DOGE", "DOGE", 1, true, "XDG"), new("ADA", "ADA", 1, true, "ADA"), new("AVAX", "AVAX", 1, true, "AVAX"),
        new("LTC", "LTC", 1, true, "LTC"), new("BCH", "BCH", 1, true, "BCH"), new("DOT", "DOT", 1, true, "DOT"),
        new("UNI", "UNI", 1, true, "UNI"), new("AAVE", "AAVE", 1, true, "AAVE"), new("NEAR", "NEAR", 1, true, "NEAR"),
        new("SUI", "SUI", 1, true, "SUI"), new("ATOM", "ATOM", 1, true, "ATOM"),
        new("OP", "OP", 1, true), new("ARB", "ARB", 1, true), new("INJ", "INJ", 1, true), new("SEI", "SEI", 1, true),
        new("TIA", "TIA", 1, true), new("FIL", "FIL"), new("LDO", "LDO"), new("CRV", "CRV"), new("COMP", "COMP"),
        new("SNX", "SNX"), new("DYDX", "DYDX"), new("GMX", "GMX"),
        new("IMX", "IMX"), new("SAND", "SAND"), new("APE", "APE"), new("STX", "STX"), new("RUNE", "RUNE"),
        new("TRX", "TRX"), new("BNB", "BNB"), new("ENS", "ENS"), new("ETC", "ETC"), new("XLM", "XLM"),
        new("HBAR", "HBAR"), new("ALGO", "ALGO"), new("WLD", "WLD"), new("PYTH", "PYTH"),
        new("JUP", "JUP"), new("JTO", "JTO"), new("ENA", "ENA"), new("ONDO", "ONDO"), new("PENDLE", "PENDLE"),
        new("WIF", "WIF"), new("TAO", "TAO"), new("FET", "FET"), new("ORDI", "ORDI"), new("STRK", "STRK"),
        new("ZRO", "ZRO"), new("EIGEN", "EIGEN"), new("KAS", "KAS"), new("KAITO", "KAITO"),
        new("PAXG", "PAXG"), new("SAGA", "SAGA"), new("DYM", "DYM"), new("MANTA", "MANTA"), new("NOT", "NOT"),
        new("MOVE", "MOVE"), new("TRUMP", "TRUMP"),

        // A thousand of the coin is one unit of the venue; other names with a k in front are plain.
        new("kPEPE", "PEPE", 1000, PythId: "d69731a2e74ac1ce884fc3890f7ee324b6deb66147055249568869ed700882e4"),
        new("kSHIB", "SHIB", 1000, PythId: "f0d57deca57b3da2fe63a493f4c25925fdfd8edf834b20f93e1f84dbd1504d4a"),
        new("kBONK", "BONK", 1000), new("kFLOKI", "FLOKI", 1000), new("kLUNC", "LUNC", 1000),
        new("kNEIRO", "NEIRO", 1000), new("kDOGS", "DOGS", 1000),

        // Renamed elsewhere; the venue may still list the old name.
        new("POL", "POL"), new("MATIC", "POL"), new("RENDER", "RENDER"), new("RNDR", "RENDER"), new("S", "S"), new("FTM", "S"),
        new("SKY", "SKY"), new("MKR", "SKY", 24_000), new("JELLY", "JELLYJELLY"),
    ];

    /// <summary>The entry of an asset of the venue, or null where it is held against nothing.</summary>
    public static readonly IReadOnlyDictionary<string, AssetSymbols> ByAsset = All.ToDictionary(symbols => symbols.Asset);

    /// <summary>The entries of assets that the venue lists.</summary>
    public static List<AssetSymbols> ListedIn(Markets markets) => [.. All.Where(symbols => markets.ByCoin.ContainsKey(symbols.Asset))];
}
