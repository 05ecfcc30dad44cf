using Monitoring.Data.Checks;
using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Venues.Liquidations;

/// <summary>The tables that the history is read from.</summary>
internal sealed record LiquidationTables(Data.Venues.Liquidations Fills, LiquidationPatterns Patterns, LiquidationSources Sources);

/// <summary>A stretch of an account whose fills could not all be had, both ends included.</summary>
internal sealed record AccountGap(string Account, DateTimeOffset From, DateTimeOffset Until);

/// <summary>
/// What is known of the last hour, or of more while an account is being caught up with: fills, patterns, prices, gaps,
/// and how far each account has been read. Read from the database once and kept in memory afterwards; a check changes
/// it only when it has succeeded.
/// </summary>
internal sealed partial class LiquidationHistory(LiquidationTables? tables, PastReads reads, ILogger<LiquidationHistory> logger)
{
    /// <summary>How far back liquidations are put together to patterns.</summary>
    public static readonly TimeSpan Horizon = TimeSpan.FromHours(1);

    // A catch-up that began longer ago is put together from pieces. Shorter than any retention, so what was stored
    // since then is stored yet.
    private static readonly TimeSpan LongestCatchUp = TimeSpan.FromDays(1);

    private readonly Dictionary<string, LiquidationSource> _sources = [];
    private readonly HashSet<DateTimeOffset> _dropped = [];
    private readonly HistoryLoader _stored = new(tables, reads);
    private readonly HistoryLoader _older = new(tables, reads);
    private DateTimeOffset _reachesBackTo = DateTimeOffset.MaxValue;

    public IReadOnlyList<LiquidationFill> Fills { get; private set; } = [];

    /// <summary>The fills at the very ends of what was read: the venue shows them again at each reading, however old they are.</summary>
    public IReadOnlyList<LiquidationFill> LastFills { get; private set; } = [];

    public IReadOnlyList<LiquidationPattern> Patterns { get; private set; } = [];

    public IReadOnlyList<PriceSample> Prices { get; private set; } = [];

    public IReadOnlyList<AccountGap> Gaps { get; private set; } = [];

    /// <summary>The HLP vaults followed so far, for when the venue does not name them.</summary>
    public IReadOnlyList<string> KnownVaults =>
        [.. _sources.Values.Where(source => source.IsHlpVault).Select(source => source.SourceAddress).Order(StringComparer.Ordinal)];

    public LiquidationSource? FindSource(string address) => _sources.GetValueOrDefault(address);

    /// <summary>
    /// Whether a fill of an account was read before. More fills of the last moment read may come: those are told apart
    /// by <see cref="LastFills"/>.
    /// </summary>
    public bool WasRead(string address, LiquidationFill fill) => _sources.GetValueOrDefault(address) is { } source
        && (fill.ObservedAt < source.ReadUntil || (fill.ObservedAt == source.ReadUntil && _dropped.Contains(fill.ObservedAt)));

