using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.Hyperliquid;
using Monitoring.Worker.Venues.Oracle.Sources;
using Monitoring.Worker.Watching;

namespace Monitoring.Worker.Venues.Oracle;

/// <summary>Holds the venue's oracle prices against those of other markets.</summary>
internal sealed class OracleMonitor(
    HyperliquidClient venue, ReferenceReader references, ReferenceSelection selection, OracleHistory history,
    OracleOptions options, TimeProvider clock) : IMonitor
{
    /// <summary>The name in the ledger.</summary>
    public const string MonitorName = "oracle";

    /// <summary>Prices that were read farther apart are not compared: the market may have moved in between.</summary>
    public static readonly TimeSpan MostApart = TimeSpan.FromSeconds(3);

    private readonly PartialSourceHealth _parts = new();
    private List<AssetSymbols> _assets = [];

    /// <inheritdoc/>
    public async Task<CheckReport> CheckAsync(CheckContext context)
    {
        var (scheduledAt, cancellationToken) = (context.ScheduledAt, context.Cancellation);
        await history.LoadAsync(scheduledAt, cancellationToken);
        var (markets, answers) = await FetchAsync(cancellationToken);
        var usdtInUsd = ReferenceSelection.UsdtInUsd(answers, scheduledAt);
        List<OracleReading> readings =
        [
            .. SymbolTable.ListedIn(markets).Select(symbols =>
                selection.Select(symbols, markets.ByCoin[symbols.Asset], answers, usdtInUsd, scheduledAt)),
            .. OracleReading.ImpossibleAmong(markets.ByCoin.Where(market => !SymbolTable.ByAsset.ContainsKey(market.Key)), scheduledAt),
        ];

        var common = OracleRules.FindCommonMode(readings, options.Thresholds);
        var verdicts =
            readings.Select(reading => OracleRules.Judge(reading, history.Of(reading.Asset, scheduledAt), common, options.Thresholds))
                .OfType<OracleVerdict>().ToList();
        var parts = OracleParts.Of(context.Schedule, markets, answers, readings, verdicts, history.Judged);
        verdicts.ForEach(history.Add);
        List<OracleDeviation> rows = [.. verdicts.Select(Map)];
        if (!verdicts.Exists(verdict => verdict.IsJudged))
            throw new MissingDataException(WhyNothingIsJudged(readings, answers)) { Seen = rows };

        var blind = _parts.Judge(context.Schedule, parts.Readings, scheduledAt);
        return new CheckReport(rows, [.. OracleRules.Evaluate(verdicts, common, usdtInUsd, options.Thresholds), .. blind.Findings],
            [.. OracleRules.Unjudged(readings, verdicts, options.Thresholds), .. blind.Unjudged, .. parts.Unjudged])
        {
            Endings = parts.Endings, Measured = OracleRules.Measure(readings, verdicts, options.Thresholds),
        };
    }

    private static string WhyNothingIsJudged(List<OracleReading> readings, IReadOnlyList<SourceAnswer> answers)
    {
        if (readings.Count == 0)
            return "hyperliquid metaAndAssetCtxs: none of the assets that have references is listed";
        var failed = answers.Where(answer => answer.Quotes is null).Select(answer => $"{answer.Source.Name} ({answer.Error})").ToList();
        return $"none of {readings.Count} assets has the {OracleThresholds.MinReferences} fresh references that a verdict needs; "
            + $"of {answers.Count} price sources {failed.Count} failed" + (failed.Count > 0 ? $": {string.Join(", ", failed)}" : "");
    }

    // The sources are asked for what the venue listed last time, so that their prices are of the same moment as its
    // own. Where the venue kept us waiting, for its weight limit or in another attempt, they are asked again.
    private async Task<(Markets Markets, IReadOnlyList<SourceAnswer> Answers)> FetchAsync(CancellationToken cancellationToken)
    {
        var asking = AskVenueAsync(cancellationToken);
        if (_assets.Count == 0)
            _assets = WorthAsking((await asking).Markets);
        var reading = references.ReadAsync(_assets, cancellationToken);
        await Task.WhenAll(asking, reading);
        var ((markets, at), answers) = (await asking, await reading);
        _assets = WorthAsking(markets);
        if (answers.Any(answer => at - answer.At > MostApart))
            answers = await references.ReadAsync(_assets, cancellationToken);
        return (markets, [.. answers.Select(answer => answer.At - at > MostApart ? LeaveOut(answer, at) : answer)]);
    }

    // One that is missing now may be there next time, and then needs its references.
    private List<AssetSymbols> WorthAsking(Markets markets) =>
        [.. SymbolTable.All.Where(symbols => markets.ByCoin.ContainsKey(symbols.Asset)
            || (_assets.Contains(symbols) && !markets.Delisted.Contains(symbols.Asset)))];

    private async Task<(Markets Markets, DateTimeOffset At)> AskVenueAsync(CancellationToken cancellationToken) =>
        (await venue.GetMarketsAsync(cancellationToken), clock.GetUtcNow());

    private static SourceAnswer LeaveOut(SourceAnswer answer, DateTimeOffset at) =>
        answer.Quotes is null
            ? answer
            : answer with { Quotes = null, Error = $"answered {(answer.At - at).TotalSeconds:0.#} s after the venue" };

    private static OracleDeviation Map(OracleVerdict verdict)
    {
        var reading = verdict.Reading;
        static decimal? Round(decimal? price) => price is { } known ? decimal.Round(known, OracleReading.PriceDigits) : null;
        decimal? Price(string source) => Round(reading.References.FirstOrDefault(reference => reference.Source == source)?.Price);
        return new OracleDeviation(
            reading.Asset, reading.At, reading.OraclePrice, reading.MarkPrice, Price(BinanceSource.SourceName),
            Price(CoinbaseSource.SourceName), Price(PythSource.SourceName), Price(KrakenSource.SourceName),
            Price(OkxSource.SourceName), Round(verdict.ReferencePrice), verdict.References.Count,
            [.. reading.LeftOut,
                .. reading.References.Except(verdict.References).Select(reference => $"{reference.Source}: quote currency off")],
            verdict.MaxDeviationPct, verdict.MaxDeviationSource, verdict.BreachedSince, verdict.DurationSeconds,
            verdict.FloorPct, verdict.IsDangerous, verdict.Severity, verdict.Risk?.Total);
    }
}
