using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Venues.Inventory;

/// <summary>
/// The shares that each component held when it was last read: kept in memory, and read from the database once, so that
/// a position handed over while no worker ran is still a jump.
/// </summary>
internal sealed partial class InventoryHistory(HlpVault.HlpVaultOptions vault, InventoryTables? tables, ILogger<InventoryHistory> logger)
{
    // What was held longer ago than this says nothing of a jump.
    private static readonly TimeSpan MaxAge = TimeSpan.FromHours(1);

    // Of each component the checks of the last interval and the newest before, oldest first.
    private readonly Dictionary<string, List<(DateTimeOffset At, IReadOnlyDictionary<string, decimal?> Shares)>> _components = [];
    private readonly HistoryLoader _stored = new(tables, TimeSpan.FromSeconds(2));

    /// <summary>Every component that was ever read, by this process or within the last hour before it.</summary>
    public IEnumerable<string> Components => _components.Keys;

    /// <summary>Reads what is stored of each component, once; while the database is away it is tried again at the next check.</summary>
    public Task LoadAsync(IReadOnlyList<string> components, DateTimeOffset now, CancellationToken cancellationToken) =>
        _stored.LoadAsync(token => ReadAsync(components, now, token), LogNotLoaded, cancellationToken);

    private async Task ReadAsync(IReadOnlyList<string> components, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var since = now - MaxAge;
        var accounts = await tables!.Components.ListNewestAsync(vault.VaultAddress, since, now, cancellationToken);
        var known = components.Concat(accounts.Select(account => account.ComponentAddress)).Distinct();
        var held = (await tables.Positions.ListNewestAsync(vault.VaultAddress, known, since, now, cancellationToken))
            .ToLookup(row => row.VaultAddress);
        foreach (var component in held)
            if (!accounts.Any(account => account.ComponentAddress == component.Key && IsEmptySince(account, component.First().ObservedAt)))
                _components.TryAdd(
                    component.Key, [(component.First().ObservedAt, component.ToDictionary(row => row.Coin, row => row.SharePct))]);
        foreach (var account in accounts.Where(account => account.Positions == 0))
            _components.TryAdd(account.ComponentAddress, [(account.ObservedAt, new Dictionary<string, decimal?>())]);
    }

    // An empty component leaves no row in the inventory, where one that could not be read leaves none either; the
    // vault's own check tells them apart.
    private static bool IsEmptySince(HlpVaultComponent account, DateTimeOffset heldAt) =>
        account.Positions == 0 && account.ObservedAt > heldAt;

    /// <summary>
    /// The share at the check an interval before, so that checks in between do not cut one jump into two small ones: 0
    /// for a coin that was not held, null when that is not known.
    /// </summary>
    public decimal? FindShare(string component, string coin, DateTimeOffset now, TimeSpan interval)
    {
        if (!_components.TryGetValue(component, out var checks))
            return null;
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

/// <summary>Where the past of the components is stored.</summary>
internal sealed record InventoryTables(HlpVaultInventory Positions, HlpVaultComponents Components);
