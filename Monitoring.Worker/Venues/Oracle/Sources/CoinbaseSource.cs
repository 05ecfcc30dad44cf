using System.Text.Json;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Venues.Oracle.Sources;

/// <summary>
/// Coinbase Exchange: one request per pair, ten a second at most, and a book in each (the other interface of Coinbase
/// has one cached price). The time in its answer is that of the last trade and says nothing of the book.
/// </summary>
internal sealed class CoinbaseSource(ReferenceHttp http, TimeProvider clock) : IReferenceSource
{
    public const string SourceName = "coinbase";

    private const int RequestsPerSecond = 8;

    // Three rounds and the pauses between them fit into the deadline of the source.
    private static readonly TimeSpan PairDeadline = TimeSpan.FromSeconds(1.2);

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

    // A pair that fails or hangs must not take the others along; the source fails where all of them do.
    private async Task<(string Symbol, ReferenceQuote? Quote)> ReadOneAsync(string symbol, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(PairDeadline, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            using var answer = await http.GetAsync($"products/{symbol}/ticker", mayBeUnknown: true, either.Token);
            return (symbol, answer is null ? null : Parse(answer.RootElement));
        }
        catch (Exception fault) when (fault is SourceUnavailableException or MissingDataException)
        {
            return (symbol, ReferenceQuote.Unreadable(fault.Message));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (symbol, ReferenceQuote.Unreadable($"no answer within {PairDeadline.TotalSeconds:0.#} s"));
        }
    }

    /// <summary>{"ask","bid","price","size","volume","trade_id","time"}.</summary>
    public static ReferenceQuote Parse(JsonElement answer) => new(ReferenceJson.Price(answer, "bid"), ReferenceJson.Price(answer, "ask"));
}
