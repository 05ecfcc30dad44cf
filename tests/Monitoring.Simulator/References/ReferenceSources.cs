namespace Monitoring.Simulator.References;

/// <summary>The price sources beside the venue; their names are also the types of their faults and requests.</summary>
internal static class ReferenceSources
{
    public const string Binance = "binance";
    public const string Okx = "okx";
    public const string Coinbase = "coinbase";
    public const string Kraken = "kraken";
    public const string Pyth = "pyth";

    public static readonly IReadOnlyList<string> All = [Binance, Okx, Coinbase, Kraken, Pyth];
}
