using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Venues.Inventory;

/// <summary>
/// The shares that each component held when it was last read: kept in memory, and read from the database once, so that a position handed over while no
/// worker ran is still a jump.
/// </summary>
internal sealed partial class InventoryHistory(HlpVault.HlpVaultOptions vault, HlpVaultInventory? table, ILogger<InventoryHistory> logger)
{
    // What was held longer ago than this says nothing of a jump.
    private static readonly TimeSpan MaxAge = TimeSpan.FromHours(1);

    // Of each component the checks of the last interval and the newest before, oldest first.
    private readonly Dictionary<string, List<(DateTimeOffset At, IReadOnlyDictionary<string, decimal?> Shares)>> _components = [];
    private DateTimeOffset? _storedAt;
    private readonly StoredPast _stored = new(table, TimeSpan.FromSeconds(2));

    /// <summary>Reads the newest stored check, once; while the database is away it is tried again at the next check.</summary>
    public Task LoadAsync(DateTimeOffset now, CancellationToken cancellationToken) => _stored.ReadAsync(token => ReadAsync(now, token), LogNotLoaded, cancellationToken);

    private async Task ReadAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        foreach (var component in (await table!.ListNewestAsync(vault.VaultAddress, now - MaxAge, cancellationToken)).GroupBy(row => row.VaultAddress))
        {
            _storedAt = component.First().ObservedAt;
            _components.TryAdd(component.Key, [(component.First().ObservedAt, component.ToDictionary(row => row.Coin, row => row.SharePct))]);
        }
    }

    /// <summary>
    /// The share at the check an interval before, so that checks in between do not cut one jump into two small ones: 0 for a coin that was not held, null when
    /// that is not known. A component without a row in the newest stored check held nothing then: a row is stored for every open position.
    /// </summary>
    public decimal? FindShare(string component, string coin, DateTimeOffset now, TimeSpan interval)
    {
        if (!_components.TryGetValue(component, out var checks))
            return now - _storedAt <= MaxAge ? 0 : null;
        var earlier = checks[Math.Max(0, checks.FindLastIndex(check => check.At <= now - interval))];
        return now - earlier.At > MaxAge ? null : earlier.Shares.TryGetValue(coin, out var share) ? share : 0;
    }

    /// <summary>Takes in what a check read of one component.</summary>
    public void Set(string component, DateTimeOffset at, TimeSpan interval, IEnumerable<HlpVaultPosition> positions)
    {
        if (!_components.TryGetValue(component, out var checks))
            _components[component] = checks = [];
        checks.RemoveRange(0, Math.Max(0, checks.FindLastIndex(check => check.At <= at - interval)));
        checks.Add((at, positions.ToDictionary(position => position.Coin, position => position.SharePct)));
    }

    [LoggerMessage(LogLevel.Warning, "the stored inventory cannot be read yet, jumps are judged from the second check on: {Error}")]
    private partial void LogNotLoaded(string error);
}
