using System.Text.Json;

namespace Monitoring.Worker.Venues.Oracle.Sources;

/// <summary>Binance spot. The list of all books is one request, and no unknown symbol can spoil it; it has no times.</summary>
internal sealed class BinanceSource(ReferenceHttp http) : IReferenceSource
{
    public const string SourceName = "binance";

    /// <inheritdoc/>
    public string Name => SourceName;

    /// <inheritdoc/>
    public QuoteCurrency Quote => QuoteCurrency.Usdt;

    /// <inheritdoc/>
    public string? UsdtSymbol => null;

    /// <inheritdoc/>
    public string? SymbolOf(AssetSymbols asset) => $"{asset.Ticker}USDT";

    /// <inheritdoc/>
    public async Task<IReadOnlyDictionary<string, ReferenceQuote>> ReadAsync(
        IReadOnlyCollection<string> symbols, CancellationToken cancellationToken)
    {
        using var answer = await http.GetAsync("api/v3/ticker/bookTicker", mayBeUnknown: false, cancellationToken);
        return Parse(answer!.RootElement, symbols);
    }

    /// <summary>[{"symbol","bidPrice","bidQty","askPrice","askQty"},…], or one such object.</summary>
    public static IReadOnlyDictionary<string, ReferenceQuote> Parse(JsonElement answer, IReadOnlyCollection<string> symbols)
    {
        var book = new QuoteBook(symbols);
        foreach (var ticker in answer.ValueKind == JsonValueKind.Object ? [answer] : ReferenceJson.Items(answer).ToArray())
            book.Add(ReferenceJson.FindText(ticker, "symbol"), () =>
                new ReferenceQuote(ReferenceJson.Price(ticker, "bidPrice"), ReferenceJson.Price(ticker, "askPrice")));
        return book.Quotes;
    }
}
