using System.Text.Json;
using Monitoring.Data.Venues;
using Monitoring.Worker.Venues.HlpVault;
using Monitoring.Worker.Venues.Hyperliquid;

namespace Monitoring.Tests.Venues;

public sealed class RecordedAnswersTests
{
    [Test]
    public void Portfolio_is_read_to_the_last_digit()
    {
        var portfolio = RecordedAnswers.StrategyB;
        Assert.That(portfolio.Day.Last.Pnl, Is.EqualTo(-130193.448756m));
        Assert.That(portfolio.Week.Last.Pnl, Is.EqualTo(-909673.982675m));
        Assert.That(portfolio.Day.First.AccountValue, Is.EqualTo(160794563.9261809886m));
        Assert.That(portfolio.Week.Last.AccountValue - portfolio.Week.First.AccountValue,
            Is.EqualTo(15129779.327325016m).Within(0.0000001m));
        Assert.That((portfolio.Day.Points.Count, portfolio.Week.Points.Count, portfolio.Month.Points.Count, portfolio.AllTime.Points.Count),
            Is.EqualTo((13, 64, 45, 76)));
    }

    [Test]
    public void Every_decimal_string_of_the_portfolio_survives()
    {
        using var document = JsonDocument.Parse(RecordedAnswers.Text("hl_portfolio_HLP-StrategyB_2025-08-22.json"));
        var day = document.RootElement[0][1].GetProperty("accountValueHistory").EnumerateArray().Select(point => point[1].GetString());
        Assert.That(RecordedAnswers.StrategyB.Day.Points.Select(point => point.AccountValue.ToString()), Is.EqualTo(day));
    }

    [Test]
    public void Measures_report_the_pnl_and_not_the_flow()
    {
        var measures = HlpVaultMeasures.Take(RecordedAnswers.StrategyB, [], []);
        Assert.That((measures.Pnl24h.Pnl, measures.Pnl7d.Pnl, measures.Pnl30d.Pnl, measures.Now.AllTimePnl),
            Is.EqualTo((-130193.448756m, -909673.982675m, -780711.46034m, 650509.577425m)));
        // Within the month 44 M USD came in; the fall from the peak is that of the PnL, about 0.9 M of 160 M.
        Assert.That(measures.DrawdownPct, Is.InRange(0.3m, 1.0m));
    }

    [Test]
    public void No_loss_event_comes_of_the_flow()
    {
        var measures = HlpVaultMeasures.Take(RecordedAnswers.StrategyB, [], []);
        Assert.That(HlpVaultRules.Evaluate(Sample.Snapshot(measures), measures, HlpVaultThresholds.Default)
            .Select(finding => finding.RuleId), Has.None.EqualTo(HlpVaultRuleSet.Loss.Id).And.None.EqualTo(HlpVaultRuleSet.Drawdown.Id));
    }

    [TestCase("hl_clearinghouseState_0x5e9e_2023-03-27.json")]
    [TestCase("hl_clearinghouseState_isolated_2025-08-06.json")]
    [TestCase("hl_clearinghouse_small_2026-07.json")]
    [TestCase("hl_clearinghouse_whale_2026-07.json")]
    public void Account_of_any_year_is_read(string file)
    {
        var json = RecordedAnswers.Text(file);
        using var document = JsonDocument.Parse(json);
        var state = RecordedAnswers.Parse<ClearinghouseState>(json);
        Assert.That($"{state.MarginSummary.AccountValue}",
            Is.EqualTo(document.RootElement.GetProperty("marginSummary").GetProperty("accountValue").GetString()));
        Assert.That(state.AssetPositions, Has.Count.EqualTo(document.RootElement.GetProperty("assetPositions").GetArrayLength()));
        Assert.That(state.AssetPositions.Sum(p => p.Position.PositionValue), Is.EqualTo(state.MarginSummary.TotalNtlPos).Within(0.0001m));
    }

    [TestCase("""[["day",{"accountValueHistory":[[1,"1"]],"pnlHistory":[[1,"0"]]}]]""", "'week' is missing")]
    [TestCase("""{"day":{}}""", "a list was expected")]
    [TestCase("""[["day",{"accountValueHistory":[],"pnlHistory":[]}]]""", "has no point in its accountValueHistory")]
    [TestCase("""[["day",{"accountValueHistory":[[1,"1"],[2,"1"]],"pnlHistory":[[1,"0"]]}]]""", "differ in time at their live points")]
    [TestCase("""[["day",{"accountValueHistory":[[1,"1"]],"pnlHistory":[[2,"0"]]}]]""", "differ in time")]
    [TestCase("""[["day",{"accountValueHistory":[[1,1]],"pnlHistory":[[1,"0"]]}]]""", "no pair of milliseconds and decimal string")]
    [TestCase("""[["day",{"accountValueHistory":[[1,null]],"pnlHistory":[[1,"0"]]}]]""", "no pair of milliseconds and decimal string")]
    [TestCase("""[["day",{"accountValueHistory":[[1e300,"1"]],"pnlHistory":[[1,"0"]]}]]""", "no pair of milliseconds and decimal string")]
    [TestCase("""[["day",{"accountValueHistory":[[1,"NaN"]],"pnlHistory":[[1,"0"]]}]]""", "'NaN' is no decimal")]
    [TestCase("""[["day",{"accountValueHistory":[[1,"99999999999999999999999999999999999"]],"pnlHistory":[[1,"0"]]}]]""", "is no decimal")]
    [TestCase("""[["day",{"pnlHistory":[[1,"0"]]}]]""", "has no accountValueHistory")]
    [TestCase("""[["day"]]""", "a pair of period and series")]
    public void Changed_shape_of_what_is_live_is_refused(string json, string problem) =>
        Assert.That(() => RecordedAnswers.Parse<Portfolio>(json), Throws.InstanceOf<JsonException>().With.Message.Contains(problem));

    [TestCase("""[1,"5"],[2,"x"],[3,"7"]""", """[1,"0"],[2,"1"],[3,"2"]""", "day.accountValueHistory[1]")]
    [TestCase("""[1,"5"],null,[3,"7"]""", """[1,"0"],[3,"2"]""", "day.accountValueHistory[1]")]
    [TestCase("""[1,"5"],[3,"7"]""", """[1,"0"],[2,"1"],[3,"2"]""", "day")]
    [TestCase("""[1,"5"],[9,"6"],[3,"7"]""", """[1,"0"],[9,"1"],[3,"2"]""", "day")]
    [TestCase("""[1,"5"],[2,"6"],[2,"8"],[3,"7"]""", """[1,"0"],[3,"2"]""", "day.accountValueHistory[2]")]
    public void Earlier_point_that_cannot_be_read_is_left_out_by_its_name(string values, string pnls, string part)
    {
        const string Whole = """{"accountValueHistory":[[3,"7"]],"pnlHistory":[[3,"2"]]}""";
        var portfolio = RecordedAnswers.Parse<Portfolio>($$"""[["day",{"accountValueHistory":[{{values}}],"pnlHistory":[{{pnls}}]}],"""
            + $$"""["week",{{Whole}}],["month",{{Whole}}],["allTime",{{Whole}}]]""");
        Assert.That(portfolio.Day.Points.Select(point => (point.AccountValue, point.Pnl)), Is.EqualTo(new[] { (5m, 0m), (7m, 2m) }));
        Assert.That(portfolio.Unreadable[0].Name, Is.EqualTo(part));
    }
}
