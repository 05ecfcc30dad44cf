using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Venues.Oracle.Sources;

/// <summary>What a source's prices are in: the oracle is in USDT terms, so prices in USD need converting first.</summary>
internal enum QuoteCurrency { Usdt, Usd }

/// <summary>A source's book of one pair. <paramref name="At"/> is when the source says it was so; null where it does not say.</summary>
internal sealed record ReferenceQuote(decimal Bid, decimal Ask, DateTimeOffset? At = null)
{
    /// <summary>Why the book cannot be used, where the source gave one that cannot be read; null otherwise.</summary>
    public string? Problem { get; private init; }

    /// <summary>A book that cannot be read.</summary>
    public static ReferenceQuote Unreadable(string problem) => new(0, 0) { Problem = problem };

    /// <summary>The middle of the book: a last trade may be old.</summary>
    public decimal Mid => (Bid + Ask) / 2;

    /// <summary>A book that cannot be: empty on one side, with buyers above sellers, or at prices that nothing has.</summary>
    public bool IsCrossed => Bid < 0.000000000001m || Ask > 1_000_000_000_000m || Bid > Ask;
}

/// <summary>A market whose prices the oracle is held against. Each source is optional.</summary>
internal interface IReferenceSource
{
    /// <summary>The name in rows and settings, such as <c>binance</c>.</summary>
    string Name { get; }

    /// <summary>What its prices are in.</summary>
    QuoteCurrency Quote { get; }

    /// <summary>How it calls an asset, or null where it is not held against that asset.</summary>
    string? SymbolOf(AssetSymbols asset);

    /// <summary>How it calls USDT in USD, or null where it does not have that pair.</summary>
    string? UsdtSymbol { get; }

    /// <summary>
    /// Reads the books of these symbols; those it does not know are missing from the answer, those that cannot be read say so.
    /// </summary>
    /// <exception cref="SourceUnavailableException">It did not answer.</exception>
    /// <exception cref="MissingDataException">It answered without usable data.</exception>
    Task<IReadOnlyDictionary<string, ReferenceQuote>> ReadAsync(IReadOnlyCollection<string> symbols, CancellationToken cancellationToken);
}
