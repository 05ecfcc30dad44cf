using System.Text.Json.Nodes;
using Monitoring.Data.Events;
using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.Oracle.Sources;

namespace Monitoring.Worker.Venues.Oracle;

/// <summary>
/// The rules of the monitor <c>oracle</c>: pure functions of what was read and of each asset's past. docs/rules.md says what each one
/// means.
/// </summary>
internal static class OracleRules
{
    // How far off a price is that nothing has, and what stands where else the farthest source does.
    private const decimal ImpossiblePct = 100;
    private const string WithoutSource = "none";

    /// <summary>The quote currency of the venue's oracle.</summary>
    public const string QuoteCurrencyName = "USDT";

    /// <summary>Looks for a shift that most assets share. Null when there is none, or when too few assets have USD references.</summary>
    public static CommonMode? FindCommonMode(IReadOnlyList<OracleReading> readings, OracleThresholds limits)
    {
        var shifts = readings.Where(SpeaksForTheQuote)
            .Select(reading => (reading.Asset, Shift: ShiftOf(reading))).ToList();
        if (shifts.Count < limits.CommonAssets)
            return null;
        var shift = MedianShift(readings);
        var tolerance = Math.Max(0.1m, Math.Abs(shift) / 4);
        var like = shifts.Where(pair => Math.Abs(pair.Shift - shift) <= tolerance).Select(pair => pair.Asset).ToHashSet();
        return Math.Abs(shift) >= limits.CommonShiftPct && like.Count * 2 > shifts.Count ? new CommonMode(shift, like, shifts.Count) : null;
    }

    /// <summary>What was measured of each asset that was judged, and of the quote currency, by fingerprint.</summary>
    public static IReadOnlyDictionary<string, decimal> Measure(
        IReadOnlyList<OracleReading> readings, IEnumerable<OracleVerdict> verdicts, OracleThresholds limits)
    {
        var measured = verdicts.Where(verdict => verdict.IsJudged).ToDictionary(
            verdict => OracleRuleSet.Deviation.FingerprintOf(verdict.Reading.Asset), verdict => verdict.MaxDeviationPct);
        if (readings.Count(SpeaksForTheQuote) >= limits.CommonAssets)
            measured[OracleRuleSet.Common.FingerprintOf(QuoteCurrencyName)] = MedianShift(readings);
        return measured;
    }

    /// <summary>
    /// Judges one asset; null without any reference, unless its price is one that nothing has. In a common shift, what its USD references
    /// say is the quote currency's doing and is left aside.
    /// </summary>
    public static OracleVerdict? Judge(OracleReading reading, AssetPast past, CommonMode? common, OracleThresholds limits)
    {
        if (reading.HasImpossiblePrice)
            return JudgeImpossible(reading, past, limits);
        if (reading.References.Count == 0)
            return null;
        var withoutUsd = common?.Assets.Contains(reading.Asset) == true;
        var usdt = reading.References.Where(reference => reference.Quote == QuoteCurrency.Usdt).ToList();
        IReadOnlyList<Reference> used = withoutUsd && usdt.Count > 0 ? usdt : reading.References;
        var judged = used.Count >= OracleThresholds.MinReferences && (!withoutUsd || usdt.Count > 0);

        var deviations = used.Select(reference => (reference.Source, Pct: Percent(reading.OraclePrice, reference.Price))).ToList();
        var (source, signed) = deviations.MaxBy(deviation => Math.Abs(deviation.Pct));
        var max = Math.Abs(signed);
        // One market alone may be wrong itself: a second must see the oracle on the same side, at least half as far off as high asks.
        var confirmed =
            deviations.Count(deviation => deviation.Pct * Math.Sign(signed) >= limits.HighPct / 2) >= OracleThresholds.MinReferences;
        var breached = max >= limits.HighPct && confirmed;
        DateTimeOffset? since = !judged ? past.BreachedSince : breached ? past.BreachedSince ?? reading.At : null;
        var severity = judged && breached ? JudgeSize(max, past.FloorPct, reading.IsLiquid, limits) : null;
        var seconds = since is { } start ? (decimal)(reading.At - start).TotalSeconds : 0;
        return new OracleVerdict(
            reading, used, Median.Of(used.Select(reference => reference.Price))!.Value, max, source, judged, since, past.FloorPct, severity,
            IsDangerous: severity >= Severity.High && seconds >= limits.DangerousSeconds, judged ? Score(max, seconds) : null, withoutUsd);
    }

