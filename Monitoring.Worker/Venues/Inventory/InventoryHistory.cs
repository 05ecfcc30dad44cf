using System.Collections.ObjectModel;
using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Venues.Inventory;

/// <summary>
/// What each component held when it was last read, and before: kept in memory, and read from the database once, so that a position handed
/// over while no worker ran is still a jump, and one that was handed over in steps still a take-over.
/// </summary>
internal sealed partial class InventoryHistory(
    HlpVault.HlpVaultOptions vault, InventoryOptions options, InventoryTables? tables, PastReads reads, ILogger<InventoryHistory> logger)
{
    private static readonly TimeSpan LeastAge = TimeSpan.FromHours(1);

    private readonly Dictionary<string, ComponentPast> _components = [];
    private readonly HistoryLoader _stored = new(tables, reads);
    private readonly TakeoverThresholds _takeover = options.Takeover;

    /// <summary>Every component that was ever read, by this process or within the last hour before it.</summary>
    public IEnumerable<string> Components => _components.Keys;

    /// <summary>Reads what is stored of each component, once; while the database is away it is tried again at the next check.</summary>
    public Task LoadAsync(IReadOnlyList<string> components, DateTimeOffset now, CancellationToken cancellationToken) =>
        _stored.LoadAsync(token => ReadAsync(components, now, token), LogNotLoaded, cancellationToken);

    /// <summary>The share at the check an interval before: 0 for a coin that was not held, null when that is not known.</summary>
    public decimal? FindShare(string component, string coin, DateTimeOffset now, TimeSpan interval) =>
        _components.GetValueOrDefault(component)?.FindShare(coin, now, interval);

    /// <summary>What is known of the share within the window of a take-over.</summary>
    public SharePast FindPast(string component, string coin, DateTimeOffset now) =>
        _components.GetValueOrDefault(component)?.FindPast(coin, now - _takeover.Window) ?? SharePast.Unknown;

    /// <summary>Takes in what a check read of one component.</summary>
    public void Set(string component, DateTimeOffset at, TimeSpan interval, IEnumerable<HlpVaultPosition> positions)
    {
        var shares = SharesOf(positions);
        if (_components.TryGetValue(component, out var past))
            past.Add(at, interval, shares, _takeover.FromPct);
        else
            _components[component] = new ComponentPast(at, shares,
                ComponentPast.CoinsAbove(shares, _takeover.FromPct).ToDictionary(coin => coin, _ => (ShareLow?)null), at);
    }

    private async Task<Action> ReadAsync(IReadOnlyList<string> components, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var since = now - (_takeover.Window > LeastAge ? _takeover.Window : LeastAge);
        var accounts = await tables!.Components.ListNewestAsync(vault.VaultAddress, since, now, cancellationToken);
        var known = components.Concat(accounts.Select(account => account.ComponentAddress)).Distinct().ToList();
        var held = (await tables.Positions.ListNewestAsync(vault.VaultAddress, known, since, now, cancellationToken))
            .ToLookup(row => row.VaultAddress);
        var lows = (await tables.Positions.ListLowsAsync(vault.VaultAddress, since, now, _takeover.FromPct, cancellationToken))
            .ToLookup(row => row.VaultAddress);
        var empty = (await tables.Components.ListEmptyAsync(vault.VaultAddress, since, now, cancellationToken))
            .ToDictionary(row => row.ComponentAddress, row => new ShareLow(row.ObservedAt, 0));
        return () =>
        {
            foreach (var component in known)
            {
                var stored = Restore([.. held[component]], accounts.FirstOrDefault(account => account.ComponentAddress == component),
                    [.. lows[component]], empty.GetValueOrDefault(component));
                if (stored is not null && !_components.TryAdd(component, stored))
                    _components[component].Complete(stored);
            }
        };
    }

    // An empty component leaves no row in the inventory, where one that could not be read leaves none either; the
    // vault's own check tells them apart.
    private ComponentPast? Restore(
        IReadOnlyList<HlpVaultPosition> held, HlpVaultComponent? account, IReadOnlyList<HlpVaultPositionLow> lows, ShareLow? empty)
    {
        var heldAt = held.Count > 0 ? held[0].ObservedAt : (DateTimeOffset?)null;
        if (account is { Positions: 0 } && (heldAt is null || account.ObservedAt > heldAt))
            return new ComponentPast(
                account.ObservedAt, SharesOf([]), ReadOnlyDictionary<string, ShareLow?>.Empty, account.ObservedAt);
        if (heldAt is not { } at)
            return null;
        var shares = SharesOf(held);
        var lowOf = ComponentPast.CoinsAbove(shares, _takeover.FromPct).ToDictionary(coin => coin, coin =>
            Newer(lows.FirstOrDefault(low => low.Coin == coin) is { LowAt: { } lowAt, LowSharePct: var share } ? new(lowAt, share) : null,
                empty));
        return new ComponentPast(at, shares, lowOf, lows.Count > 0 ? lows.Min(low => low.FirstReadAt) : at);
    }

    private static ShareLow? Newer(ShareLow? one, ShareLow? other) => one is null || other?.At > one.At ? other : one;

    private static Dictionary<string, decimal?> SharesOf(IEnumerable<HlpVaultPosition> positions) =>
        positions.ToDictionary(position => position.Coin, position => position.SharePct);

    [LoggerMessage(LogLevel.Warning, "the stored inventory cannot be read yet, jumps are judged from the second check on: {Error}")]
    private partial void LogNotLoaded(string error);
}

/// <summary>Where the past of the components is stored.</summary>
internal sealed record InventoryTables(HlpVaultInventory Positions, HlpVaultComponents Components);
