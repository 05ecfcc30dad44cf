using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Monitoring.Tests.Api;

namespace Monitoring.Tests.EndToEnd;

/// <summary>
/// The scenario from the venue to the page, on a clock that the test moves: simulator, worker, PostgreSQL, read service, Chromium.
/// </summary>
public sealed partial class WhaleLiquidationTests
{
    // The page reads the real time from the service's answers, so the scenario is played to end about now.
    private readonly ManualClock _clock = new(
        DateTimeOffset.FromUnixTimeSeconds((TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() / 2 * 2) - 64));
    private WorkerUnderTest _worker = null!;
    private ApiUnderTest _api = null!;

    private async Task PlayAsync(string scenario, int untilSecond)
    {
        _worker = await WorkerUnderTest.CreateAsync(_clock, scenario);
        _api = await ApiUnderTest.StartAsync(_worker.Db, _clock);
        await _worker.RegisterAsync();
        await PlayOnAsync(0, untilSecond);
    }

    private async Task PlayOnAsync(int fromSecond, int untilSecond)
    {
        for (var second = fromSecond; second <= untilSecond; second += 2)
        {
            await _worker.CheckAsync(_clock.GetUtcNow());
            _clock.Advance(TimeSpan.FromSeconds(2));
        }
    }

    [TearDown]
    public async Task Stop()
    {
        await _api.DisposeAsync();
        await _worker.DisposeAsync();
    }

    [Test]
    public async Task Loss_is_found_and_withdrawals_are_not_taken_for_one()
    {
        await PlayAsync("whale-liquidation", 68);
        var before = await EventsAsync();
        Assert.That(before.Select(e => (e.Rule, e.Severity)),
            Is.EquivalentTo(new[] { ("hlp.loss", "critical"), ("hlp.anomaly", "critical"), ("hlp.sigma", "high") }));
        var value = (decimal)(await _api.GetAsync("/security/hlp-vault"))["snapshot"]!["account_value"]!;

        await PlayOnAsync(70, 100);
        var snapshot = (await _api.GetAsync("/security/hlp-vault"))["snapshot"]!;
        Assert.That(value - (decimal)snapshot["account_value"]!, Is.EqualTo(130_000_000m).Within(100_000m));
        Assert.That((decimal)snapshot["pnl_1h"]!, Is.EqualTo(-4_000_000m).Within(100_000m));
        Assert.That((decimal)snapshot["drawdown_pct"]!, Is.LessThan(1m));
        Assert.That(await EventsAsync(), Is.EquivalentTo(before.Append(("hlp.outflow", "critical"))), "flows are no loss");
    }

    [Test]
    public async Task Calm_raises_nothing_at_all()
    {
        await PlayAsync("calm", 90);
        Assert.That(await EventsAsync(), Is.Empty);
        Assert.That((string)(await _api.GetAsync("/security/dashboard"))["overall_risk"]!["level"]!, Is.EqualTo("LOW"));
        Assert.That(_worker.Logs.Lines.Where(line => line.Level >= Microsoft.Extensions.Logging.LogLevel.Warning), Is.Empty);
    }

    [Test]
    public async Task Page_shows_state_chart_and_the_open_critical_event()
    {
        await PlayAsync("whale-liquidation", 60);
        await using var browser = await BrowserUnderTest.StartAsync();
        var page = await browser.OpenAsync(1440, 1000);
        await page.GotoAsync(_api.Http.BaseAddress!.ToString());

        await Assertions.Expect(page.Locator("#risk-level")).ToHaveTextAsync("CRITICAL");
        await Assertions.Expect(page.Locator("#risk-score")).ToHaveTextAsync("90.0 of 100");
        await Assertions.Expect(page.Locator("#vault-account-value")).ToContainTextAsync(Millions());
        await Assertions.Expect(page.Locator("#vault-pnl-1h")).ToHaveAttributeAsync("data-sign", "loss");
        await Assertions.Expect(page.Locator("#anomaly-loss")).ToHaveTextAsync("40.0 of 40");
        var critical = page.Locator("#events-list > li.event[data-tone=critical]");
        await Assertions.Expect(critical).ToHaveCountAsync(2);
        await Assertions.Expect(critical.Filter(new() { HasText = "HLP vault lost " })).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator("#monitors-rows tr[data-key=hlp-vault]")).ToHaveAttributeAsync("data-state", "fresh");
        await Assertions.Expect(page.Locator("#chart canvas").First).ToBeVisibleAsync();

        await critical.Filter(new() { HasText = "HLP vault lost " }).Locator("summary").First.ClickAsync();
        await Assertions.Expect(page.Locator(".detail-arithmetic li").First).ToContainTextAsync("PnL of 1 h");
        Assert.That(browser.Complaints, Is.Empty);

        // What changes at the venue appears without a reload.
        await PlayOnAsync(62, 100);
        await Assertions.Expect(page.Locator("#vault-account-value")).Not.ToContainTextAsync(Millions());
        _api.Gate.Close();
        await Assertions.Expect(page.Locator("#banner-title")).ToContainTextAsync("503");
    }

    private async Task<IReadOnlyList<(string Rule, string Severity)>> EventsAsync() =>
        [.. (await _api.GetAsync("/security/events"))["events"]!.AsArray().Select(e => ((string)e!["rule_id"]!, (string)e["severity"]!))];

    [GeneratedRegex("44[67]", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Millions();
}
