namespace Monitoring.Worker.Venues.Hyperliquid.Feed;

/// <summary>
/// Sees prices jump: by so many percent against the price at the beginning of the present minute, or against the price
/// before if that minute is over. A jump begins a new minute, so that a price that stays where it is jumps once. A price of 0 or below,
/// which none can be, is a jump also as the first.
/// </summary>
internal sealed class PriceJumps(decimal thresholdPct)
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, (decimal Base, DateTimeOffset BaseAt, decimal Last)> _series = new(StringComparer.Ordinal);

    /// <summary>Takes in a price of a series; answers whether it jumped.</summary>
    public bool Add(string series, decimal price, DateTimeOffset at)
    {
        if (!_series.TryGetValue(series, out var known))
        {
            _series[series] = (price, at, price);
            return price <= 0;
        }

        var (from, fromAt) = at - known.BaseAt > Window ? (known.Last, at) : (known.Base, known.BaseAt);
        var jumped = from <= 0 ? price != from : price <= 0 || Math.Abs(price - from) * 100 >= thresholdPct * from;
        _series[series] = jumped ? (price, at, price) : (from, fromAt, price);
        return jumped;
    }

    /// <summary>Forgets every price: what comes next is compared with nothing older.</summary>
    public void Clear() => _series.Clear();
}
