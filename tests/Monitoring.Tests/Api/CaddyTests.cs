using System.Net;

namespace Monitoring.Tests.Api;

/// <summary>The read service behind a real Caddy.</summary>
public sealed class CaddyTests() : ReverseProxyFixture("caddy")
{
    private const string Site = "{$SITE}"; // where the script serves

    [Test]
    public async Task Defaults()
    {
        await ServeAsync($"{Site} {{\n    reverse_proxy 127.0.0.1:8000\n}}\n");
        await AssertUsableAsync("/");
        await AssertStreamsAsync("/");
        await AssertCompressedAsync("/openapi/v1.json");
    }

    [Test]
    public async Task Example_of_the_documents_below_a_path()
    {
        var example = await ExampleAsync();
        Assert.That(example, Does.Contain("risk.example.org {"));
        await ServeAsync(example.Replace("risk.example.org {", $"{Site} {{"));
        await AssertUsableAsync("/monitoring/");
        await AssertStreamsAsync("/monitoring/");
        await AssertCompressedAsync("/monitoring/openapi/v1.json");
        Assert.That(await StatusAsync(HttpMethod.Get, "/monitoring"), Is.EqualTo(HttpStatusCode.OK), "it leads to /monitoring/");
    }

    [Test]
    public async Task Compression_of_its_own_holds_no_event_back()
    {
        await ServeAsync($"{Site} {{\n    encode gzip\n    reverse_proxy 127.0.0.1:8000\n}}\n");
        await AssertUsableAsync("/");
        await AssertStreamsAsync("/");
    }
}
