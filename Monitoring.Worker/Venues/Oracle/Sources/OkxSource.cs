using System.Globalization;
using System.Text.Json;
using Monitoring.Data.Subjects;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Venues.Oracle.Sources;

/// <summary>OKX spot: all tickers in one request. Its errors come with status 200.</summary>
internal sealed class OkxSource(ReferenceHttp http) : IReferenceSource
{
    public const string SourceName = "okx";

    /// <inheritdoc/>
    public string Name => SourceName;

    /// <inheritdoc/>
    public QuoteCurrency Quote => QuoteCurrency.Usdt;

    /// <inheritdoc/>
    public string? UsdtSymbol => null;

    /// <inheritdoc/>
    public string? SymbolOf(AssetSymbols asset) => $"{asset.Ticker}-USDT";

    /// <inheritdoc/>
    public async Task<IReadOnlyDictionary<string, ReferenceQuote>> ReadAsync(
        IReadOnlyCollection<string> symbols, CancellationToken cancellationToken)
    {
        using var answer = await http.GetAsync("api/v5/market/tickers?instType=SPOT", mayBeUnknown: false, cancellationToken);
        return Parse(answer!.RootElement, symbols);
    }

    /// <summary>{"code":"0","msg":"","data":[{"instId","bidPx","askPx","ts"},…]}.</summary>
    public static IReadOnlyDictionary<string, ReferenceQuote> Parse(JsonElement answer, IReadOnlyCollection<string> symbols)
    {
        if (ReferenceJson.Text(answer, "code") is not "0" and var code)
            throw new MissingDataException($"error {code}: {(answer.TryGetProperty("msg", out var message) ? message.ToString() : "")}");
        var book = new QuoteBook(symbols);
        foreach (var ticker in ReferenceJson.Items(ReferenceJson.Member(answer, "data", JsonValueKind.Array)))
            book.Add(ReferenceJson.FindText(ticker, "instId"), () => new ReferenceQuote(
                ReferenceJson.Price(ticker, "bidPx"), ReferenceJson.Price(ticker, "askPx"), Time(ReferenceJson.Text(ticker, "ts"))));
        return book.Quotes;
    }

    private static DateTimeOffset Time(string milliseconds) =>
        long.TryParse(milliseconds, NumberStyles.None, CultureInfo.InvariantCulture, out var ms) && ms < 253_402_300_800_000
            ? DateTimeOffset.FromUnixTimeMilliseconds(ms)
            : throw new MissingDataException($"unexpected answer: '{OutsideName.Clean(milliseconds)}' is no time");
}
