using Microsoft.Playwright;
using Monitoring.Api.Access;
using Monitoring.Tests.Api;
using Npgsql;

namespace Monitoring.Tests.EndToEnd;

/// <summary>The page of a service that wants keys, opened in Chromium with a key that may only read.</summary>
public sealed class PageKeyTests
{
    private readonly ManualClock _clock = new(ManualClock.Noon);
    private NpgsqlDataSource _db = null!;
    private ApiUnderTest _api = null!;
    private BrowserUnderTest _browser = null!;
    private IPage _page = null!;

    [SetUp]
    public async Task Open()
    {
        _db = await TestDatabase.CloneAsync();
        await SampleRows.FillAsync(_db);
        _api = await ApiUnderTest.StartAsync(_db, _clock, new AccessOptions(ApiAuth.Keys, IsLoopback: true, 1_000_000, [], []));
        _browser = await BrowserUnderTest.StartAsync();
        _page = await _browser.OpenAsync(1440, 1000);
        // The browser keeps the password of an address, as it keeps one that was typed in.
        await _page.GotoAsync(new UriBuilder(_api.Http.BaseAddress!)
        {
            Path = "/favicon.svg", UserName = "page", Password = await AddKeyAsync("reader", "read"),
        }.ToString());
        await _page.GotoAsync(_api.Http.BaseAddress!.ToString());
        await Assertions.Expect(_page.Locator("#connection")).ToContainTextAsync("Live");
    }

    [TearDown]
    public async Task Close()
    {
        await _browser.DisposeAsync();
        await _api.DisposeAsync();
        await TestDatabase.DropAsync(_db);
    }

    private async Task<string> AddKeyAsync(string name, params string[] scopes)
    {
        var text = await KeySample.AddAsync(_db, name, _clock.GetUtcNow(), rate: 100_000, scopes: scopes);
        _clock.Advance(KeyCache.MaxAge);
        return text;
    }

    private static async Task AcknowledgeAsync(ILocator found)
    {
        if (!await found.Locator(".actions").IsVisibleAsync())
            await found.Locator("summary").First.ClickAsync();
        await found.GetByRole(AriaRole.Button, new() { Name = "Acknowledge" }).ClickAsync();
    }

    private async Task EnterAsync(string key)
    {
        await _page.GetByLabel("Key with the scopes “read” and, to act on events, “operate”").FillAsync(key);
        await _page.GetByRole(AriaRole.Button, new() { Name = "Use this key" }).ClickAsync();
    }

    [Test]
    public async Task Key_that_is_entered_takes_the_place_of_the_one_the_browser_sends()
    {
        var operate = await AddKeyAsync("operator", "read", "operate");
        var id = await _page.Locator("#events-list > li.event").First.GetAttributeAsync("data-key");
        var found = _page.Locator($"#events-list > li[data-key='{id}']");
        await AcknowledgeAsync(found);
        await Assertions.Expect(found.Locator(".actions-said")).ToHaveTextAsync("This needs a key with the scopes “read” and “operate”.");
        await EnterAsync(operate);
        await AcknowledgeAsync(found);
        await Assertions.Expect(found.Locator(".event-meta")).ToContainTextAsync("acknowledged by operator");
        await Assertions.Expect(_page.Locator("#connection")).ToContainTextAsync("Live");

        var stream = await _page.RunAndWaitForRequestAsync(() => _page.ReloadAsync(), "**/security/events/stream");
        Assert.That(await stream.HeaderValueAsync("Authorization"), Is.EqualTo($"Bearer {operate}"));
        Assert.That((await stream.ResponseAsync())!.Status, Is.EqualTo(200));
        await Assertions.Expect(_page.Locator("#connection")).ToContainTextAsync("Live");
    }

    [TestCase("mk_not-a-key", "The key that was entered is refused and forgotten.")]
    [TestCase(null, "The key that was entered lacks the scope “read” and is forgotten.")]
    public async Task Key_that_is_refused_is_forgotten_and_the_page_says_so_and_reads_on(string? key, string said)
    {
        await AcknowledgeAsync(_page.Locator("#events-list > li.event").First);
        await EnterAsync(key ?? await AddKeyAsync("blind", "operate"));
        await Assertions.Expect(_page.Locator("#key-said")).ToHaveTextAsync(said);
        await Assertions.Expect(_page.Locator("#key-form")).ToBeVisibleAsync();
        await Assertions.Expect(_page.Locator("#connection")).ToContainTextAsync("Live");
        Assert.That(await _page.EvaluateAsync<int>("sessionStorage.length"), Is.Zero);
        foreach (var width in new[] { 1440, 390 })
        {
            await _page.SetViewportSizeAsync(width, 1000);
            Directory.CreateDirectory(Repository.File("artifacts/screenshots"));
            await _page.ScreenshotAsync(new() { Path = Repository.File($"artifacts/screenshots/key-{width}.png") });
            Assert.That(await _page.EvaluateAsync<int>("document.documentElement.scrollWidth"), Is.LessThanOrEqualTo(width));
        }
    }
}
