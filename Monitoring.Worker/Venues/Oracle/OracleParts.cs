using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.Hyperliquid;
using Monitoring.Worker.Watching;

namespace Monitoring.Worker.Venues.Oracle;

/// <summary>
/// What a check should have seen and did not: known from the symbol table and from what was judged before, and not from the answer.
/// </summary>
/// <param name="Readings">The parts that are seen, or blind with the reason: assets, price sources, the references as a whole.</param>
/// <param name="Unjudged">Fingerprints of which nothing can be said, not even that somebody should see them.</param>
/// <param name="Endings">Fingerprints of what the venue says is over.</param>
internal sealed record OracleParts(
    IReadOnlyList<SourceReading> Readings, IReadOnlyList<string> Unjudged, IReadOnlyDictionary<string, string> Endings)
{
    private const string References = "references";
    private const string Delisted = "delisted by the venue";

    /// <summary>Reckons them. <paramref name="judgedBefore"/>: the assets of which verdicts were found before this check.</summary>
    public static OracleParts Of(
        MonitorSchedule monitor, Markets markets, IReadOnlyList<SourceAnswer> answers, IReadOnlyList<OracleReading> readings,
        IReadOnlyList<OracleVerdict> verdicts, IEnumerable<string> judgedBefore)
    {
        var judged = verdicts.Where(verdict => verdict.IsJudged).Select(verdict => verdict.Reading.Asset).ToHashSet();
        var expected = judgedBefore.ToHashSet();
        var compared = readings.Where(reading => !reading.HasImpossiblePrice).ToList();
        var without = compared.Count(reading => !judged.Contains(reading.Asset));
        var areReferencesGone = without * 2 > compared.Count;
        var parts = answers.Select(answer => new SourceReading($"price source {answer.Source.Name}", answer.Error)).Append(
            new SourceReading(References, areReferencesGone ? $"{without} of {compared.Count} assets lack the "
                + $"{OracleThresholds.MinReferences} fresh references that a verdict needs" : null)).ToList();

        var unseen = new List<string>();
        foreach (var reading in readings)
            if (FindPart(reading, judged.Contains(reading.Asset), expected.Contains(reading.Asset), areReferencesGone) is { } part)
                parts.Add(part);
            else
                unseen.Add(reading.Asset);

        var lost = SymbolTable.All.Select(symbols => symbols.Asset).Union(expected)
            .Where(asset => !markets.ByCoin.ContainsKey(asset)).ToLookup(markets.Delisted.Contains);
        parts.AddRange(lost[false].Where(expected.Contains).Select(asset => new SourceReading(asset, ExplainAbsence(markets, asset))));
        unseen.AddRange(lost[false].Where(asset => !expected.Contains(asset)));
        return new OracleParts(parts,
            [
                .. lost[false].Select(OracleRuleSet.Deviation.FingerprintOf),
                .. unseen.Select(asset => WatchdogRules.FingerprintOfPart(monitor, asset)),
            ],
            lost[true].SelectMany(asset => new[]
            {
                OracleRuleSet.Deviation.FingerprintOf(asset), WatchdogRules.FingerprintOfPart(monitor, asset),
            }).ToDictionary(fingerprint => fingerprint, _ => Delisted));
    }

    // An asset whose references are all refused has no row: it means another asset everywhere, or its oracle was wrong before this process
    // began. Nobody may take that for calm, nor that references are gone which it had before. Where sources fail that is said of them, once
    // for all their assets, and not of each; null where nothing can be said of this one.
    private static SourceReading? FindPart(OracleReading reading, bool isJudged, bool isExpected, bool areReferencesGone)
    {
        var failed = reading.LeftOut.Count(text => text.EndsWith(ReferenceSelection.Failed, StringComparison.Ordinal));
        return isJudged ? new SourceReading(reading.Asset, null)
            : reading.References.Count == 0 && reading.Refused.Any() ? new SourceReading(reading.Asset,
                $"the oracle's price {reading.OraclePrice} is off by more than a fifth from {string.Join(", ", reading.Refused)}: "
                + "another asset there, or a wrong oracle")
            : areReferencesGone || reading.References.Count + failed >= OracleThresholds.MinReferences ? null
            : isExpected ? new SourceReading(reading.Asset,
                $"{reading.References.Count} of the {OracleThresholds.MinReferences} fresh references that a verdict needs; "
                + $"left out: {string.Join(", ", reading.LeftOut)}")
            : reading.References.Count > 0 ? new SourceReading(reading.Asset, null) : null;
    }

    private static string ExplainAbsence(Markets markets, string asset) =>
        markets.Unreadable.FirstOrDefault(part => part.Name == asset) is { } part
            ? $"the venue's market cannot be read: {part.Error}" : "the venue's answer does not have it any more";
}
