using System.Text.Json;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Venues.Oracle.Sources;

/// <summary>
/// Pyth's Hermes: an aggregate with a confidence instead of a book. A price that is not sure to within a percent is no reference.
/// </summary>
internal sealed class PythSource(ReferenceHttp http) : IReferenceSource
{
    public const string SourceName = "pyth";

    private const decimal MaxConfidenceShare = 0.01m;

    /// <inheritdoc/>
    public string Name => SourceName;

    /// <inheritdoc/>
    public QuoteCurrency Quote => QuoteCurrency.Usd;

    /// <inheritdoc/>
    public string? UsdtSymbol => "2b89b9dc8fdf9f34709a5b106b472f0f39bb6ca9ce04b0fd7f2e971688e2e53b";

    /// <inheritdoc/>
    public string? SymbolOf(AssetSymbols asset) => asset.PythId;

    /// <inheritdoc/>
    public async Task<IReadOnlyDictionary<string, ReferenceQuote>> ReadAsync(
        IReadOnlyCollection<string> symbols, CancellationToken cancellationToken)
    {
        var ids = string.Concat(symbols.Select(id => $"ids[]={id}&"));
        using var answer = await http.GetAsync(
            $"v2/updates/price/latest?{ids}parsed=true&ignore_invalid_price_ids=true", mayBeUnknown: false, cancellationToken);
        return Parse(answer!.RootElement, symbols);
    }

    /// <summary>{"parsed":[{"id","price":{"price","conf","expo","publish_time"}},…]}; the time is in seconds.</summary>
    public static IReadOnlyDictionary<string, ReferenceQuote> Parse(JsonElement answer, IReadOnlyCollection<string> symbols)
    {
        var book = new QuoteBook(symbols);
        foreach (var feed in ReferenceJson.Items(ReferenceJson.Member(answer, "parsed", JsonValueKind.Array)))
            book.Add(ReferenceJson.FindText(feed, "id"), () => Read(ReferenceJson.Member(feed, "price", JsonValueKind.Object)));
        return book.Quotes;
    }

    private static ReferenceQuote Read(JsonElement price)
    {
        var (value, confidence) = (ReferenceJson.Price(price, "price"), ReferenceJson.Price(price, "conf"));
        if (!ReferenceJson.Member(price, "expo", JsonValueKind.Number).TryGetInt32(out var exponent) || exponent is < -18 or > 9
            || !ReferenceJson.Member(price, "publish_time", JsonValueKind.Number).TryGetInt64(out var seconds)
            || seconds is < 0 or >= 253_402_300_800)
            throw new MissingDataException("unexpected answer: a price without exponent or time");
        if (value <= 0 || confidence < 0 || confidence > value * MaxConfidenceShare)
            return ReferenceQuote.Unreadable($"a price of {value} that is sure to {confidence}");
        value = Scale(value, exponent);
        return new ReferenceQuote(value, value, DateTimeOffset.FromUnixTimeSeconds(seconds));
    }

    private static decimal Scale(decimal value, int exponent)
    {
        for (; exponent < 0; exponent++)
            value /= 10;
        for (; exponent > 0; exponent--)
            value *= 10;
        return value;
    }
}