    // The worst deviation there is: no reference, no floor and no history may keep it back.
    private static OracleVerdict JudgeImpossible(OracleReading reading, AssetPast past, OracleThresholds limits)
    {
        var since = past.BreachedSince ?? reading.At;
        var seconds = (decimal)(reading.At - since).TotalSeconds;
        return new OracleVerdict(reading, reading.References, Median.Of(reading.References.Select(reference => reference.Price)),
            ImpossiblePct, WithoutSource, IsJudged: true, since, past.FloorPct, Severity.Critical,
            IsDangerous: seconds >= limits.DangerousSeconds, Score(ImpossiblePct, seconds), WithoutUsd: false);
    }

    /// <summary>Every finding of one check: at most one per asset, and one for the quote currency.</summary>
    public static IReadOnlyList<Finding> Evaluate(
        IEnumerable<OracleVerdict> verdicts, CommonMode? common, decimal? usdtInUsd, OracleThresholds limits) =>
        [
            .. verdicts.Where(verdict => verdict.Severity is not null)
                .Select(verdict => Describe(verdict, verdict.Severity!.Value, limits)),
            .. common is null ? Array.Empty<Finding>() : [Describe(common, usdtInUsd, limits)],
        ];

    /// <summary>The fingerprints that could not be judged: too few references for an asset, too few assets for a common shift.</summary>
    public static IReadOnlyList<string> Unjudged(
        IReadOnlyList<OracleReading> readings, IEnumerable<OracleVerdict> verdicts, OracleThresholds limits)
    {
        var judged = verdicts.Where(verdict => verdict.IsJudged).Select(verdict => verdict.Reading.Asset).ToHashSet();
        return
        [
            .. readings.Where(reading => !judged.Contains(reading.Asset))
                .Select(reading => OracleRuleSet.Deviation.FingerprintOf(reading.Asset)),
            .. readings.Count(SpeaksForTheQuote) < limits.CommonAssets
                ? [OracleRuleSet.Common.FingerprintOf(QuoteCurrencyName)] : Array.Empty<string>(),
        ];
    }

    private static decimal MedianShift(IReadOnlyList<OracleReading> readings) =>
        Median.Of(readings.Where(SpeaksForTheQuote).Select(ShiftOf))!.Value;

    private static bool SpeaksForTheQuote(OracleReading reading) => reading is { UsdPrice: not null, HasImpossiblePrice: false };

    /// <summary>
    /// The risk score, 0–100: up to 60 for the size of a deviation and up to 40 for how long it has lasted. Its steps are its definition
    /// and no thresholds.
    /// </summary>
    public static OracleRisk Score(decimal deviationPct, decimal seconds) => new(
        deviationPct >= 1 ? 60 : deviationPct >= 0.5m ? 40 : decimal.Round(20 * deviationPct / 0.3m, 4),
        seconds >= 300 ? 40 : seconds >= 60 ? 30 : seconds >= 30 ? 20 : decimal.Round(10 * seconds / 30, 4));

    // Where the asset's USDT references are off as the USD ones are, it is the oracle that moved, and not the quote currency.
    private static decimal ShiftOf(OracleReading reading)
    {
        var shift = Percent(reading.OraclePrice, reading.UsdPrice!.Value);
        var usdt = Median.Of(reading.References.Where(reference => reference.Quote == QuoteCurrency.Usdt)
            .Select(reference => reference.Price));
        return usdt is { } price ? shift - Percent(reading.OraclePrice, price) : shift;
    }

    // A thin coin without enough history has no floor yet; whether a small deviation is ordinary for it is not known,
    // so it is reported without an alarm.
    private static Severity? JudgeSize(decimal max, decimal? floor, bool liquid, OracleThresholds limits) =>
        max < floor ? null
        : floor is null && !liquid && max < limits.ThinPct ? Severity.Low
        : max >= limits.CriticalPct ? Severity.Critical
        : Severity.High;

    // Cut, not rounded: 0.99999999999 must not become 1.
    private static decimal Percent(decimal oracle, decimal reference) =>
        decimal.Round(100 * ((oracle / reference) - 1), 10, MidpointRounding.ToZero);

