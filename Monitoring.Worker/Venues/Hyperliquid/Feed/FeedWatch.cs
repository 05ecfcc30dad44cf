using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.Inventory;
using Monitoring.Worker.Venues.Liquidations;
using Monitoring.Worker.Venues.Oracle;

namespace Monitoring.Worker.Venues.Hyperliquid.Feed;

/// <summary>
/// Decides which messages call for a check at once: a liquidation that was not seen before, a price that jumps. What it
/// saw outlives a connection, so that snapshots and replays after a reconnect trigger nothing twice, and what happened
/// in between triggers once.
/// </summary>
internal sealed class FeedWatch(TriggeredChecks checks, FeedState state, FeedOptions options, TimeProvider clock)
{
    // Of each account so many liquidations are remembered; the venue's snapshot holds 2,000 fills.
    private const int MostRemembered = 20_000;

    // The venue's clock and ours may differ by so much.
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, RecentKeys> _seen = [];
    private readonly PriceJumps _jumps = new(options.JumpPct);
    private readonly Dictionary<string, long> _newestTrade = new(StringComparer.Ordinal);
    private HashSet<string> _vaults = [];
    private DateTimeOffset _heardAt = clock.GetUtcNow();
    private DateTimeOffset _newsSince = clock.GetUtcNow();

    /// <summary>A connection begins: what is older than the last that the one before brought is no news.</summary>
    public void Begin()
    {
        _newsSince = _heardAt - ClockTolerance;
        _jumps.Clear();
        _newestTrade.Clear();
    }

    /// <summary>These accounts are vaults, to which positions may be handed over.</summary>
    public void SetVaults(IEnumerable<string> vaults) => _vaults = [.. vaults];

    /// <summary>Takes in a message.</summary>
    public void See(FeedFrame frame)
    {
        if (!frame.IsData)
            return;
        _heardAt = clock.GetUtcNow();
        switch (frame)
        {
            case FeedFrame.Fills fills:
                SeeFills(fills);
                break;
            case FeedFrame.Context context when _jumps.Add($"oracle {context.Coin}", context.OraclePx, _heardAt):
                Trigger(OracleMonitor.MonitorName);
                break;
            case FeedFrame.Trades trades:
                SeeTrades(trades.Items);
                break;
        }
    }

    private void SeeFills(FeedFrame.Fills fills)
    {
        if (!_seen.TryGetValue(fills.User, out var seen))
            _seen[fills.User] = seen = new RecentKeys(MostRemembered);
        // Every fill is noted, the old ones of a snapshot as well, so no shortcut.
        var news = fills.Items.Where(fill => fill.IsLiquidation)
            .Where(fill => seen.Add(fill.Key))
            .Count(fill => !fills.IsSnapshot || fill.At >= _newsSince);
        if (news == 0 && (fills.IsSnapshot || fills.Items.Unreadable.Count == 0))
            return; // what cannot be read here is for the check to look at
        Trigger(LiquidationMonitor.MonitorName, new CheckCause(LiquidationMonitor.AccountCause, fills.User));
        if (_vaults.Contains(fills.User))
            Trigger(InventoryMonitor.MonitorName);
    }

    // A replay begins with trades that are older than the newest known.
    private void SeeTrades(IReadOnlyList<FeedTrade> trades)
    {
        var jumped = false;
        foreach (var trade in trades.Where(trade => trade.Time >= _newestTrade.GetValueOrDefault(trade.Coin)).OrderBy(trade => trade.Time))
        {
            _newestTrade[trade.Coin] = trade.Time;
            jumped |= _jumps.Add($"trade {trade.Coin}", trade.Px, _heardAt);
        }

        if (jumped)
            Trigger(OracleMonitor.MonitorName);
    }

    private void Trigger(string monitor, params IEnumerable<CheckCause> causes)
    {
        state.CountTrigger();
        checks.Request(monitor, causes);
    }

    /// <summary>The newest so many keys.</summary>
    private sealed class RecentKeys(int most)
    {
        private readonly HashSet<FillKey> _keys = [];
        private readonly Queue<FillKey> _order = new();

        /// <summary>Notes a key; false when it was known.</summary>
        public bool Add(FillKey key)
        {
            if (!_keys.Add(key))
                return false;
            _order.Enqueue(key);
            if (_order.Count > most)
                _keys.Remove(_order.Dequeue());
            return true;
        }
    }
}
