using Monitoring.Data.Events;
using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.HlpVault;

namespace Monitoring.Tests.Venues;

public sealed class HlpVaultRulesTests
{
    private static Finding? Find(string rule, HlpVaultMeasures measures, params string[] issues) =>
        HlpVaultRules.Evaluate(Sample.Snapshot(measures, issues), measures, HlpVaultThresholds.Default)
            .SingleOrDefault(finding => finding.RuleId == rule);

    // Both the amount and the share must be reached; thresholds are inclusive.
    [TestCase(-1_000_000, 500_000_000, Severity.High)]
    [TestCase(-999_999.99, 1_000_000, null)]
    [TestCase(-1_000_000, 500_000_001, null)]
    [TestCase(-2_000_000, 500_000_000, Severity.Critical)]
    [TestCase(-1_999_999.99, 100_000_000, Severity.High)]
    [TestCase(-2_000_000, 500_000_001, Severity.High)]
    [TestCase(-5_000_000, 0, Severity.Critical)]
    [TestCase(5_000_000, 100_000_000, null)]
    public void Loss_needs_amount_and_share(decimal pnl, decimal capital, Severity? expected)
    {
        Assert.That(Find(HlpVaultRuleSet.Loss.Id, Sample.Measures(pnl1h: pnl, capital: capital))?.Severity, Is.EqualTo(expected));
        Assert.That(Find(HlpVaultRuleSet.Loss.Id, Sample.Measures(pnl24h: pnl, capital: capital))?.Severity, Is.EqualTo(expected));
    }

    [Test]
    public void Loss_takes_the_worse_window_and_says_why()
    {
        var finding = Find(HlpVaultRuleSet.Loss.Id, Sample.Measures(pnl1h: -1_500_000, pnl24h: -4_000_000))!;
        Assert.That((finding.Severity, finding.ThreatType, finding.EstimatedLossUsd, finding.Fingerprint),
            Is.EqualTo((Severity.Critical, "hlp_exploitation", (decimal?)4_000_000m, "hlp.loss:" + Sample.Vault)));
        Assert.That(finding.Title, Is.EqualTo("HLP vault lost 4.00 M USD in 24 h (-4.00 % of capital)"));
        Assert.That((decimal)finding.Evidence.Values["pnl_1h_usd"]!, Is.EqualTo(-1_500_000m));
        Assert.That((decimal)finding.Evidence.Thresholds["critical_usd"]!, Is.EqualTo(-2_000_000m));
        Assert.That(finding.Evidence.Arithmetic, Has.Count.EqualTo(2).And.One.Contains("of high").And.One.Contains("of critical"));
    }

    [TestCase(9.999999, null)]
    [TestCase(10, Severity.High)]
    [TestCase(100, Severity.High)]
    public void Drawdown_of_ten_percent_is_high(decimal drawdown, Severity? expected) =>
        Assert.That(Find(HlpVaultRuleSet.Drawdown.Id, Sample.Measures(drawdownPct: drawdown))?.Severity, Is.EqualTo(expected));

    [TestCase(2.9999, null)]
    [TestCase(3, Severity.Low)]
    [TestCase(4.0001, Severity.Low)]
    [TestCase(500, Severity.Low)]
    [TestCase(-2.9999, null)]
    [TestCase(-3, Severity.Medium)]
    [TestCase(-4, Severity.Medium)]
    [TestCase(-4.0001, Severity.High)]
    [TestCase(-12, Severity.High)]
    public void Sigma_judges_both_directions_and_a_gain_is_no_alarm(decimal z, Severity? expected)
    {
        var finding = Find(HlpVaultRuleSet.Sigma.Id, Sample.Measures(z: z));
        Assert.That((finding?.Severity, finding?.ThreatType), Is.EqualTo((expected, expected is null ? null : "hlp_anomaly")));
    }

    // The account value goes from 100 M to what is given, of which the PnL is part.
    private static PnlWindow Window(decimal endValue, decimal pnl = 0, decimal startValue = 100_000_000) =>
        new(pnl, ManualClock.Noon.AddHours(-1), startValue, endValue);

    [TestCase(95_000_001, 90_000_001, null)]
    [TestCase(95_000_000, 95_000_000, Severity.Medium)]
    [TestCase(90_000_000, 90_000_000, Severity.High)]
    [TestCase(80_000_000, 80_000_000, Severity.Critical)]
    [TestCase(100_000_000, 90_000_000, Severity.Medium)]
    [TestCase(100_000_000, 80_000_000, Severity.High)]
    [TestCase(100_000_000, 70_000_001, Severity.High)]
    [TestCase(100_000_000, 70_000_000, Severity.Critical)]
    [TestCase(120_000_000, 150_000_000, null)]
    public void Outflow_has_three_steps_in_an_hour_and_in_a_day(decimal afterAnHour, decimal afterADay, Severity? expected)
    {
        var measures = Sample.Measures() with { Pnl1h = Window(afterAnHour), Pnl24h = Window(afterADay) };
        var finding = Find(HlpVaultRuleSet.Outflow.Id, measures);
        Assert.That((finding?.Severity, finding?.ThreatType), Is.EqualTo((expected, expected is null ? null : "hlp_anomaly")));
    }

