using System.Text.Json.Nodes;
using Microsoft.Playwright;
using Monitoring.Tests.Api;
using Npgsql;

namespace Monitoring.Tests.EndToEnd;

/// <summary>The runbook in Chromium, as somebody opens it from a message.</summary>
public sealed class RunbookPageTests
{
    private NpgsqlDataSource _db = null!;
    private ApiUnderTest _api = null!;
    private BrowserUnderTest _browser = null!;

    [SetUp]
    public async Task Start()
    {
        _db = await TestDatabase.CloneAsync();
        _api = await ApiUnderTest.StartAsync(_db, TimeProvider.System);
        _browser = await BrowserUnderTest.StartAsync();
    }

    [TearDown]
    public async Task Stop()
    {
        await _browser.DisposeAsync();
        await _api.DisposeAsync();
        await TestDatabase.DropAsync(_db);
    }

    [TestCase(1440, ColorScheme.Light)]
    [TestCase(1440, ColorScheme.Dark)]
    [TestCase(390, ColorScheme.Light)]
    [TestCase(390, ColorScheme.Dark)]
    public async Task Entry_of_a_rule_is_shown_at_once_and_axe_finds_no_fault(int width, ColorScheme scheme)
    {
        var page = await _browser.OpenAsync(width, 1000, scheme);
        await page.GotoAsync($"{_api.Http.BaseAddress}docs/runbook#hlp.loss");
        var entry = page.Locator("[id='hlp.loss']");
        await Assertions.Expect(entry).ToBeInViewportAsync();
        Assert.That((await entry.BoundingBoxAsync())!.Y, Is.LessThan(300), "it is what is seen first");
        Assert.That(await page.EvaluateAsync<int>("document.documentElement.scrollWidth"), Is.LessThanOrEqualTo(width));
        Directory.CreateDirectory(Repository.File("artifacts/screenshots"));
        await page.ScreenshotAsync(
            new() { Path = Repository.File($"artifacts/screenshots/runbook-{width}-{scheme}.png".ToLowerInvariant()) });
        await page.EvaluateAsync(await File.ReadAllTextAsync(Path.Combine(TestContext.CurrentContext.TestDirectory, "axe.min.js")));
        var found = JsonNode.Parse(await page.EvaluateAsync<string>("async () => JSON.stringify((await axe.run()).violations)"))!.AsArray();
        Assert.That(found.Select(fault => $"{fault!["id"]}: {string.Join(" | ", fault["nodes"]!.AsArray().Select(node => node!["html"]))}"),
            Is.Empty);
        Assert.That(_browser.Complaints, Is.Empty);
    }
}
