using System.Text.Json;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Venues.Oracle.Sources;

/// <summary>Kraken: several pairs in one request. Its errors come with status 200, and it keys its results by names of its own.</summary>
internal sealed class KrakenSource(ReferenceHttp http) : IReferenceSource
{
    public const string SourceName = "kraken";

    /// <inheritdoc/>
    public string Name => SourceName;

    /// <inheritdoc/>
    public QuoteCurrency Quote => QuoteCurrency.Usd;

    /// <inheritdoc/>
    public string? UsdtSymbol => "USDTUSD";

    /// <inheritdoc/>
    public string? SymbolOf(AssetSymbols asset) => asset.Kraken is { } name ? $"{name}USD" : null;

    /// <inheritdoc/>
    public async Task<IReadOnlyDictionary<string, ReferenceQuote>> ReadAsync(
        IReadOnlyCollection<string> symbols, CancellationToken cancellationToken)
    {
        using var answer = await http.GetAsync($"0/public/Ticker?pair={string.Join(',', symbols)}", mayBeUnknown: false, cancellationToken);
        return Parse(answer!.RootElement, symbols);
    }

    /// <summary>{"error":[],"result":{"XXBTZUSD":{"a":[price,…],"b":[price,…],…},…}}.</summary>
    public static IReadOnlyDictionary<string, ReferenceQuote> Parse(JsonElement answer, IReadOnlyCollection<string> symbols)
    {
        var errors = ReferenceJson.Items(ReferenceJson.Member(answer, "error", JsonValueKind.Array))
            .Select(error => error.ToString()).ToList();
        if (errors.Count > 0)
            throw new MissingDataException(string.Join("; ", errors));

        // A pair ABCUSD comes back under that name, or in Kraken's older spelling as XABCZUSD or ABCZUSD.
        var spellings = symbols.SelectMany(symbol =>
            new[] { symbol, $"X{symbol[..^3]}ZUSD", $"{symbol[..^3]}ZUSD" }.Select(spelling => (spelling, symbol)))
            .DistinctBy(pair => pair.spelling).ToDictionary(pair => pair.spelling, pair => pair.symbol);
        var quotes = new Dictionary<string, ReferenceQuote>();
        foreach (var pair in ReferenceJson.Member(answer, "result", JsonValueKind.Object).EnumerateObject())
            if (spellings.TryGetValue(pair.Name, out var symbol))
                quotes[symbol] = new ReferenceQuote(Best(pair.Value, "b"), Best(pair.Value, "a"));
        return quotes;
    }

    private static decimal Best(JsonElement ticker, string side) =>
        ReferenceJson.Price(ReferenceJson.Items(ReferenceJson.Member(ticker, side, JsonValueKind.Array)).FirstOrDefault());
}
