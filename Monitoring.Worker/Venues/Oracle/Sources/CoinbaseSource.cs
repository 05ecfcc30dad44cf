using System.Text.Json;

namespace Monitoring.Worker.Venues.Oracle.Sources;

/// <summary>
/// Coinbase Exchange: one request per pair, ten a second at most, and a book in each (the other interface of Coinbase
/// has one cached price). The time in its answer is that of the last trade and says nothing of the book.
/// </summary>
internal sealed class CoinbaseSource(ReferenceHttp http, TimeProvider clock) : IReferenceSource
{
    public const string SourceName = "coinbase";

    private const int RequestsPerSecond = 8;

    /// <inheritdoc/>
    public string Name => SourceName;

    /// <inheritdoc/>
    public QuoteCurrency Quote => QuoteCurrency.Usd;

    /// <inheritdoc/>
    public string? UsdtSymbol => "USDT-USD";

    /// <inheritdoc/>
    public string? SymbolOf(AssetSymbols asset) => asset.OnCoinbase ? $"{asset.Ticker}-USD" : null;

    /// <inheritdoc/>
    public async Task<IReadOnlyDictionary<string, ReferenceQuote>> ReadAsync(
        IReadOnlyCollection<string> symbols, CancellationToken cancellationToken)
    {
        var quotes = new Dictionary<string, ReferenceQuote>();
        var first = true;
        foreach (var chunk in symbols.Chunk(RequestsPerSecond))
        {
            if (!first)
                await Task.Delay(TimeSpan.FromSeconds(1), clock, cancellationToken);
            first = false;
            foreach (var (symbol, quote) in await Task.WhenAll(chunk.Select(symbol => ReadOneAsync(symbol, cancellationToken))))
                if (quote is not null)
                    quotes[symbol] = quote;
        }

        return quotes;
    }

    private async Task<(string Symbol, ReferenceQuote? Quote)> ReadOneAsync(string symbol, CancellationToken cancellationToken)
    {
        using var answer = await http.GetAsync($"products/{symbol}/ticker", mayBeUnknown: true, cancellationToken);
        return (symbol, answer is null ? null : Parse(answer.RootElement));
    }

    /// <summary>{"ask","bid","price","size","volume","trade_id","time"}.</summary>
    public static ReferenceQuote Parse(JsonElement answer) => new(ReferenceJson.Price(answer, "bid"), ReferenceJson.Price(answer, "ask"));
}
