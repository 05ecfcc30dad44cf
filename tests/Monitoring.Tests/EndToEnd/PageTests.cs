using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using Monitoring.Api.Access;
using Monitoring.Tests.Api;

namespace Monitoring.Tests.EndToEnd;

/// <summary>The page on data of every monitor, in Chromium.</summary>
public sealed class PageTests
{
    private static readonly string[] Monitors = ["hlp-vault", "inventory", "oracle", "liquidations"];

    private readonly ManualClock _clock = new(DateTimeOffset.FromUnixTimeSeconds((TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() / 2 * 2) - 64));
    private WorkerUnderTest _worker = null!;
    private ApiUnderTest _api = null!;
    private BrowserUnderTest _browser = null!;

    [SetUp]
    public async Task Start()
    {
        _worker = await WorkerUnderTest.CreateAsync(_clock, "whale-liquidation", settings: [("INVENTORY_CHECK_INTERVAL", "2"), ("LIQUIDATION_CHECK_INTERVAL", "2")]);
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
        Directory.CreateDirectory(Repository.File("artifacts/screenshots"));
        await page.ScreenshotAsync(new() { Path = Repository.File($"artifacts/screenshots/page-{width}-{scheme}.png".ToLowerInvariant()), FullPage = true });
        await page.EvaluateAsync(await File.ReadAllTextAsync(Path.Combine(TestContext.CurrentContext.TestDirectory, "axe.min.js")));
        var found = JsonNode.Parse(await page.EvaluateAsync<string>("async () => JSON.stringify((await axe.run()).violations)"))!.AsArray();
        Assert.That(found.Select(fault => $"{fault!["id"]}: {string.Join(" | ", fault["nodes"]!.AsArray().Select(node => node!["html"]))}"), Is.Empty);
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
        TestContext.Out.WriteLine($"the event was on the page {Stopwatch.GetElapsedTime(committed).TotalSeconds:0.00} s after the last commit");

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
        Assert.That((await _api.GetAsync("/security/events?status=resolved"))["events"]!.AsArray().Select(e => (string)e!["resolution"]!), Has.Some.Contains("resolved on the page"));
        Assert.That(_browser.Complaints, Is.Empty);
    }

    [Test]
    public async Task Link_of_a_message_opens_its_event_even_when_it_is_resolved()
    {
        await PlayAsync(0, 60);
        var id = (string)(await _api.GetAsync("/security/events"))["events"]!.AsArray().First(e => (string)e!["rule_id"]! == "hlp.loss")!["id"]!;
        using (var body = new StringContent("""{"note":"done"}""", Encoding.UTF8, "application/json"))
        using (var resolved = await _api.Http.PostAsync($"/security/events/{id}/resolve", body))
            resolved.EnsureSuccessStatusCode();
        var page = await OpenAsync(1440, ColorScheme.Light, $"#/events/{id}");
        var linked = page.Locator($"#events-list > li[data-key='{id}']");
        await Assertions.Expect(linked.Locator(".event-meta")).ToContainTextAsync("resolved");
        await Assertions.Expect(linked.Locator(".detail-arithmetic li").First).ToContainTextAsync("PnL of 1 h");
        Assert.That(_browser.Complaints, Is.Empty);
    }

    [Test]
    public async Task Browser_asks_for_the_key_of_a_service_that_wants_one()
    {
        await PlayAsync(0, 8);
        var key = await KeySample.AddAsync(_worker.Db, "page", _clock.GetUtcNow(), scopes: ["read", "operate"]);
        await using var api = await ApiUnderTest.StartAsync(_worker.Db, _clock, new AccessOptions(ApiAuth.Keys, IsLoopback: false, 600, [], []));
        var page = await _browser.OpenAsync(1440, 1000, password: key);
        var answer = await page.GotoAsync($"{api.Http.BaseAddress}");
        Assert.That(answer!.Status, Is.EqualTo(200));
        await Assertions.Expect(page.Locator("#connection")).ToContainTextAsync("Live");
        await Assertions.Expect(page.Locator("#events-none")).ToContainTextAsync("No open event");
    }

    private async Task<IPage> OpenAsync(int width, ColorScheme scheme, string address = "")
    {
        var page = await _browser.OpenAsync(width, 1000, scheme);
        await page.GotoAsync(_api.Http.BaseAddress + address);
        await Assertions.Expect(page.Locator("#connection")).ToContainTextAsync("Live");
        return page;
    }
}
