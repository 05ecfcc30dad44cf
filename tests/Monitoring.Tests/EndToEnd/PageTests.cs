using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Dapper;
using Microsoft.Playwright;
using Monitoring.Tests.Api;

namespace Monitoring.Tests.EndToEnd;

/// <summary>The page on data of every monitor, in Chromium.</summary>
public sealed class PageTests
{
    private static readonly string[] Monitors = ["hlp-vault", "inventory", "oracle", "liquidations"];

    private readonly ManualClock _clock = new(
        DateTimeOffset.FromUnixTimeSeconds((TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() / 2 * 2) - 64));
    private WorkerUnderTest _worker = null!;
    private ApiUnderTest _api = null!;
    private BrowserUnderTest _browser = null!;

    [SetUp]
    public async Task Start()
    {
        _worker = await WorkerUnderTest.CreateAsync(
            _clock, "whale-liquidation", settings: [("INVENTORY_CHECK_INTERVAL", "2"), ("LIQUIDATION_CHECK_INTERVAL", "2")]);
        _api = await ApiUnderTest.StartAsync(_worker.Db, _clock);
        foreach (var monitor in Monitors)
            await _worker.RegisterAsync(monitor);
        _browser = await BrowserUnderTest.StartAsync();
    }

    private async Task PlayAsync(int fromSecond, int untilSecond)
    {
        for (var second = fromSecond; second <= untilSecond; second += 2)
        {
            foreach (var monitor in Monitors)
                await _worker.CheckAsync(_clock.GetUtcNow(), monitor);
            _clock.Advance(TimeSpan.FromSeconds(2));
        }
    }

    [TearDown]
    public async Task Stop()
    {
        await _browser.DisposeAsync();
        await _api.DisposeAsync();
        await _worker.DisposeAsync();
    }

