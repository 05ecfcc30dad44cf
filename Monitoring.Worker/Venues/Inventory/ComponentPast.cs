namespace Monitoring.Worker.Venues.Inventory;

/// <summary>
/// What one component held at the checks before: the shares of the newest ones, and of each coin when it was last next to nothing.
/// </summary>
internal sealed class ComponentPast
{
    // What was held longer ago than this says nothing of a jump.
    private static readonly TimeSpan JumpMaxAge = TimeSpan.FromHours(1);

    // What a component held while nobody looked for so long is not known.
    private static readonly TimeSpan GapMaxAge = TimeSpan.FromMinutes(10);

    // The checks of the last interval and the newest before, oldest first; never empty.
    private readonly List<(DateTimeOffset At, IReadOnlyDictionary<string, decimal?> Shares)> _checks;

    // Of the coins that were more than next to nothing at the newest check: when they last were not, as far as that is known. All others
    // were next to nothing at the newest check.
    private Dictionary<string, ShareLow?> _lows;
    private DateTimeOffset _since;

    /// <summary>Begins with one check, and with what is known of the time before.</summary>
    /// <param name="at">When it was.</param>
    /// <param name="shares">What was held then.</param>
    /// <param name="lows">Of each coin that was more than next to nothing then, when it last was not; null where that is not known.</param>
    /// <param name="since">Since when the component is looked at.</param>
    public ComponentPast(DateTimeOffset at, IReadOnlyDictionary<string, decimal?> shares,
        IReadOnlyDictionary<string, ShareLow?> lows, DateTimeOffset since) =>
        (_checks, _lows, _since) = ([(at, shares)], new(lows), since);

    /// <summary>
    /// The share at the check an interval before, so that checks in between do not cut one jump into two small ones: 0
    /// for a coin that was not held, null when that is not known.
    /// </summary>
    public decimal? FindShare(string coin, DateTimeOffset now, TimeSpan interval)
    {
        var earlier = _checks[Math.Max(0, _checks.FindLastIndex(check => check.At <= now - interval))];
        return now - earlier.At > JumpMaxAge ? null : earlier.Shares.TryGetValue(coin, out var share) ? share : 0;
    }

    /// <summary>What is known of a coin's share between a moment and now.</summary>
    public SharePast FindPast(string coin, DateTimeOffset since) =>
        new(FindLow(coin) is { } low && low.At >= since ? low : null, _since <= since);

    /// <summary>When a coin was last next to nothing, as far as that is known.</summary>
    public ShareLow? FindLow(string coin) => _lows.TryGetValue(coin, out var low)
        ? low : new ShareLow(_checks[^1].At, _checks[^1].Shares.GetValueOrDefault(coin) ?? 0);

    /// <summary>Takes in what a check read; <paramref name="fromPct"/> is the share up to which it is next to nothing.</summary>
    public void Add(DateTimeOffset at, TimeSpan interval, IReadOnlyDictionary<string, decimal?> shares, decimal fromPct)
    {
        _lows = CoinsAbove(shares, fromPct).ToDictionary(coin => coin, FindLow);
        if (at - _checks[^1].At > Max(3 * interval, GapMaxAge))
            _since = at;
        _checks.RemoveRange(0, Math.Max(0, _checks.FindLastIndex(check => check.At <= at - interval)));
        _checks.Add((at, shares));
    }

    /// <summary>Adds what is known of the time before.</summary>
    public void Complete(ComponentPast earlier)
    {
        foreach (var coin in _lows.Where(low => low.Value is null).Select(low => low.Key).ToList())
            _lows[coin] = earlier.FindLow(coin);
        if (earlier._since < _since)
            _since = earlier._since;
    }

    /// <summary>The coins whose share is more than next to nothing, or not known.</summary>
    public static IEnumerable<string> CoinsAbove(IReadOnlyDictionary<string, decimal?> shares, decimal fromPct) =>
        shares.Where(held => held.Value is not { } share || share > fromPct).Select(held => held.Key);

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
