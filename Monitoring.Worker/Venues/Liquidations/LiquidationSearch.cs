using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Monitoring.Data.Configuration;
using Monitoring.Data.Venues;

namespace Monitoring.Worker.Venues.Liquidations;

/// <summary>Finds the patterns in a history of liquidations: pure, and the same for any order of its input.</summary>
internal static class LiquidationSearch
{
    private const string FundedBy = "funded by ";

    /// <summary>
    /// Every pattern of the history. <paramref name="prices"/> are mark prices seen after the fact; without them no price is
    /// seen to come back. <paramref name="fundings"/> are those known, by account; accounts without one belong to nobody else.
    /// </summary>
    public static IReadOnlyList<LiquidationPattern> Find(
        IReadOnlyList<Liquidation> history, IReadOnlyList<PriceSample> prices,
        IReadOnlyDictionary<string, Funding> fundings, LiquidationThresholds limits)
    {
        // A deleveraging is the venue's own doing, and its "liquidated user" mostly the HLP vault: it makes a pattern
        // of its own and counts for no other.
        var forced = history.Where(one => one.Method != LiquidationMethod.Adl).ToList();
        return
        [
            .. ByCoin(forced).SelectMany(coin => FindFlashLoans(coin.Coin, coin.Points, limits)),
            .. ByCoin(forced).SelectMany(coin => FindCascades(coin.Coin, coin.Points, limits)),
            .. FindCoordinated(forced, limits),
            .. FindFundedTogether(forced, fundings, limits),
            .. ByCoin(forced).SelectMany(coin => FindManipulations(coin.Coin, coin.Points, prices, limits)),
            .. ByCoin(history.Where(one => one.Method == LiquidationMethod.Adl))
                .SelectMany(coin => FindDeleveragings(coin.Coin, coin.Points, limits)),
        ];
    }

    /// <summary>Coins whose price moved enough under liquidations, and lately enough, that it matters where it goes next.</summary>
    public static IReadOnlyList<string> CoinsToWatch(IEnumerable<Liquidation> history, DateTimeOffset now, LiquidationThresholds limits) =>
        [.. ByCoin(history.Where(one => one.Method != LiquidationMethod.Adl))
            .Where(coin => PricePoints.Split(coin.Points, limits.CascadeWindow)
                    .Select(Extreme).Any(moved => Math.Abs(moved.ImpactPct) >= limits.ManipulationImpactPct
                        && now - moved.Extreme.At <= limits.ManipulationWindow))
            .Select(coin => coin.Coin)];

    /// <summary>Coins in which enough for a flash loan was liquidated within seconds, since a moment.</summary>
    public static IReadOnlyList<string> CoinsOfFlashLoans(
        IEnumerable<Liquidation> history, DateTimeOffset since, LiquidationThresholds limits) =>
        [.. ByCoin(history.Where(one => one.Method != LiquidationMethod.Adl))
            .Where(coin => FindFlashLoans(coin.Coin, coin.Points, limits).Any(pattern => pattern.EndTime >= since))
            .Select(coin => coin.Coin)];

    private static IEnumerable<(string Coin, IReadOnlyList<PricePoint> Points)> ByCoin(IEnumerable<Liquidation> liquidations) =>
        liquidations.GroupBy(one => one.Coin)
            .OrderBy(coin => coin.Key, StringComparer.Ordinal)
            .Select(coin => (coin.Key, PricePoints.Of(coin)));

    private static IEnumerable<LiquidationPattern> FindFlashLoans(
        string coin, IReadOnlyList<PricePoint> points, LiquidationThresholds limits)
    {
        var windows = new List<(int From, int To)>();
        var sums = new List<(int To, decimal Usd)>();
        var (from, usd) = (0, 0m);
        for (var to = 0; to < points.Count; to++)
        {
            usd += Usd(points[to]);
            for (; points[to].At - points[from].At > limits.FlashLoanWindow; from++)
                usd -= Usd(points[from]);
            if (usd < limits.FlashLoanUsd)
                continue;
            windows.Add((from, to));
            sums.Add((to, usd));
        }

        foreach (var (first, last) in PricePoints.Merge(windows))
        {
            var peak = sums.Where(sum => sum.To >= first && sum.To <= last).Max(sum => sum.Usd);
            var largest = points.Skip(first).Take(last - first + 1).SelectMany(point => point.Liquidations).Max(one => one.NotionalUsd);
            yield return Create(LiquidationPatternType.FlashLoan, coin, points, first, last,
                LiquidationScores.FlashLoan(peak, largest), new JsonObject
                {
                    ["peak_usd"] = Usd(peak), ["window_seconds"] = limits.FlashLoanWindow.TotalSeconds, ["largest_usd"] = Usd(largest),
                });
        }
    }

