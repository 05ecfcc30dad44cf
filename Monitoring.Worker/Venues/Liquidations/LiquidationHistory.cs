using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Venues.Liquidations;

/// <summary>The tables that the history is read from.</summary>
internal sealed record LiquidationTables(Data.Venues.Liquidations Fills, LiquidationPatterns Patterns, LiquidationSources Sources);

/// <summary>
/// What is known of the last hour: fills, patterns, prices, and how far each account has been read. Read from the database once and kept in memory afterwards;
/// a check changes it only when it has succeeded.
/// </summary>
internal sealed partial class LiquidationHistory(LiquidationTables? tables, ILogger<LiquidationHistory> logger)
{
    /// <summary>How far back liquidations are put together to patterns.</summary>
    public static readonly TimeSpan Horizon = TimeSpan.FromHours(1);

    private readonly Dictionary<string, LiquidationSource> _sources = [];
    private readonly HashSet<string> _raised = [];
    private readonly StoredPast _stored = new(tables, TimeSpan.FromSeconds(5));

    public IReadOnlyList<LiquidationFill> Fills { get; private set; } = [];

    public IReadOnlyList<LiquidationPattern> Patterns { get; private set; } = [];

    public IReadOnlyList<PriceSample> Prices { get; private set; } = [];

    /// <summary>Fingerprints found so far: what must be called unjudged while not everything could be read.</summary>
    public IReadOnlyCollection<string> Raised => _raised;

    /// <summary>The HLP vaults followed so far, for when the venue does not name them.</summary>
    public IReadOnlyList<string> KnownVaults => [.. _sources.Values.Where(source => source.IsHlpVault).Select(source => source.SourceAddress).Order(StringComparer.Ordinal)];

    public LiquidationSource? FindSource(string address) => _sources.GetValueOrDefault(address);

    /// <summary>Reads what is stored, once; while the database is away it is tried again at the next check.</summary>
    public Task LoadAsync(DateTimeOffset now, LiquidationThresholds limits, CancellationToken cancellationToken) => _stored.ReadAsync(token => ReadAsync(now, limits, token), LogNotLoaded, cancellationToken);

    private async Task ReadAsync(DateTimeOffset now, LiquidationThresholds limits, CancellationToken cancellationToken)
    {
        var fills = await tables!.Fills.ListSinceAsync(now - Horizon, cancellationToken);
        var patterns = await tables.Patterns.ListSinceAsync(now - Horizon, cancellationToken);
        var sources = await tables.Sources.ListAsync(cancellationToken);
        Fills = LiquidationMapping.Merge([.. Fills, .. fills]);
        Patterns = [.. Patterns.Concat(patterns).DistinctBy(pattern => pattern.PatternId)];
        foreach (var source in sources)
            _sources.TryAdd(source.SourceAddress, source);
        _raised.UnionWith(LiquidationRules.Evaluate(patterns, limits).Select(finding => finding.Fingerprint));
        LogLoaded(fills.Count, sources.Count);
    }

    /// <summary>Takes in what a check found, and forgets what is older than the horizon.</summary>
    public void Keep(
        DateTimeOffset now, IReadOnlyList<LiquidationFill> fills, IReadOnlyList<LiquidationPattern> patterns, IEnumerable<PriceSample> prices,
        IEnumerable<LiquidationSource> sources, IEnumerable<string> raised)
    {
        var oldest = now - Horizon;
        Fills = [.. fills.Where(fill => fill.ObservedAt >= oldest)];
        Patterns = [.. patterns.Concat(Patterns).DistinctBy(pattern => pattern.PatternId).Where(pattern => pattern.EndTime >= oldest)];
        Prices = [.. Prices.Concat(prices).Where(price => price.At >= oldest)];
        foreach (var source in sources)
            _sources[source.SourceAddress] = source;
        _raised.UnionWith(raised);
    }

    [LoggerMessage(LogLevel.Information, "read {Fills} liquidation fills of the last hour and the watermarks of {Sources} accounts from the database")]
    private partial void LogLoaded(int fills, int sources);

    [LoggerMessage(LogLevel.Warning, "stored liquidations cannot be read yet, the history begins with this process: {Error}")]
    private partial void LogNotLoaded(string error);
}