    [TestCase(1440, ColorScheme.Light)]
    [TestCase(1440, ColorScheme.Dark)]
    [TestCase(390, ColorScheme.Light)]
    [TestCase(390, ColorScheme.Dark)]
    public async Task Axe_finds_no_fault_with_an_event_open(int width, ColorScheme scheme)
    {
        await PlayAsync(0, 60);
        var page = await OpenAsync(width, scheme);
        await page.Locator("#events-list summary").First.ClickAsync();
        await Assertions.Expect(page.Locator(".detail-arithmetic li").First).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator("#oracle-list .cell").First).ToBeVisibleAsync();
        await ShootAsync(page, $"page-{width}-{scheme}".ToLowerInvariant());
        await page.EvaluateAsync(await File.ReadAllTextAsync(Path.Combine(TestContext.CurrentContext.TestDirectory, "axe.min.js")));
        var found = JsonNode.Parse(await page.EvaluateAsync<string>("async () => JSON.stringify((await axe.run()).violations)"))!.AsArray();
        Assert.That(found.Select(fault => $"{fault!["id"]}: {string.Join(" | ", fault["nodes"]!.AsArray().Select(node => node!["html"]))}"),
            Is.Empty);
        Assert.That(_browser.Complaints, Is.Empty);
    }

    [Test]
    public async Task Nothing_is_wider_than_a_phone()
    {
        await PlayAsync(0, 60);
        var page = await OpenAsync(390, ColorScheme.Light);
        await Assertions.Expect(page.Locator("#holdings-rows tr").First).ToBeVisibleAsync();
        Assert.That(await page.EvaluateAsync<int>("document.documentElement.scrollWidth"), Is.LessThanOrEqualTo(390));
    }

    [Test]
    public async Task Event_appears_without_reload_and_is_acknowledged_resolved_and_silenced_by_keyboard()
    {
        await PlayAsync(0, 8);
        var page = await OpenAsync(1440, ColorScheme.Light);
        await Assertions.Expect(page.Locator("#events-none")).ToContainTextAsync("No open event");
        await PlayAsync(10, 30);
        var committed = Stopwatch.GetTimestamp();
        var critical = page.Locator("#events-list > li.event[data-tone=critical]").First;
        await Assertions.Expect(critical).ToBeVisibleAsync();
        TestContext.Out.WriteLine(
            $"the event was on the page {Stopwatch.GetElapsedTime(committed).TotalSeconds:0.00} s after the last commit");

        await critical.Locator("summary").First.FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await page.Keyboard.PressAsync("Tab");
        await Assertions.Expect(critical.Locator(".actions button").First).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(critical.Locator(".event-meta")).ToContainTextAsync("acknowledged by anonymous");
        await Assertions.Expect(critical.Locator(".actions-said")).ToHaveTextAsync("Acknowledged.");

        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(critical.Locator(".actions-said")).ToContainTextAsync("Silenced");
        await page.Keyboard.PressAsync("Shift+Tab");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("#announcer")).ToHaveTextAsync("Resolved.");
        Assert.That((string)(await _api.GetAsync("/security/silences"))["silences"]![0]!["created_by"]!, Is.EqualTo("anonymous"));
        Assert.That((await _api.GetAsync("/security/events?status=resolved"))["events"]!.AsArray().Select(e => (string)e!["resolution"]!),
            Has.Some.Contains("resolved on the page"));
        Assert.That(_browser.Complaints, Is.Empty);
    }

    [Test]
    public async Task Link_of_a_message_opens_its_event_even_when_it_is_resolved()
    {
        await PlayAsync(0, 60);
        var id = (string)(await _api.GetAsync("/security/events"))["events"]!.AsArray()
            .First(e => (string)e!["rule_id"]! == "hlp.loss")!["id"]!;
        using (var body = new StringContent("""{"note":"done"}""", Encoding.UTF8, "application/json"))
        using (var resolved = await _api.Http.PostAsync($"/security/events/{id}/resolve", body))
            resolved.EnsureSuccessStatusCode();
        var page = await OpenAsync(1440, ColorScheme.Light, $"#/events/{id}");
        var linked = page.Locator($"#events-list > li[data-key='{id}']");
        await Assertions.Expect(linked.Locator(".event-meta")).ToContainTextAsync("resolved");
        await Assertions.Expect(linked.Locator(".detail-arithmetic li").First).ToContainTextAsync("PnL of 1 h");
        Assert.That(_browser.Complaints, Is.Empty);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Positions_that_cannot_be_read_mark_their_card_alone_and_are_not_asked_for_at_once_again(bool isSilent)
    {
        await PlayAsync(0, 60);
        var page = await _browser.OpenAsync(1440, 1000);
        var asked = 0;
        var polls = 0;
        await page.RouteAsync("**/security/hlp-vault/holdings*", route =>
        {
            asked++;
            return isSilent
                ? Task.CompletedTask
                : route.FulfillAsync(new() { Status = 503, ContentType = "application/problem+json", Body = """{"title":"Busy"}""" });
        });
        page.Response += (_, response) => polls += response.Url.EndsWith("/security/dashboard", StringComparison.Ordinal) ? 1 : 0;
        await page.GotoAsync(_api.Http.BaseAddress!.ToString());
        await Assertions.Expect(page.Locator("#events-list > li.event[data-tone=critical]").First).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator("#oracle")).ToHaveAttributeAsync("data-known", "true");
        await Assertions.Expect(page.Locator("#holdings")).ToHaveAttributeAsync("data-known", "false");
        await Assertions.Expect(page.Locator("#holdings-age"))
            .ToHaveTextAsync($"NO DATA: {(isSilent ? "The service cannot be reached" : "The service answers 503: Busy")}");
        await Assertions.Expect(page.Locator("#holdings-summary")).ToContainTextAsync("could not be read");
        await Assertions.Expect(page.Locator("#risk")).Not.ToHaveAttributeAsync("data-level", "UNKNOWN");
        await Assertions.Expect(page.Locator("#connection")).ToContainTextAsync("Live");
        while (polls < 3)
            await page.WaitForResponseAsync("**/security/dashboard");
        await ShootBothAsync(page, "holdings-not-read");
        Assert.That(asked, Is.LessThan(polls));
    }

    [Test]
    public async Task Gravest_events_are_listed_announced_and_acknowledged_however_many_newer_ones_are_open()
    {
        await PlayAsync(0, 8);
        await OpenEventsAsync("medium", 60, _clock.GetUtcNow());
        await OpenEventsAsync("high", 1, _clock.GetUtcNow().AddMinutes(-20));
        await OpenEventsAsync("critical", 1, _clock.GetUtcNow().AddMinutes(-30));
        var page = await OpenAsync(1440, ColorScheme.Light);
        var events = page.Locator("#events-list > li.event");
        await Assertions.Expect(events).ToHaveCountAsync(52);
        await Assertions.Expect(events.Nth(0).Locator(".event-title")).ToHaveTextAsync("critical 1");
        await Assertions.Expect(events.Nth(1).Locator(".event-title")).ToHaveTextAsync("high 1");
        await Assertions.Expect(page.Locator("#events-more")).ToHaveTextAsync("10 further open events not listed here.");
        await Assertions.Expect(page.Locator("#announcer")).ToHaveTextAsync("Critical: critical 1");
        await ShootBothAsync(page, "many-events");
        await events.Nth(0).Locator("summary").First.ClickAsync();
        await events.Nth(0).GetByRole(AriaRole.Button, new() { Name = "Acknowledge" }).ClickAsync();
        await Assertions.Expect(events.Nth(0).Locator(".event-meta")).ToContainTextAsync("acknowledged by anonymous");
        Assert.That(_browser.Complaints, Is.Empty);
    }

    [Test]
    public async Task Past_of_an_asset_says_how_much_of_the_day_was_checked()
    {
        await PlayAsync(0, 8);
        var page = await OpenAsync(1440, ColorScheme.Light);
        await page.Locator("#oracle-list .cell").Last.ClickAsync();
        var past = page.Locator("#oracle-asset-past");
        await Assertions.Expect(past).ToHaveTextAsync(
            "No stored check of the last 24 h is off by 0.3 % or more. 5 of 43,200 checks of the oracle succeeded, "
            + "nothing is known of the other 43,195.");

        await using (var connection = await _worker.Db.OpenConnectionAsync())
            await connection.ExecuteAsync(
                "UPDATE monitors SET interval_seconds = 3600, interval_since = now() - interval '2 days' WHERE monitor = 'oracle'");
        await Assertions.Expect(past).ToContainTextAsync(new Regex(
            @"5 of 24 checks of the oracle succeeded, nothing is known of the other 19\. Not checked: .+ UTC to .+ UTC",
            RegexOptions.None, Patience));
        await ShootBothAsync(page, "oracle");

        await using (var connection = await _worker.Db.OpenConnectionAsync())
            await connection.ExecuteAsync("UPDATE check_runs SET outcome = 'failed', error = 'no answer' WHERE monitor = 'oracle'");
        await Assertions.Expect(past).ToContainTextAsync("The oracle was not checked in that time: nothing is known of it.");
    }

    [TestCase(0, 5, @"no gaps between them\. No snapshot in the first 18 h 5\d min\.")]
    [TestCase(3, 21, @"no gaps between them\. No snapshot in the last 3 h\.")]
    [TestCase(3, 2, @"no gaps between them\. No snapshot in the first 18 h 5\d min and the last 3 h\.")]
    [TestCase(0, 24, @"no gaps\.$")]
    public async Task Text_of_the_chart_says_when_the_data_begins_late_or_ends_early(int endedHoursAgo, int hours, string said)
    {
        await using (var connection = await _worker.Db.OpenConnectionAsync())
            await connection.ExecuteAsync("""
                INSERT INTO hlp_vault_snapshots (vault_address, observed_at, venue_at, account_value, total_value_locked, pnl_24h,
                                                 all_time_pnl, drawdown_pct, max_drawdown_pct, loss_score, drawdown_score,
                                                 volatility_score, anomaly_score, is_healthy, health_issues)
                SELECT '0xv', at, at, 1.50, 1, -1.25, 1, 0, 0, 0, 0, 0, 12.5, true, '{}'
                  FROM generate_series(@endsAt - make_interval(hours => @hours), @endsAt, interval '5 minutes') AS at
                """, new { endsAt = TimeProvider.System.GetUtcNow().AddHours(-endedHoursAgo), hours });
        var page = await OpenAsync(1440, ColorScheme.Light);
        await Assertions.Expect(page.Locator("#chart-summary")).ToContainTextAsync(new Regex(said, RegexOptions.None, Patience));
        await ShootBothAsync(page, $"chart-{endedHoursAgo}-{hours}");
    }

    private async Task OpenEventsAsync(string severity, int count, DateTimeOffset newestAt)
    {
        await using var connection = await _worker.Db.OpenConnectionAsync();
        await connection.ExecuteAsync("""
            INSERT INTO security_events (event_id, fingerprint, monitor, rule_id, rule_version, threat_type, severity, status, subject,
                                         title, description, indicators, related_addresses, occurrences, clean_checks, first_seen_at,
                                         last_seen_at, judged_at)
            SELECT md5(@severity || n)::uuid, @severity || n, 'hlp-vault', 'hlp.loss', 1, 'hlp_exploitation', @severity, 'open', '0xv',
                   @severity || ' ' || n, 'd', '{}', '{}', 1, 0, at, at, at
              FROM generate_series(1, @count) AS n, LATERAL (SELECT @newestAt - n * interval '1 second' AS at) AS t;
            INSERT INTO security_event_changes (event_id, changed_at, scheduled_at, kind, severity, actor, evidence)
            SELECT event_id, first_seen_at, first_seen_at, 'opened', severity, 'worker',
                   '{"thresholds": {}, "values": {}, "arithmetic": ["2 reaches 1"]}'
              FROM security_events WHERE severity = @severity;
            """, new { severity, count, newestAt });
    }

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static Task<byte[]> ShootAsync(IPage page, string name)
    {
        Directory.CreateDirectory(Repository.File("artifacts/screenshots"));
        return page.ScreenshotAsync(new() { Path = Repository.File($"artifacts/screenshots/{name}.png"), FullPage = true });
    }

    private static async Task ShootBothAsync(IPage page, string name)
    {
        foreach (var width in new[] { 390, 1440 })
        {
            await page.SetViewportSizeAsync(width, 1000);
            await ShootAsync(page, $"{name}-{width}");
        }
    }

    private async Task<IPage> OpenAsync(int width, ColorScheme scheme, string address = "")
    {
        var page = await _browser.OpenAsync(width, 1000, scheme);
        await page.GotoAsync(_api.Http.BaseAddress + address);
        await Assertions.Expect(page.Locator("#connection")).ToContainTextAsync("Live");
        return page;
    }
}
