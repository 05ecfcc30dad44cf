using System.Text.Json.Nodes;
using Microsoft.Playwright;
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
    public async Task Play()
    {
        _worker = await WorkerUnderTest.CreateAsync(_clock, "whale-liquidation", settings: [("INVENTORY_CHECK_INTERVAL", "2"), ("LIQUIDATION_CHECK_INTERVAL", "2")]);
        _api = await ApiUnderTest.StartAsync(_worker.Db, _clock);
        foreach (var monitor in Monitors)
            await _worker.RegisterAsync(monitor);
        for (var second = 0; second <= 60; second += 2)
        {
            foreach (var monitor in Monitors)
                await _worker.CheckAsync(_clock.GetUtcNow(), monitor);
            _clock.Advance(TimeSpan.FromSeconds(2));
        }

        _browser = await BrowserUnderTest.StartAsync();
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
        var page = await OpenAsync(width, scheme);
        await page.Locator("#events-list summary").First.ClickAsync();
        await Assertions.Expect(page.Locator(".detail-arithmetic li").First).ToBeVisibleAsync();
        await page.EvaluateAsync(await File.ReadAllTextAsync(Path.Combine(TestContext.CurrentContext.TestDirectory, "axe.min.js")));
        var found = JsonNode.Parse(await page.EvaluateAsync<string>("async () => JSON.stringify((await axe.run()).violations)"))!.AsArray();
        Assert.That(found.Select(fault => $"{fault!["id"]}: {string.Join(" | ", fault["nodes"]!.AsArray().Select(node => node!["html"]))}"), Is.Empty);
        Assert.That(_browser.Complaints, Is.Empty);
    }

    [Test]
    public async Task Nothing_is_wider_than_a_phone()
    {
        var page = await OpenAsync(390, ColorScheme.Light);
        await Assertions.Expect(page.Locator("#holdings-rows tr").First).ToBeVisibleAsync();
        Assert.That(await page.EvaluateAsync<int>("document.documentElement.scrollWidth"), Is.LessThanOrEqualTo(390));
    }

    private async Task<IPage> OpenAsync(int width, ColorScheme scheme)
    {
        var page = await _browser.OpenAsync(width, 1000, scheme);
        await page.GotoAsync(_api.Http.BaseAddress!.ToString());
        await Assertions.Expect(page.Locator("#risk-level")).ToHaveTextAsync("CRITICAL");
        return page;
    }
}