    private static IEnumerable<LiquidationPattern> FindCascades(string coin, IReadOnlyList<PricePoint> points, LiquidationThresholds limits)
    {
        foreach (var (first, last) in CascadeWindows.Find(points, limits))
        {
            var (ups, downs) = CascadeWindows.Steps(points, first, last);
            var range = points.Skip(first).Take(last - first + 1).ToList();
            var impact = PricePoints.ImpactPct(range[0].Price, range[^1].Price);
            var score = LiquidationScores.Cascade(range.Sum(point => point.Liquidations.Count), range.Sum(Usd), impact);
            yield return Create(LiquidationPatternType.Cascade, coin, points, first, last, score, new JsonObject
            {
                ["direction"] = ups > downs ? "up" : "down", ["steps_up"] = ups, ["steps_down"] = downs,
                ["first_price"] = Price(range[0].Price), ["last_price"] = Price(range[^1].Price),
            });
        }
    }

    private static IEnumerable<LiquidationPattern> FindCoordinated(IEnumerable<Liquidation> forced, LiquidationThresholds limits)
    {
        foreach (var user in forced.Where(one => one.User != LiquidationMapping.UnknownUser).GroupBy(one => one.User).OrderBy(
            user => user.Key, StringComparer.Ordinal))
        {
            var usd = user.Sum(one => one.NotionalUsd);
            if (user.Count() < limits.CoordinatedTimes || usd < limits.CoordinatedUsd)
                continue;
            var points = PricePoints.Of(user);
            if (points.Count > 0)
                yield return Create(LiquidationPatternType.Coordinated, user.Key, points, 0, points.Count - 1,
                    LiquidationScores.Coordinated(user.Count(), usd), new JsonObject { ["account"] = user.Key, ["times"] = user.Count() },
                    impact: 0); // several coins have no common price
        }
    }

    // Accounts that one account first sent their money, each soon after the one before.
    private static IEnumerable<LiquidationPattern> FindFundedTogether(
        List<Liquidation> forced, IReadOnlyDictionary<string, Funding> fundings, LiquidationThresholds limits)
    {
        var funded = forced.Select(one => one.User).Distinct()
            .Where(fundings.ContainsKey)
            .Select(user => (User: user, Funding: fundings[user]));
        foreach (var funder in funded.GroupBy(one => one.Funding.Funder).OrderBy(funder => funder.Key, StringComparer.Ordinal))
            foreach (var together in Split(
                [.. funder.OrderBy(one => one.Funding.At).ThenBy(one => one.User, StringComparer.Ordinal)], limits.FundedWithin))
            {
                var users = together.Select(one => one.User).Order(StringComparer.Ordinal).ToList();
                var theirs = forced.Where(one => users.Contains(one.User)).ToList();
                var usd = theirs.Sum(one => one.NotionalUsd);
                var points = PricePoints.Of(theirs);
                if (users.Count > 1 && points.Count > 0 && theirs.Count >= limits.CoordinatedTimes && usd >= limits.CoordinatedUsd)
                    yield return Create(LiquidationPatternType.Coordinated, FundedBy + funder.Key, points, 0,
                        points.Count - 1, LiquidationScores.Coordinated(theirs.Count, usd), new JsonObject
                        {
                            ["funder"] = funder.Key, ["accounts"] = new JsonArray([.. users.Select(user => JsonValue.Create(user))]),
                            ["times"] = theirs.Count, ["first_funded_at"] = Utc(together[0].Funding.At),
                            ["last_funded_at"] = Utc(together[^1].Funding.At),
                        }, impact: 0);
            }
    }

    private static IEnumerable<List<(string User, Funding Funding)>> Split(
        IReadOnlyList<(string User, Funding Funding)> inOrder, TimeSpan pause)
    {
        var run = new List<(string User, Funding Funding)>();
        foreach (var one in inOrder)
        {
            if (run.Count > 0 && one.Funding.At - run[^1].Funding.At > pause)
            {
                yield return run;
                run = [];
            }

            run.Add(one);
        }

        if (run.Count > 0)
            yield return run;
    }

    private static string Utc(DateTimeOffset at) => at.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");

