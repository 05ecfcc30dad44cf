using Monitoring.Worker.Venues.Hyperliquid;
using Monitoring.Worker.Venues.Oracle.Sources;

namespace Monitoring.Worker.Venues.Oracle;

/// <summary>
/// Picks the references that an asset can be held against, and says of the others why not. It remembers since when each
/// book stands still, and which pairs were found to be the same asset.
/// </summary>
internal sealed partial class ReferenceSelection(OracleOptions options, ILogger<ReferenceSelection> logger)
{
    /// <summary>A price that is older, or that did not move for so long on a liquid asset, is no reference.</summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(5);

    /// <summary>Why no reference of a source that is away is used.</summary>
    public const string Failed = "failed";

    /// <summary>Why a reference that is off by more than a fifth from the beginning is left out.</summary>
    public const string Refused = "refused";

    private const decimal MaxOffShare = 0.2m;

    private readonly Dictionary<(string Source, string Symbol), (decimal Bid, decimal Ask, DateTimeOffset Since)> _books = [];
    private readonly HashSet<(string Source, string Asset)> _accepted = [];
    private readonly HashSet<(string Source, string Asset)> _refused = [];

    /// <summary>USDT in USD: the median of the sources that have it; null without any.</summary>
    public static decimal? UsdtInUsd(IEnumerable<SourceAnswer> answers, DateTimeOffset at) => Median.Of(
        from answer in answers
        let quote = answer.Source.UsdtSymbol is { } symbol ? answer.Quotes?.GetValueOrDefault(symbol) : null
        // a stable coin's book may well stand still
        where quote is { IsCrossed: false, Mid: >= 0.1m and <= 10 } && !((at - quote.At)?.Duration() > MaxAge)
        select quote.Mid);

    /// <summary>Reads one asset.</summary>
    public OracleReading Select(
        AssetSymbols symbols, AssetContext market, IEnumerable<SourceAnswer> answers, decimal? usdtInUsd, DateTimeOffset at)
    {
        var isImpossible = OracleReading.IsImpossible(market.OraclePx);
        var liquid = market.DayNtlVlm >= options.Thresholds.LiquidUsd;
        var references = new List<Reference>();
        var usdPrices = new List<decimal>();
        var leftOut = new List<string>();
        foreach (var (source, quotes, _, _) in answers)
        {
            if (source.SymbolOf(symbols) is not { } symbol)
                continue;
            var quote = quotes?.GetValueOrDefault(symbol);
            var problem = quotes is null ? Failed
                : quote is null ? "missing"
                : quote.Problem is not null ? "unreadable"
                : quote.IsCrossed ? "crossed"
                : FindAge(source.Name, symbol, quote, liquid, at);
            if (problem is null)
            {
                var price = quote!.Mid * symbols.Units;
                var converted = source.Quote == QuoteCurrency.Usdt ? price : price / (usdtInUsd ?? 1);
                // A price that cannot be says nothing of which pair is the same asset.
                if (isImpossible && !_accepted.Contains((source.Name, symbols.Asset)))
                    problem = "not compared";
                else if (!isImpossible && !Accept(source.Name, symbols, converted, market.OraclePx))
                    problem = Refused;
                else if (source.Quote == QuoteCurrency.Usd)
                    usdPrices.Add(price);
                if (problem is null && source.Quote == QuoteCurrency.Usd && usdtInUsd is null)
                    problem = "no usdt rate";
                if (problem is null)
                    references.Add(new Reference(source.Name, source.Quote, converted));
            }

            if (problem is not null)
                leftOut.Add($"{source.Name}: {problem}");
        }

        leftOut.AddRange(DropOutliers(references).Select(outlier => $"{outlier.Source}: outlier"));
        return new OracleReading(symbols.Asset, at, market.OraclePx, market.MarkPx, liquid, references, Median.Of(usdPrices), leftOut);
    }

    /// <summary>
    /// Takes out of the list what is off by more than a fifth from the others' median, the farthest first: it may be
    /// what put the others off. Of two that disagree neither can be believed.
    /// </summary>
    public static IReadOnlyList<Reference> DropOutliers(List<Reference> references)
    {
        var dropped = new List<Reference>();
        while (references.Count > 1)
        {
            var (worst, off) = references.Select(one =>
                (One: one, Off: Off(one.Price, Median.Of(references.Where(other => other != one).Select(other => other.Price))!.Value)))
                .MaxBy(pair => pair.Off);
            if (off <= MaxOffShare)
                break;
            List<Reference> unbelievable = references.Count == 2 ? [.. references] : [worst];
            dropped.AddRange(unbelievable);
            references.RemoveAll(unbelievable.Contains);
        }

        return dropped;
    }

    private string? FindAge(string source, string symbol, ReferenceQuote quote, bool liquid, DateTimeOffset at)
    {
        if (!_books.TryGetValue((source, symbol), out var book) || (book.Bid, book.Ask) != (quote.Bid, quote.Ask))
            _books[(source, symbol)] = book = (quote.Bid, quote.Ask, at);
        return at - quote.At > MaxAge ? "stale"
            : quote.At - at > MaxAge ? "of a time to come"
            : liquid && at - book.Since >= MaxAge ? "unchanged"
            : null;
    }

    // A pair that was once found right stays so: what is off afterwards may be an attack. One that was never right
    // means another asset, or an attack went on when this process began: it is tried again at each check.
    private bool Accept(string source, AssetSymbols symbols, decimal price, decimal oracle)
    {
        var pair = (source, symbols.Asset);
        if (_accepted.Contains(pair))
            return true;
        if (Off(price, oracle) <= MaxOffShare)
        {
            if (_refused.Remove(pair))
                LogAccepted(source, symbols.Asset, price, oracle);
            return _accepted.Add(pair);
        }

        if (_refused.Add(pair))
            LogRefused(source, symbols.Asset, price, oracle);
        return false;
    }

    private static decimal Off(decimal price, decimal from) => Math.Abs((price / from) - 1);

    [LoggerMessage(LogLevel.Warning,
        "{Source} is not held against {Asset}: its price {Price} is off by more than 20 % from the oracle's {Oracle}; "
        + "it may mean another asset")]
    private partial void LogRefused(string source, string asset, decimal price, decimal oracle);

    [LoggerMessage(LogLevel.Information, "{Source} is held against {Asset} from now on: its price {Price} is near the oracle's {Oracle}")]
    private partial void LogAccepted(string source, string asset, decimal price, decimal oracle);
}
