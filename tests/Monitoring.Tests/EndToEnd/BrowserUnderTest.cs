using Microsoft.Playwright;

namespace Monitoring.Tests.EndToEnd;

/// <summary>The machine's Chromium without a window. What a page complains of in its console is kept.</summary>
internal sealed class BrowserUnderTest : IAsyncDisposable
{
    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;

    private BrowserUnderTest(IPlaywright playwright, IBrowser browser) => (_playwright, _browser) = (playwright, browser);

    /// <summary>Errors and warnings of all pages, and their scripts' exceptions.</summary>
    public List<string> Complaints { get; } = [];

    public static async Task<BrowserUnderTest> StartAsync()
    {
        Assertions.SetDefaultExpectTimeout(30_000); // a busy machine is not a fault of the page
        var playwright = await Playwright.CreateAsync();
        return new BrowserUnderTest(playwright, await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Environment.GetEnvironmentVariable("CHROMIUM") ?? "/usr/bin/chromium",
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        }));
    }

    /// <summary>A new page of this size, in the light or the dark scheme.</summary>
    public async Task<IPage> OpenAsync(int width, int height, ColorScheme scheme = ColorScheme.Light)
    {
        var page = await _browser.NewPageAsync(new() { ViewportSize = new() { Width = width, Height = height }, ColorScheme = scheme });
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
                Complaints.Add(message.Text);
        };
        page.PageError += (_, error) => Complaints.Add(error);
        return page;
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}