    private static IEnumerable<LiquidationPattern> FindManipulations(
        string coin, IReadOnlyList<PricePoint> points, IReadOnlyList<PriceSample> prices, LiquidationThresholds limits)
    {
        foreach (var run in PricePoints.Split(points, limits.CascadeWindow))
        {
            var (extreme, impact) = Extreme(run);
            if (Math.Abs(impact) < limits.ManipulationImpactPct)
                continue;
            var first = run[0].Price;
            var recovered = points.Select(point => (point.At, point.Price))
                .Concat(prices.Where(price => price.Coin == coin).Select(price => (price.At, price.Price)))
                .Where(price => price.At > extreme.At && price.At - extreme.At <= limits.ManipulationWindow)
                .Select(price => 100 * (extreme.Price - price.Price) / (extreme.Price - first)).DefaultIfEmpty(0).Max();
            if (recovered >= limits.ManipulationRecoveryPct)
                yield return Create(LiquidationPatternType.Manipulation, coin, run, 0, run.Count - 1,
                    LiquidationScores.Manipulation(impact, recovered), new JsonObject
                    {
                        ["first_price"] = Price(first), ["extreme_price"] = Price(extreme.Price),
                        ["recovered_pct"] = decimal.Round(recovered, 4),
                    }, impact);
        }
    }

    private static IEnumerable<LiquidationPattern> FindDeleveragings(
        string coin, IReadOnlyList<PricePoint> points, LiquidationThresholds limits) =>
        PricePoints.Split(points, limits.CascadeWindow).Select(run => Create(LiquidationPatternType.Adl, coin, run, 0, run.Count - 1,
            LiquidationScores.Deleveraging(run.Sum(Usd)),
            new JsonObject { ["fills"] = run.Sum(point => point.Liquidations.Sum(one => one.Fills)) }));

    private static (PricePoint Extreme, decimal ImpactPct) Extreme(IReadOnlyList<PricePoint> run)
    {
        var extreme = run.MaxBy(point => Math.Abs(point.Price - run[0].Price))!;
        return (extreme, PricePoints.ImpactPct(run[0].Price, extreme.Price));
    }

    private static LiquidationPattern Create(
        LiquidationPatternType type, string subject, IReadOnlyList<PricePoint> points, int first, int last,
        decimal score, JsonObject indicators, decimal? impact = null)
    {
        var range = points.Skip(first).Take(last - first + 1).ToList();
        var liquidations = range.SelectMany(point => point.Liquidations).ToList();
        var users = liquidations.GroupBy(one => one.User)
            .OrderByDescending(user => user.Sum(one => one.NotionalUsd))
            .ThenBy(user => user.Key, StringComparer.Ordinal)
            .ToList();
        indicators["largest_accounts"] = new JsonArray([.. users.Take(10).Select(user => JsonValue.Create(user.Key))]);
        indicators["long_usd"] = Usd(liquidations.Where(one => one.Side == LiquidationSide.Long).Sum(one => one.NotionalUsd));
        indicators["short_usd"] = Usd(liquidations.Where(one => one.Side == LiquidationSide.Short).Sum(one => one.NotionalUsd));
        return new LiquidationPattern(
            IdOf(type, subject, range[0].At), type, subject, range[0].At, range[^1].At, (decimal)(range[^1].At - range[0].At).TotalSeconds,
            Usd(liquidations.Sum(one => one.NotionalUsd)), users.Count,
            [.. liquidations.Select(one => one.Coin).Distinct().Order(StringComparer.Ordinal)], score,
            liquidations.Count, impact ?? PricePoints.ImpactPct(range[0].Price, range[^1].Price), indicators.ToJsonString());
    }

    /// <summary>Whether a fill belongs to a pattern.</summary>
    public static bool IsPart(LiquidationFill fill, LiquidationPattern pattern) =>
        fill.ObservedAt >= pattern.StartTime && fill.ObservedAt <= pattern.EndTime && pattern.AssetsInvolved.Contains(fill.Coin)
        && (fill.Method == LiquidationMethod.Adl) == (pattern.PatternType == LiquidationPatternType.Adl)
        && (pattern.PatternType != LiquidationPatternType.Coordinated || pattern.Subject == fill.LiquidatedUser
            || AccountsOf(pattern).Contains(fill.LiquidatedUser));

    private static IEnumerable<string?> AccountsOf(LiquidationPattern pattern) =>
        JsonNode.Parse(pattern.Indicators)!["accounts"]?.AsArray().Select(account => (string?)account) ?? [];

    /// <summary>What makes it the same pattern: its type, its subject and when it began.</summary>
    public static string IdOf(LiquidationPatternType type, string subject, DateTimeOffset start) =>
        Convert.ToHexStringLower(
            SHA256.HashData(Encoding.UTF8.GetBytes($"{SnakeCase.Of(type)} {subject} {start.ToUnixTimeMilliseconds()}")).AsSpan(0, 16));

    private static decimal Usd(PricePoint point) => point.Liquidations.Sum(one => one.NotionalUsd);

    private static decimal Usd(decimal usd) => decimal.Round(usd, 6);

    private static decimal Price(decimal price) => decimal.Round(price, 12);
}
