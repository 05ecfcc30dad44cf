using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.Inventory;
using Monitoring.Worker.Venues.Liquidations;
using Monitoring.Worker.Venues.Oracle;

namespace Monitoring.Worker.Venues.Hyperliquid.Feed;

/// <summary>
/// What is worth subscribing to: the fills of the vault's components and of the watched accounts, and the liquid coins
/// whose oracle is held against references.
/// </summary>
internal sealed partial class FeedPlan(
    VaultTree tree, HyperliquidClient venue, LiquidationOptions liquidations, FeedOptions options, FeedWatch watch,
    TimeProvider clock, ILogger<FeedPlan> logger)
{
    /// <summary>So many accounts the venue lets an address follow.</summary>
    public const int MostUsers = 10;

    private static readonly TimeSpan CoinsMaxAge = TimeSpan.FromHours(1);

    private IReadOnlyList<string> _coins = [];
    private DateTimeOffset _coinsAt;
    private int _leftOut;

    /// <summary>Reads the vault's components and the coins that are traded most.</summary>
    /// <exception cref="SourceUnavailableException">The venue does not answer.</exception>
    /// <exception cref="MissingDataException">It gives nothing usable.</exception>
    public async Task<IReadOnlyList<FeedSubscription>> ReadAsync(CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var vaults = (await tree.GetFrameAsync(now, cancellationToken)).Components;
        watch.SetVaults(vaults);
        var users = vaults.Concat(liquidations.MonitoredAddresses).Distinct().ToList();
        if (users.Count > MostUsers && users.Count - MostUsers != _leftOut)
            LogLeftOut(users.Count - MostUsers, MostUsers);
        _leftOut = Math.Max(0, users.Count - MostUsers);

        if (options.Coins > 0 && (_coins.Count == 0 || now - _coinsAt > CoinsMaxAge))
            (_coins, _coinsAt) = (MostTraded(await venue.GetMarketsAsync(cancellationToken)), now);
        return
        [
            .. users.Take(MostUsers).Select(user => new FeedSubscription(FeedSubscription.UserFills, user)),
            .. _coins.Select(coin => new FeedSubscription(FeedSubscription.AssetContext, coin)),
            .. _coins.Select(coin => new FeedSubscription(FeedSubscription.Trades, coin)),
        ];
    }

    private List<string> MostTraded(Markets markets) =>
        [.. markets.ByCoin.Where(market => SymbolTable.ByAsset.ContainsKey(market.Key)).OrderByDescending(market => market.Value.DayNtlVlm)
            .ThenBy(market => market.Key, StringComparer.Ordinal).Take(options.Coins).Select(market => market.Key)];

    [LoggerMessage(LogLevel.Warning,
        "{LeftOut} watched accounts are not in the live feed, the venue lets an address follow {Most}; they are polled like all others")]
    private partial void LogLeftOut(int leftOut, int most);
}
