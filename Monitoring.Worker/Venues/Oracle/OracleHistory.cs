using Monitoring.Data.Checks;
using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Venues.Oracle;

/// <summary>
/// What each asset's deviation was in the last 24 hours and since when it is in breach: read from the database once,
/// kept in memory afterwards.
/// </summary>
internal sealed partial class OracleHistory(
    OracleOptions options, OracleDeviations? table, PastReads reads, ILogger<OracleHistory> logger)
{
    private static readonly TimeSpan Horizon = TimeSpan.FromHours(24);

    // Once there are enough samples for a floor, one in so long is enough: fast checks fill no memory.
    private static readonly TimeSpan Spacing = TimeSpan.FromSeconds(30);

    private readonly Dictionary<string, AssetState> _assets = [];
    private readonly HistoryLoader _stored = new(table, reads);

    // A breach that nobody looked at for longer may have been interrupted.
    private TimeSpan MaxGap => options.Interval * 3 > TimeSpan.FromMinutes(5) ? options.Interval * 3 : TimeSpan.FromMinutes(5);

    /// <summary>Reads what is stored, once; while the database is away it is tried again at the next check.</summary>
    public Task LoadAsync(DateTimeOffset now, CancellationToken cancellationToken) =>
        _stored.LoadAsync(token => ReadAsync(now, token), LogNotLoaded, cancellationToken);

    private async Task<Action> ReadAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        var samples = await table!.ListSamplesAsync(now - Horizon, now, OracleThresholds.MinReferences, cancellationToken);
        var breaches = await table.ListBreachesAsync(now - MaxGap, now, cancellationToken);
        return () =>
        {
            foreach (var asset in samples.GroupBy(sample => sample.Asset))
            {
                var kept = StateOf(asset.Key).Samples;
                var until = kept.Count > 0 ? kept[0].At : now;
                kept.InsertRange(
                    0, asset.Where(sample => sample.ObservedAt < until).Select(sample => (sample.ObservedAt, sample.MaxDeviationPct)));
            }

            foreach (var breach in breaches)
                Continue(StateOf(breach.Asset), breach);
            LogLoaded(samples.Count);
        };
    }

    /// <summary>An asset's past at a moment.</summary>
    public AssetPast Of(string asset, DateTimeOffset at)
    {
        if (!_assets.TryGetValue(asset, out var state))
            return AssetPast.Unknown;
        var since = at - state.JudgedAt > MaxGap || state.JudgedAt.IsAhead(at) ? null : state.BreachedSince;
        return new AssetPast(since, Floor(state.Samples, since, at));
    }

    /// <summary>The assets that this process judged, or another in the 24 hours before it: those that are expected to be seen.</summary>
    public IEnumerable<string> Judged => _assets.Keys;

    /// <summary>Takes in what a check found.</summary>
    public void Add(OracleVerdict verdict)
    {
        if (!verdict.IsJudged)
            return;
        var state = StateOf(verdict.Reading.Asset);
        var at = verdict.Reading.At;
        (state.JudgedAt, state.BreachedSince) = (at, verdict.BreachedSince);
        state.Samples.RemoveAll(sample => sample.At.IsAhead(at)); // seen while the clock was wrong
        if (verdict.Reading.HasImpossiblePrice)
            return; // as a sample it would hide what is off by less
        if (state.Samples.Count == 0
            || at - state.Samples[^1].At >= (state.Samples.Count < options.Thresholds.FloorSamples ? options.Interval : Spacing))
            state.Samples.Add((at, verdict.MaxDeviationPct));
        state.Samples.RemoveRange(0, state.Samples.TakeWhile(sample => sample.At < at - Horizon).Count());
    }

    // The samples of the present breach count only where there are not enough without them: an attack must not raise
    // its own floor, a coin that was always off must get one.
    private decimal? Floor(List<(DateTimeOffset At, decimal Pct)> samples, DateTimeOffset? breachedSince, DateTimeOffset at)
    {
        var recent = samples.Where(sample => sample.At >= at - Horizon).ToList();
        var before = recent.Where(sample => sample.At < breachedSince).Select(sample => sample.Pct).ToList();
        var counted = before.Count >= options.Thresholds.FloorSamples ? before : recent.ConvertAll(sample => sample.Pct);
        if (counted.Count < options.Thresholds.FloorSamples)
            return null;
        counted.Sort();
        return decimal.Round(options.Thresholds.FloorFactor * counted[(int)Math.Ceiling(counted.Count * 0.95m) - 1], 10);
    }

    private void Continue(AssetState state, OracleBreach stored)
    {
        if (state.JudgedAt == default)
            (state.JudgedAt, state.BreachedSince) = (stored.ObservedAt, stored.BreachedSince);
        else if (stored.BreachedSince < state.BreachedSince && state.BreachedSince - stored.ObservedAt <= MaxGap)
            state.BreachedSince = stored.BreachedSince;
    }

    private AssetState StateOf(string asset)
    {
        if (!_assets.TryGetValue(asset, out var state))
            _assets[asset] = state = new AssetState();
        return state;
    }

    private sealed class AssetState
    {
        public List<(DateTimeOffset At, decimal Pct)> Samples { get; } = [];
        public DateTimeOffset JudgedAt { get; set; }
        public DateTimeOffset? BreachedSince { get; set; }
    }

    [LoggerMessage(LogLevel.Information, "read {Samples} oracle deviations of the last day from the database")]
    private partial void LogLoaded(int samples);

    [LoggerMessage(LogLevel.Warning, "the stored oracle deviations cannot be read yet, thin coins have no floor meanwhile: {Error}")]
    private partial void LogNotLoaded(string error);
}
