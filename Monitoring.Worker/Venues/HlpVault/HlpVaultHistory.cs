using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Venues.HlpVault;

/// <summary>
/// Our own history of one vault: read from the database once, kept in memory afterwards. Of each minute the first point
/// is kept, of 30 days at most. Without a database, or before it is reached, the history is what this process saw.
/// </summary>
internal sealed partial class HlpVaultHistory(
    HlpVaultOptions options, HlpVaultSnapshots? table, PastReads reads, ILogger<HlpVaultHistory> logger)
{
    private readonly SortedList<DateTimeOffset, VaultPoint> _points = [];
    private readonly List<decimal> _latestPnl24h = [];
    private readonly HistoryLoader _stored = new(table, reads);

    /// <summary>Points in order of time.</summary>
    public IReadOnlyList<VaultPoint> Points => [.. _points.Values];

    /// <summary>The newest 24 h PnLs, newest first, at most ten.</summary>
    public IReadOnlyList<decimal> LatestPnl24h => _latestPnl24h;

    /// <summary>Reads what is stored, once; while the database is away it is tried again at the next check.</summary>
    public Task LoadAsync(DateTimeOffset now, CancellationToken cancellationToken) =>
        _stored.LoadAsync(token => ReadAsync(now, token), LogNotLoaded, cancellationToken);

    private async Task<Action> ReadAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        var points = await table!.ListMinutePointsAsync(options.VaultAddress, now - HlpVaultMeasures.Horizon, cancellationToken);
        var pnls = await table.ListLatestPnl24hAsync(options.VaultAddress, 10, now, cancellationToken);
        return () =>
        {
            foreach (var point in points)
                _points.TryAdd(Minute(point.At), point);
            _latestPnl24h.AddRange(pnls.Take(10 - _latestPnl24h.Count));
            LogLoaded(points.Count);
        };
    }

    /// <summary>Takes in what a check saw.</summary>
    public void Add(HlpVaultSnapshot snapshot)
    {
        _points.TryAdd(Minute(snapshot.VenueAt), new VaultPoint(snapshot.VenueAt, snapshot.AccountValue, snapshot.AllTimePnl));
        var oldest = snapshot.VenueAt - HlpVaultMeasures.Horizon;
        while (_points.Count > 0 && _points.Values[0].At < oldest)
            _points.RemoveAt(0);

        if (snapshot.Pnl24h is not { } pnl)
            return;
        _latestPnl24h.Insert(0, pnl);
        if (_latestPnl24h.Count > 10)
            _latestPnl24h.RemoveAt(10);
    }

    private static DateTimeOffset Minute(DateTimeOffset at) => new(at.UtcTicks - (at.UtcTicks % TimeSpan.TicksPerMinute), TimeSpan.Zero);

    [LoggerMessage(LogLevel.Information, "read {Points} points of the vault's history from the database")]
    private partial void LogLoaded(int points);

    [LoggerMessage(LogLevel.Warning, "the vault's stored history cannot be read yet, the venue's own series stands in: {Error}")]
    private partial void LogNotLoaded(string error);
}