    private static Finding Describe(OracleVerdict verdict, Severity severity, OracleThresholds limits)
    {
        var reading = verdict.Reading;
        var word = severity.ToString().ToLowerInvariant();
        var values = new JsonObject
        {
            ["oracle_price"] = reading.OraclePrice, ["mark_price"] = reading.MarkPrice, ["reference_price"] = verdict.ReferencePrice,
            ["max_deviation_pct"] = verdict.MaxDeviationPct, ["max_deviation_source"] = verdict.MaxDeviationSource,
            ["duration_seconds"] = verdict.DurationSeconds, ["is_dangerous"] = verdict.IsDangerous,
            ["risk_score"] = verdict.Risk?.Total, ["floor_pct"] = verdict.FloorPct, ["is_liquid"] = reading.IsLiquid,
            ["references"] = new JsonObject(verdict.References.Select(reference => KeyValuePair.Create(
                reference.Source, (JsonNode?)JsonValue.Create(reference.Price)))),
            ["left_out"] = new JsonArray([.. reading.LeftOut.Select(text => JsonValue.Create(text))]),
        };
        var evidence = new Evidence(values,
            new JsonObject
            {
                ["high_pct"] = limits.HighPct, ["critical_pct"] = limits.CriticalPct, ["floor_factor"] = limits.FloorFactor,
                ["floor_samples"] = limits.FloorSamples, ["thin_pct"] = limits.ThinPct,
            },
            reading.HasImpossiblePrice ? [$"oracle {reading.OraclePrice} is 0 or below at {OracleReading.PriceDigits} digits: {word}"] :
            [
                .. verdict.References.Select(reference =>
                    $"oracle {reading.OraclePrice} against {reference.Source} {reference.Price:0.##########} = "
                    + $"{Percent(reading.OraclePrice, reference.Price):0.####} %"),
                $"largest deviation = {verdict.MaxDeviationPct:0.##########} % >= "
                    + $"{(severity == Severity.Critical ? limits.CriticalPct : limits.HighPct)} %: {word}",
                verdict.FloorPct is { } floor
                    ? $"the asset's own floor, {limits.FloorFactor} times the 95th percentile of its last 24 h, is {floor:0.####} %"
                    : $"no floor of its own yet: fewer than {limits.FloorSamples} "
                        + $"samples{(reading.IsLiquid ? "" : $", and the coin is thin: low until there are, if below {limits.ThinPct} %")}",
            ]);
        var threshold = severity == Severity.Critical ? limits.CriticalPct : limits.HighPct;
        if (reading.HasImpossiblePrice)
            return OracleRuleSet.Deviation.Find(severity, new EventSubject("coin", reading.Asset),
                $"{reading.Asset} oracle is {reading.OraclePrice}, a price that nothing has",
                $"The venue's oracle price is {reading.OraclePrice}; the mark price is {reading.MarkPrice}. "
                + $"In breach for {verdict.DurationSeconds} s.", evidence, threshold: threshold);
        return OracleRuleSet.Deviation.Find(severity, new EventSubject("coin", reading.Asset),
            $"{reading.Asset} oracle is {verdict.MaxDeviationPct:0.00} % "
            + $"{(reading.OraclePrice > verdict.ReferencePrice ? "above" : "below")} its references",
            $"The venue's oracle price is {reading.OraclePrice}, the median of {verdict.References.Count} references "
            + $"{verdict.ReferencePrice:0.##########}. In breach for {verdict.DurationSeconds} s.", evidence, threshold: threshold);
    }

    private static Finding Describe(CommonMode common, decimal? usdtInUsd, OracleThresholds limits)
    {
        var evidence = new Evidence(
            new JsonObject
            {
                ["shift_pct"] = common.ShiftPct, ["assets"] = common.Assets.Count, ["assets_compared"] = common.Compared,
                ["usdt_in_usd"] = usdtInUsd, ["off"] = new JsonArray([.. common.Assets.Order().Select(asset => JsonValue.Create(asset))]),
            },
            new JsonObject { ["shift_pct"] = limits.CommonShiftPct, ["min_assets"] = limits.CommonAssets },
            [$"{common.Assets.Count} of {common.Compared} assets are off their USD references by about {common.ShiftPct:0.####} %, "
                + $"at least {limits.CommonShiftPct} %: medium"]);
        return OracleRuleSet.Common.Find(Severity.Medium, new EventSubject("currency", QuoteCurrencyName),
            $"{QuoteCurrencyName} is {Math.Abs(common.ShiftPct):0.00} % {(common.ShiftPct > 0 ? "below" : "above")} "
            + "the dollar on most assets",
            $"{common.Assets.Count} of {common.Compared} assets are off their USD references in one direction by a like amount: "
            + "the quote currency moved, not their oracles.", evidence, threshold: Math.Sign(common.ShiftPct) * limits.CommonShiftPct);
    }
}