    [Test]
    public void Outflow_is_no_loss_and_a_loss_is_no_outflow()
    {
        var withdrawn = Sample.Measures() with { Pnl1h = Window(70_900_000, pnl: 100_000), Pnl24h = Window(101_000_000) };
        var finding = HlpVaultRules.Evaluate(Sample.Snapshot(withdrawn), withdrawn, HlpVaultThresholds.Default).Single();
        Assert.That((finding.RuleId, finding.Title, finding.EstimatedLossUsd, (decimal)finding.Evidence.Values["withdrawn_1h_pct"]!),
            Is.EqualTo(("hlp.outflow",
                "Depositors withdrew 29.20 M USD net from the HLP vault in 1 h (29.20 % of what was there)", (decimal?)null, 29.2m)));
        Assert.That(finding.Evidence.Arithmetic, Is.EqualTo(new[]
        {
            "net withdrawals of 1 h = 100 * (100000.00 - (70900000.00 - 100000000.00)) / 100000000.00 = 29.20 %: reaches critical",
            "net withdrawals of 24 h = 100 * (0.00 - (101000000.00 - 100000000.00)) / 100000000.00 = -1.00 %: < 10 %",
        }));

        var lost = Sample.Measures() with { Pnl1h = Window(60_000_000, pnl: -40_000_000), Pnl24h = Window(60_000_000, pnl: -40_000_000) };
        Assert.That(Find(HlpVaultRuleSet.Outflow.Id, lost), Is.Null);
        Assert.That(Find(HlpVaultRuleSet.Loss.Id, lost)!.Severity, Is.EqualTo(Severity.Critical));
    }

    [TestCase(0)]
    [TestCase(0.5)]
    [TestCase(-518_811.82)]
    public void Outflow_of_what_was_not_there_is_not_judged_rather_than_clean(decimal startValue)
    {
        var measures = Sample.Measures(z: 0) with { Pnl24h = Window(50_000_000, startValue: startValue) };
        Assert.That(Find(HlpVaultRuleSet.Outflow.Id, measures), Is.Null);
        Assert.That(HlpVaultRules.Unjudged(Sample.Snapshot(measures), measures, inDoubt: false),
            Is.EqualTo(new[] { "hlp.outflow:" + Sample.Vault }));
        Assert.That(Find(HlpVaultRuleSet.Outflow.Id, measures with { Pnl1h = Window(80_000_000) })!.Severity,
            Is.EqualTo(Severity.Critical), "the other window is judged");
    }

    [Test]
    public void Sigma_without_history_is_not_judged_rather_than_clean()
    {
        var blind = Sample.Measures();
        Assert.That(HlpVaultRules.Unjudged(Sample.Snapshot(blind), blind, inDoubt: false),
            Is.EqualTo(new[] { "hlp.sigma:" + Sample.Vault }));
        var seeing = Sample.Measures(z: 0.1m);
        Assert.That(HlpVaultRules.Unjudged(Sample.Snapshot(seeing), seeing, inDoubt: false), Is.Empty);
    }

    [TestCase(40, 30, 0, Severity.Critical, "hlp_exploitation")]
    [TestCase(40, 29.99, 0, Severity.High, "hlp_anomaly")]
    [TestCase(30, 20, 0, Severity.High, "hlp_anomaly")]
    [TestCase(30, 19.99, 0, null, null)]
    public void Anomaly_follows_the_score(decimal loss, decimal drawdown, decimal volatility, Severity? severity, string? threat)
    {
        var finding = Find(HlpVaultRuleSet.Anomaly.Id, Sample.Measures(score: new AnomalyScore(loss, drawdown, volatility)));
        Assert.That((finding?.Severity, finding?.ThreatType), Is.EqualTo((severity, threat)));
    }

    [TestCase(-1_500_000, -4_000_000, -4_000_000, -2_000_000)]
    [TestCase(-2_500_000, -2_100_000, -2_500_000, -2_000_000)]
    [TestCase(-1_500_000, 0, -1_500_000, -1_000_000)]
    public void Loss_is_measured_by_the_worse_of_the_windows_that_decide(decimal hour, decimal day, decimal pnl, decimal threshold) =>
        Assert.That(Find(HlpVaultRuleSet.Loss.Id, Sample.Measures(pnl1h: hour, pnl24h: day))!.Measure,
            Is.EqualTo(new FindingMeasure("pnl_usd", pnl, "USD", threshold)));

    [TestCase(-12, -4)]
    [TestCase(-3.5, -3)]
    [TestCase(500, 3)]
    public void Sigma_is_measured_against_the_threshold_on_its_side(decimal z, decimal threshold) =>
        Assert.That(Find(HlpVaultRuleSet.Sigma.Id, Sample.Measures(z: z))!.Measure,
            Is.EqualTo(new FindingMeasure("z_score", z, "", threshold)));

    [Test]
    public void What_is_not_found_is_measured_all_the_same()
    {
        var measures = Sample.Measures(pnl1h: -39_000, pnl24h: 20_000, drawdownPct: 1.5m, z: -0.5m, score: new AnomalyScore(1, 2, 3));
        Assert.That(HlpVaultRules.Measure(Sample.Snapshot(measures), measures), Is.EquivalentTo(new Dictionary<string, decimal>
        {
            ["hlp.loss:" + Sample.Vault] = -39_000, ["hlp.drawdown:" + Sample.Vault] = 1.5m, ["hlp.sigma:" + Sample.Vault] = -0.5m,
            ["hlp.outflow:" + Sample.Vault] = 0, ["hlp.anomaly:" + Sample.Vault] = 6,
        }));
        var blind = Sample.Measures();
        Assert.That(HlpVaultRules.Measure(Sample.Snapshot(blind), blind).Keys, Has.No.Member("hlp.sigma:" + Sample.Vault));
    }

    [Test]
    public void Health_issue_below_the_score_is_medium()
    {
        var finding = Find(HlpVaultRuleSet.Anomaly.Id, Sample.Measures(), "the vault is closed")!;
        Assert.That((finding.Severity, finding.ThreatType, finding.Title),
            Is.EqualTo((Severity.Medium, "hlp_anomaly", "HLP vault has a health issue: the vault is closed")));
    }
}
