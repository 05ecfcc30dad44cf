namespace Monitoring.Tests.Api;

/// <summary>The read service behind a real nginx.</summary>
public sealed class NginxTests() : ReverseProxyFixture("nginx")
{
    [Test]
    public async Task Defaults()
    {
        await ServeAsync("location / { proxy_pass http://127.0.0.1:8000; }");
        await AssertUsableAsync("/");
        await AssertStreamsAsync("/");
    }

    [Test]
    public async Task Host_without_the_port_that_the_browser_used()
    {
        await ServeAsync("""
            location / { proxy_pass http://127.0.0.1:8000; proxy_set_header Host $host; proxy_set_header X-Real-IP $remote_addr; }
            """);
        await AssertUsableAsync("/");
    }

    [Test]
    public async Task Example_of_the_documents_below_a_path_and_compressed()
    {
        await ServeAsync(await ExampleAsync());
        await AssertUsableAsync("/monitoring/");
        await AssertStreamsAsync("/monitoring/");
        await AssertCompressedAsync("/monitoring/openapi/v1.json");
    }
}
