using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.Hyperliquid;

namespace Monitoring.Worker.Venues.Liquidations;

/// <summary>
/// Asks the venue for the markets of coins in which much was liquidated: marks, because whether a price comes back is seen
/// afterwards, and the volume of 24 h, because what is an attack in one coin is a trade in another.
/// </summary>
internal sealed partial class MarketQuotes(
    HyperliquidClient venue, LiquidationOptions options, TimeProvider clock, ILogger<MarketQuotes> logger)
{
    private static readonly TimeSpan VolumeMaxAge = TimeSpan.FromMinutes(10);

    private readonly Dictionary<string, CoinVolume> _volumes = [];

    /// <summary>The volumes known lately, by coin.</summary>
    public IReadOnlyDictionary<string, CoinVolume> Volumes => _volumes;

    /// <summary>
    /// The marks of the coins whose price matters now, and beside them <see cref="Volumes"/> of those with a flash loan since a moment;
    /// asks only where there is something to know. Takes no longer than <paramref name="most"/>, and never throws for a fault of the venue.
    /// </summary>
    public async Task<IReadOnlyList<PriceSample>> AskAsync(
        IReadOnlyList<Liquidation> liquidations, DateTimeOffset scheduledAt, DateTimeOffset since, TimeSpan most,
        CancellationToken cancellationToken)
    {
        var (now, limits) = (clock.GetUtcNow(), options.Thresholds);
        foreach (var old in _volumes.Where(volume => now - volume.Value.At > VolumeMaxAge).Select(volume => volume.Key).ToList())
            _volumes.Remove(old);
        var priced = LiquidationSearch.CoinsToWatch(liquidations, scheduledAt, limits);
        var weighed = LiquidationSearch.CoinsOfFlashLoans(liquidations, since, limits);
        if ((priced.Count == 0 && weighed.All(_volumes.ContainsKey)) || most <= TimeSpan.Zero)
            return [];
        using var deadline = new CancellationTokenSource(most, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            var markets = (await venue.GetMarketsAsync(either.Token)).ByCoin;
            foreach (var coin in weighed)
                if (CoinVolume.Of(markets.GetValueOrDefault(coin)?.DayNtlVlm, now) is { } volume)
                    _volumes[coin] = volume;
            return [.. priced.Where(coin => markets.GetValueOrDefault(coin) is { MarkPx: > 0 })
                .Select(coin => new PriceSample(coin, now, markets[coin].MarkPx))];
        }
        catch (Exception fault) when (fault is SourceUnavailableException or MissingDataException
            || (fault is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            LogNotRead(fault.Reason(most));
            return [];
        }
    }

    [LoggerMessage(LogLevel.Warning,
        "markets cannot be read, so neither whether a price came back nor the share of a coin's volume is judged now: {Error}")]
    private partial void LogNotRead(string error);
}