    /// <summary>Reads what is stored, once; while the database is away it is tried again at the next check.</summary>
    public async Task LoadAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        await _stored.LoadAsync(token => ReadAsync(now, token), LogNotLoaded, cancellationToken);
        // An end that is yet to come was noted while a clock was wrong: nothing of what happens until then would be read.
        foreach (var source in _sources.Values.Where(source => source.ReadUntil.IsAhead(now)).ToList())
        {
            _sources[source.SourceAddress] = source.NotAhead(now, Horizon);
            LogSetBack(source.SourceAddress, source.ReadUntil, _sources[source.SourceAddress].ReadUntil);
        }
    }

    private async Task<Action> ReadAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        var fills = await tables!.Fills.ListSinceAsync(now - Horizon, cancellationToken);
        var patterns = await tables.Patterns.ListSinceAsync(now - Horizon, cancellationToken);
        var sources = await tables.Sources.ListAsync(cancellationToken);
        var ends = sources.Where(source => source.LastFillAt == source.ReadUntil).Select(source => source.ReadUntil).ToHashSet();
        var last = await tables.Fills.ListAtAsync(ends, cancellationToken);
        return () =>
        {
            Fills = LiquidationMapping.Merge([.. Fills, .. fills]);
            LastFills = LiquidationMapping.Merge([.. LastFills, .. last]);
            _dropped.UnionWith(ends.Where(end => end < now - LongestCatchUp).Except(last.Select(fill => fill.ObservedAt)));
            Patterns = [.. Patterns.Concat(patterns).DistinctBy(pattern => pattern.PatternId)];
            foreach (var source in sources)
                _sources[source.SourceAddress] = Join(source, FindSource(source.SourceAddress));
            Gaps = [.. Gaps.Concat(sources.Where(source => source.LastGapUntil >= now - Horizon)
                .Select(source => new AccountGap(source.SourceAddress, source.LastGapFrom!.Value, source.LastGapUntil!.Value))).Distinct()];
            LogLoaded(fills.Count, sources.Count);
        };
    }

    // Checks that were made before the database answered took up each account anew: where that left a hole, the account
    // is read again from the end of what is stored.
    private static LiquidationSource Join(LiquidationSource stored, LiquidationSource? begun) =>
        begun is null || begun.WatchedSince > stored.ReadUntil ? stored : begun with
        {
            WatchedSince = stored.WatchedSince < begun.WatchedSince ? stored.WatchedSince : begun.WatchedSince,
            Gaps = stored.Gaps + begun.Gaps,
            LastGapFrom = begun.LastGapFrom ?? stored.LastGapFrom,
            LastGapUntil = begun.LastGapUntil ?? stored.LastGapUntil,
        };

    /// <summary>
    /// Reads what is stored from before the history, for fills that come so late; without the database it stays as it is.
    /// </summary>
    public Task ReachBackAsync(DateTimeOffset to, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var oldest = now - LongestCatchUp - Horizon;
        var from = to - Horizon > oldest ? to - Horizon : oldest;
        return from >= _reachesBackTo || to >= now - Horizon ? Task.CompletedTask
            : _older.LoadAgainAsync(async token =>
            {
                var fills = await tables!.Fills.ListSinceAsync(from, token);
                var patterns = await tables.Patterns.ListSinceAsync(from, token);
                return () =>
                {
                    Fills = LiquidationMapping.Merge([.. Fills, .. fills]);
                    Patterns = [.. Patterns.Concat(patterns).DistinctBy(pattern => pattern.PatternId)];
                    _reachesBackTo = from;
                };
            }, LogNotReachedBack, cancellationToken);
    }

    /// <summary>
    /// Takes in what a check found, and forgets what is older than the horizon. What some account still has to be read
    /// from <paramref name="catchesUpFrom"/> on is put together with the fills of that time, so those are kept too.
    /// </summary>
    public void Keep(
        DateTimeOffset now, DateTimeOffset? catchesUpFrom, Reading reading, IReadOnlyList<LiquidationFill> fills,
        IReadOnlyList<LiquidationPattern> patterns, IEnumerable<PriceSample> prices)
    {
        var from = catchesUpFrom is { } start && start < now ? start : now;
        var oldest = (from > now - LongestCatchUp ? from : now - LongestCatchUp) - Horizon;
        foreach (var source in reading.Sources)
            _sources[source.SourceAddress] = source;
        var ends = _sources.Values.Select(source => source.ReadUntil).ToHashSet();
        LastFills = [.. LastFills.Concat(fills).Where(fill => ends.Contains(fill.ObservedAt)).DistinctBy(LiquidationMapping.KeyOf)];
        Fills = [.. fills.Where(fill => fill.ObservedAt >= oldest)];
        Patterns = [.. patterns.Concat(Patterns).DistinctBy(pattern => pattern.PatternId).Where(pattern => pattern.EndTime >= oldest)];
        Prices = [.. Prices.Concat(prices).Where(price => price.At >= oldest)];
        Gaps = [.. Gaps.Concat(reading.Gaps).Distinct().Where(gap => gap.Until >= oldest)];
        _reachesBackTo = _reachesBackTo < oldest ? oldest : _reachesBackTo;
    }

    [LoggerMessage(
        LogLevel.Information, "read {Fills} liquidation fills of the last hour and the watermarks of {Sources} accounts from the database")]
    private partial void LogLoaded(int fills, int sources);

    [LoggerMessage(
        LogLevel.Warning, "the fills of {Account} are stored as read until {Until:O}, which is yet to come; read again from {From:O} on")]
    private partial void LogSetBack(string account, DateTimeOffset until, DateTimeOffset from);

    [LoggerMessage(LogLevel.Warning, "stored liquidations cannot be read yet, the history begins with this process: {Error}")]
    private partial void LogNotLoaded(string error);

    [LoggerMessage(LogLevel.Warning,
        "older liquidations cannot be read from the database now, those that come late are put together without them: {Error}")]
    private partial void LogNotReachedBack(string error);
}
