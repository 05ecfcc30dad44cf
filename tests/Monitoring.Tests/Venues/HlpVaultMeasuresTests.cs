using Monitoring.Data.Venues;
using Monitoring.Worker.Venues.HlpVault;

namespace Monitoring.Tests.Venues;

public sealed class HlpVaultMeasuresTests
{
    private static readonly DateTimeOffset Now = ManualClock.Noon;

    // Hours that differ but stay within ±50,000 USD.
    private static decimal Noise(double hoursAgo) => 40_000m * (decimal)Math.Sin(hoursAgo * 2.4);

    [Test]
    public void Flow_of_any_size_is_no_loss_and_no_drawdown()
    {
        var portfolio = Sample.Portfolio(Now, 450_000_000, Noise, flowHoursAgo: age => age < 0.1 ? -400_000_000 : 0);
        var measures = HlpVaultMeasures.Take(portfolio, [], []);
        Assert.That(measures.Now.AccountValue, Is.LessThan(51_000_000m));
        Assert.That(measures.DrawdownPct, Is.LessThan(0.1m));
        Assert.That(measures.Pnl24h.Pnl, Is.InRange(-100_000m, 100_000m));
        Assert.That(measures.Pnl24h.Capital, Is.GreaterThan(449_000_000m), "the capital is the larger of the two ends");
        Assert.That(measures.Pnl24h.PctWithdrawn, Is.EqualTo(100 * 400m / 450m).Within(0.1m));
        Assert.That(measures.Pnl24h.Withdrawn, Is.EqualTo(400_000_000m).Within(0.01m));
    }

    [Test]
    public void Withdrawals_are_counted_from_our_own_points_where_they_reach_back_and_else_from_the_venues()
    {
        // The venue has a point each 20 min; what left 70 min ago is no part of the hour, and of the day it is.
        var portfolio = Sample.Portfolio(Now, 450_000_000, _ => 0, flowHoursAgo: age => age < 1.1 ? -90_000_000 : 0);
        var measures = HlpVaultMeasures.Take(portfolio, [], []);
        Assert.That((measures.Pnl1h.PctWithdrawn, measures.Pnl24h.PctWithdrawn), Is.EqualTo((0m, 20m)));

        VaultPoint[] own = [new(Now.AddMinutes(-63), 400_000_000, 0), new(Now.AddMinutes(-30), 1, 0)];
        measures = HlpVaultMeasures.Take(portfolio, own, []);
        Assert.That((measures.Pnl1h.PctWithdrawn, measures.Pnl1h.Since, measures.Pnl24h.PctWithdrawn),
            Is.EqualTo((10m, own[0].At, 20m)));
    }

    [Test]
    public void Loss_under_way_is_seen_by_the_first_check_through_the_venues_series()
    {
        var portfolio = Sample.Portfolio(Now, 451_000_000, age => age < 0.5 ? -4_000_000 : 0);
        var measures = HlpVaultMeasures.Take(portfolio, [], []);
        Assert.That((measures.Pnl1h.Pnl, measures.Pnl24h.Pnl), Is.EqualTo((-4_000_000m, -4_000_000m)));
        Assert.That(measures.DrawdownPct, Is.EqualTo(100 * 4m / 451m).Within(0.01m));
    }

    [Test]
    public void Own_history_goes_before_the_venues()
    {
        var portfolio = Sample.Portfolio(Now, 100_000_000, _ => 0);
        VaultPoint[] own = [new(Now.AddHours(-24), 100_000_000, 777), new(Now.AddHours(-1).AddMinutes(-10), 100_000_000, 555)];
        var measures = HlpVaultMeasures.Take(portfolio, own, []);
        Assert.That((measures.Pnl24h.Pnl, measures.Pnl24h.Since, measures.Pnl1h.Pnl), Is.EqualTo((-777m, own[0].At, -555m)));
    }

    [Test]
    public void Own_point_older_than_the_tolerance_does_not_begin_a_window()
    {
        var measures = HlpVaultMeasures.Take(
            Sample.Portfolio(Now, 100_000_000, _ => 0), [new(Now.AddHours(-1).AddMinutes(-10).AddSeconds(-1), 100_000_000, 555)], []);
        Assert.That((measures.Pnl1h.Pnl, measures.Pnl1h.Since), Is.EqualTo((0m, Now.AddHours(-1))));
    }

    [Test]
    public void Vault_younger_than_the_window_counts_from_its_beginning()
    {
        var series = new Worker.Venues.Hyperliquid.PortfolioSeries([new(Now.AddMinutes(-10), 0, 0), new(Now, 900, -100)]);
        var measures = HlpVaultMeasures.Take(new(series, series, series, series), [], []);
        Assert.That((measures.Pnl1h.Pnl, measures.Pnl30d.Pnl, measures.Hourly, measures.SharpeRatio),
            Is.EqualTo((-100m, -100m, (HourlyDeviation?)null, (decimal?)null)));
    }

