using System.Text.Json;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Venues.Oracle.Sources;

/// <summary>Kraken: several pairs in one request. Its errors come with status 200, and it keys its results by names of its own.</summary>
internal sealed partial class KrakenSource(ReferenceHttp http, TimeProvider clock, ILogger<KrakenSource> logger) : IReferenceSource
{
    public const string SourceName = "kraken";

    private const string Path = "0/public/Ticker";

    private static readonly TimeSpan UnknownFor = TimeSpan.FromHours(1);

    private HashSet<string> _unknown = [];
    private DateTimeOffset _askAgainAt = DateTimeOffset.MinValue;

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
        if (clock.GetUtcNow() >= _askAgainAt)
            _unknown = [];
        var asked = symbols.Except(_unknown).ToList();
        if (asked.Count == 0)
            return new Dictionary<string, ReferenceQuote>();
        using var answer = await http.GetAsync($"{Path}?pair={string.Join(',', asked)}", mayBeUnknown: false, cancellationToken);
        if (!IsOfUnknownPair(answer!.RootElement))
            return Parse(answer.RootElement, symbols);

        // One pair that it does not know spoils the request and is not named: all that it has is asked for, and what is not there is left
        // out of the next requests.
        using var all = await http.GetAsync(Path, mayBeUnknown: false, cancellationToken);
        var quotes = Parse(all!.RootElement, symbols);
        (_unknown, _askAgainAt) = ([.. symbols.Where(symbol => !quotes.ContainsKey(symbol))], clock.GetUtcNow() + UnknownFor);
        LogUnknown(string.Join(", ", _unknown), UnknownFor.TotalMinutes);
        return quotes;
    }

    /// <summary>{"error":[],"result":{"XXBTZUSD":{"a":[price,…],"b":[price,…],…},…}}.</summary>
    public static IReadOnlyDictionary<string, ReferenceQuote> Parse(JsonElement answer, IReadOnlyCollection<string> symbols)
    {
        var errors = ErrorsOf(answer).ToList();
        if (errors.Count > 0)
            throw new MissingDataException(string.Join("; ", errors));

        // A pair ABCUSD comes back under that name, or in Kraken's older spelling as XABCZUSD or ABCZUSD.
        var spellings = symbols.SelectMany(symbol =>
            new[] { symbol, $"X{symbol[..^3]}ZUSD", $"{symbol[..^3]}ZUSD" }.Select(spelling => (spelling, symbol)))
            .DistinctBy(pair => pair.spelling).ToDictionary(pair => pair.spelling, pair => pair.symbol);
        var book = new QuoteBook(symbols);
        foreach (var pair in ReferenceJson.Member(answer, "result", JsonValueKind.Object).EnumerateObject())
            book.Add(spellings.GetValueOrDefault(ReferenceJson.NameOf(pair)), () =>
                new ReferenceQuote(Best(pair.Value, "b"), Best(pair.Value, "a")));
        return book.Quotes;
    }

    private static bool IsOfUnknownPair(JsonElement answer) =>
        ErrorsOf(answer).Any(error => error.Contains("Unknown asset pair", StringComparison.Ordinal));

    private static IEnumerable<string> ErrorsOf(JsonElement answer) =>
        ReferenceJson.Items(ReferenceJson.Member(answer, "error", JsonValueKind.Array)).Select(error => error.ToString());

    private static decimal Best(JsonElement ticker, string side) =>
        ReferenceJson.Price(ReferenceJson.Items(ReferenceJson.Member(ticker, side, JsonValueKind.Array)).FirstOrDefault());

    [LoggerMessage(LogLevel.Warning, "kraken does not know {Pairs}; it is not asked for them for {Minutes:0} minutes")]
    private partial void LogUnknown(string pairs, double minutes);
}
