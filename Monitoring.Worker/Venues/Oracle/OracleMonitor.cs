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

    private const string References = "references";

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
        var readings = (from symbols in _assets
                        let market = markets.ByCoin.GetValueOrDefault(symbols.Asset)
                        where market is { OraclePx: > 0 }
                        select selection.Select(symbols, market, answers, usdtInUsd, scheduledAt)).ToList();

        var common = OracleRules.FindCommonMode(readings, options.Thresholds);
        var verdicts =
            readings.Select(reading => OracleRules.Judge(reading, history.Of(reading.Asset, scheduledAt), common, options.Thresholds))
                .OfType<OracleVerdict>().ToList();
        verdicts.ForEach(history.Add);
        List<OracleDeviation> rows = [.. verdicts.Select(Map)];
        var judged = verdicts.Count(verdict => verdict.IsJudged);
        if (judged == 0)
            throw new MissingDataException(WhyNothingIsJudged(readings, answers)) { Seen = rows };

        var (refused, unseen) = FindRefused(context.Schedule, readings);
        var blind = _parts.Judge(context.Schedule, [new(References, judged * 2 >= readings.Count ? null
            : $"{readings.Count - judged} of {readings.Count} assets lack the {OracleThresholds.MinReferences} fresh "
                + "references that a verdict needs"), .. refused], scheduledAt);
        return new CheckReport(rows, [.. OracleRules.Evaluate(verdicts, common, usdtInUsd, options.Thresholds), .. blind.Findings],
            [.. OracleRules.Unjudged(readings, verdicts, options.Thresholds), .. blind.Unjudged, .. unseen]);
    }

    // An asset whose references are all refused has no row: it means another asset everywhere, or its oracle was wrong
    // before this process began. Nobody may take that for calm, so it is a part that is not seen. What has no reference
    // for another reason says neither.
    private static (IEnumerable<SourceReading> Refused, IEnumerable<string> Unseen) FindRefused(
        MonitorSchedule monitor, IReadOnlyList<OracleReading> readings)
    {
        var without = readings.Where(reading => reading.References.Count == 0).ToLookup(reading => reading.Refused.Any());
        return ([
            .. readings.Where(reading => reading.References.Count > 0).Select(reading => new SourceReading(reading.Asset, null)),
            .. without[true].Select(reading => new SourceReading(reading.Asset,
                $"the oracle's price {reading.OraclePrice} is off by more than a fifth from {string.Join(", ", reading.Refused)}: "
                + "another asset there, or a wrong oracle")),
        ], without[false].Select(reading => WatchdogRules.FingerprintOfPart(monitor, reading.Asset)));
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
            _assets = SymbolTable.ListedIn((await asking).Markets);
        var reading = references.ReadAsync(_assets, cancellationToken);
        await Task.WhenAll(asking, reading);
        var ((markets, at), answers) = (await asking, await reading);
        _assets = SymbolTable.ListedIn(markets);
        if (answers.Any(answer => at - answer.At > MostApart))
            answers = await references.ReadAsync(_assets, cancellationToken);
        return (markets, [.. answers.Select(answer => answer.At - at > MostApart ? LeaveOut(answer, at) : answer)]);
    }

    private async Task<(Markets Markets, DateTimeOffset At)> AskVenueAsync(CancellationToken cancellationToken) =>
        (await venue.GetMarketsAsync(cancellationToken), clock.GetUtcNow());

    private static SourceAnswer LeaveOut(SourceAnswer answer, DateTimeOffset at) =>
        answer.Quotes is null
            ? answer
            : answer with { Quotes = null, Error = $"answered {(answer.At - at).TotalSeconds:0.#} s after the venue" };

    private static OracleDeviation Map(OracleVerdict verdict)
    {
        var reading = verdict.Reading;
        decimal? Price(string source) =>
            reading.References.FirstOrDefault(reference => reference.Source == source) is { } found ? decimal.Round(found.Price, 12) : null;
        return new OracleDeviation(
            reading.Asset, reading.At, reading.OraclePrice, reading.MarkPrice, Price(BinanceSource.SourceName),
            Price(CoinbaseSource.SourceName), Price(PythSource.SourceName), Price(KrakenSource.SourceName),
            Price(OkxSource.SourceName), decimal.Round(verdict.ReferencePrice, 12), verdict.References.Count,
            [.. reading.LeftOut,
                .. reading.References.Except(verdict.References).Select(reference => $"{reference.Source}: quote currency off")],
            verdict.MaxDeviationPct, verdict.MaxDeviationSource, verdict.BreachedSince, verdict.DurationSeconds,
            verdict.FloorPct, verdict.IsDangerous, verdict.Severity, verdict.Risk?.Total);
    }
}