    [Test]
    public void Account_value_below_zero_gives_no_percentage_and_no_fault()
    {
        var series = new Worker.Venues.Hyperliquid.PortfolioSeries([new(Now.AddHours(-25), -10, 0),
            new(Now.AddHours(-2), -500_000, -10), new(Now, -518_811.82111m, -20)]);
        var measures = HlpVaultMeasures.Take(new(series, series, series, series), [], []);
        Assert.That((measures.Pnl24h.PctOfCapital, measures.DrawdownPct), Is.EqualTo(((decimal?)null, 0m)));
    }

    [Test]
    public void Hour_is_compared_with_the_hours_before_it()
    {
        var calm = HlpVaultMeasures.Take(Sample.Portfolio(Now, 450_000_000, Noise), [], []).Hourly!;
        Assert.That(Math.Abs(calm.ZScore), Is.LessThan(3));
        Assert.That(calm.CoveredHours, Is.GreaterThanOrEqualTo(100));
        var shock =
            HlpVaultMeasures.Take(Sample.Portfolio(Now, 450_000_000, age => Noise(age) - (age < 0.5 ? 4_000_000 : 0)), [], []).Hourly!;
        Assert.That(shock.ZScore, Is.LessThan(-4));
    }

    [Test]
    public void Constant_history_has_no_scale_to_compare_with() =>
        Assert.That(HlpVaultMeasures.Take(Sample.Portfolio(Now, 450_000_000, _ => 0), [], []).Hourly, Is.Null);

    [Test]
    public void Drawdown_and_sharpe_ratio_are_those_of_known_series()
    {
        // Up 10 %, down 20 %, up 5 % on equity without flows, a deposit in between: present fall 16 %, largest 20 %.
        VaultPoint[] points =
        [
            new(Now.AddDays(-3), 100, 0), new(Now.AddDays(-2), 110, 10), new(Now.AddDays(-2).AddMinutes(1), 1110, 10),
            new(Now.AddDays(-1), 888, -212), new(Now, 932.4m, -167.6m),
        ];
        // Steps: +10/110, 0, -222/1110, +44.4/932.4.
        var (present, largest) = new FlowAdjustedEquity(points).Drawdown();
        Assert.That(largest, Is.EqualTo(20m).Within(0.000001m));
        Assert.That(present, Is.EqualTo(100 * (1 - (0.8m * (1 + (44.4m / 932.4m))))).Within(0.000001m));
        Assert.That(new FlowAdjustedEquity(points).SharpeRatio(), Is.Null, "three days are too few");

        var daily = Enumerable.Range(0, 9)
            .Select(i => new VaultPoint(Now.AddDays(i - 8), 1_000_000, i % 2 == 0 ? i * 1000m : (i * 1000m) + 500)).ToList();
        var returns = daily.Zip(daily.Skip(1), (a, b) => (double)(b.AllTimePnl - a.AllTimePnl) / 1_000_000).ToList();
        var deviation = Math.Sqrt(returns.Sum(r => Math.Pow(r - returns.Average(), 2)) / 7);
        Assert.That(new FlowAdjustedEquity(daily).SharpeRatio(),
            Is.EqualTo((decimal)(returns.Average() / deviation * Math.Sqrt(365))).Within(0.0001m));
    }

    [TestCase(-2_000_000, 0, 9, 40, 0)]
    [TestCase(-1_000_000, 0, 0, 20, 0)]
    [TestCase(1_000_000, 500_000, 10, 0, 30)]
    [TestCase(-500_000, 500_000, 10, 10, 15)]
    [TestCase(-500_000, 0, 10, 10, 30)]
    public void Score_has_its_parts(decimal pnl24h, decimal earlier, int count, decimal loss, decimal volatility)
    {
        var score = HlpVaultMeasures.Take(
            Sample.Portfolio(Now, 1_000_000_000_000, age => age < 12 ? pnl24h : 0), [], [.. Enumerable.Repeat(earlier, count)]).Anomaly;
        Assert.That((score.Loss, score.Volatility, Math.Round(score.Drawdown, 2)), Is.EqualTo((loss, volatility, 0m)));
    }

    [Test]
    public void Month_of_minutes_is_measured_within_a_moment()
    {
        VaultPoint[] own =
        [
            .. Enumerable.Range(0, 43_200).Select(i => new VaultPoint(Now.AddMinutes(i - 43_200), 450_000_000, Noise((43_200 - i) / 60.0))),
        ];
        var measures = HlpVaultMeasures.Take(Sample.Portfolio(Now, 450_000_000, Noise), own, []);
        Assert.That(measures.Hourly!.Samples, Is.GreaterThan(700));
    }
}
