using System.Net;
using System.Text;
using Microsoft.Extensions.Configuration;
using Monitoring.Api;
using Monitoring.Api.Access;
using Monitoring.Data.Configuration;
using Npgsql;

namespace Monitoring.Tests.Api;

/// <summary>Requests that come, or say that they come, through a proxy in front of the service.</summary>
public sealed class ProxyTests
{
    private static readonly AccessOptions Implied = new(ApiAuth.None, IsLoopback: true, 1_000_000, [], []);
    private static readonly IPNetwork[] ThisMachine = [IPNetwork.Parse("127.0.0.1/32")];
    private NpgsqlDataSource _db = null!;

    [SetUp]
    public async Task CloneDatabase() => _db = await TestDatabase.CloneAsync();

    [TearDown]
    public Task DropDatabase() => TestDatabase.DropAsync(_db);

    private Task<ApiUnderTest> StartAsync(AccessOptions access) => ApiUnderTest.StartAsync(_db, new ManualClock(ManualClock.Noon), access);

    private static async Task<int> AskAsync(ApiUnderTest api, HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        if (method == HttpMethod.Post)
            request.Content = new StringContent("{}", Encoding.UTF8, "application/json");
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        using var response = await api.Http.SendAsync(request);
        return (int)response.StatusCode;
    }

    private static string Act => $"/security/events/{Guid.Empty}/acknowledge";

    [TestCase("X-Forwarded-For", "203.0.113.9")]
    [TestCase("X-Forwarded-Proto", "https")]
    [TestCase("X-Forwarded-Host", "127.0.0.1")]
    [TestCase("X-Forwarded-Prefix", "/monitoring")]
    [TestCase("Forwarded", "for=203.0.113.9;proto=https")]
    [TestCase("Via", "1.1 proxy")]
    [TestCase("X-Real-IP", "203.0.113.9")]
    [TestCase("CF-Connecting-IP", "203.0.113.9")]
    public async Task Stranger_behind_a_proxy_of_this_machine_needs_a_key_unless_none_is_said_outright(string name, string value)
    {
        await using var api = await StartAsync(Implied);
        var key = await KeySample.AddAsync(_db, "reader", ManualClock.Noon, scopes: ["read", "operate"]);
        Assert.That((await AskAsync(api, HttpMethod.Get, "/security/events"), await AskAsync(api, HttpMethod.Post, Act)),
            Is.EqualTo((200, 404)), "this machine itself");
        var forwarded = (name, value);
        Assert.That(
            (await AskAsync(api, HttpMethod.Get, "/security/events", forwarded), await AskAsync(api, HttpMethod.Post, Act, forwarded),
                await AskAsync(api, HttpMethod.Get, "/", forwarded), await AskAsync(api, HttpMethod.Get, "/health/live", forwarded)),
            Is.EqualTo((401, 401, 401, 200)));
        Assert.That(
            (await AskAsync(api, HttpMethod.Get, "/security/events", forwarded, ("X-API-Key", key)),
                await AskAsync(api, HttpMethod.Post, Act, forwarded, ("X-API-Key", key))),
            Is.EqualTo((200, 404)));
        var outright = Implied with { IsAuthImplied = false };
        await using var open = await StartAsync(outright);
        Assert.That(
            (await AskAsync(open, HttpMethod.Get, "/security/events", forwarded), await AskAsync(open, HttpMethod.Post, Act, forwarded),
                await AskAsync(open, HttpMethod.Post, Act)),
            Is.EqualTo((200, 403, 404)), "said outright: reading alone");
    }

    [Test]
    public async Task Proxy_that_says_nothing_of_itself_is_known_by_its_old_protocol()
    {
        await using var api = await StartAsync(Implied);
        var answer = await RawHttp.SendAsync(
            api.Http.BaseAddress!, "GET /security/events HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"u8.ToArray());
        Assert.That((answer.Status, answer.Body.Contains("came through a proxy")), Is.EqualTo((401, true)));
    }

    [TestCase(null, null, ApiAuth.None, true)]
    [TestCase("127.0.0.1", null, ApiAuth.Keys, true)]
    [TestCase("127.0.0.1", "none", ApiAuth.None, false)]
    [TestCase(null, "none", ApiAuth.None, false)]
    [TestCase(null, "keys", ApiAuth.Keys, false)]
    public void Trusted_proxies_mean_keys_unless_none_is_said_outright(string? proxies, string? auth, ApiAuth expected, bool isImplied)
    {
        var values = new Dictionary<string, string?>
        {
            ["DATABASE_URL"] = "postgresql://u:p@127.0.0.1/d", ["API_TRUSTED_PROXIES"] = proxies, ["API_AUTH"] = auth,
        };
        var settings = new SettingsReader(new ConfigurationBuilder().AddInMemoryCollection(values).Build());
        var access = ApiOptions.Read(settings).Access;
        Assert.That((access.Auth, access.IsAuthImplied), Is.EqualTo((expected, isImplied)));
    }

    [Test]
    public async Task With_trusted_proxies_nothing_is_done_without_a_key()
    {
        await using var api = await StartAsync(Implied with { IsAuthImplied = false, TrustedProxies = ThisMachine });
        Assert.That((await AskAsync(api, HttpMethod.Get, "/security/events"), await AskAsync(api, HttpMethod.Post, Act)),
            Is.EqualTo((200, 403)));
    }

    [TestCase("evil.example", null, null, 400)]
    [TestCase("risk.example", null, null, 200)]
    [TestCase("risk.example:8443", "risk.example:8443", null, 200)]
    [TestCase("evil.example", "risk.example", null, 400)]
    [TestCase("risk.example", "evil.example", null, 400)]
    [TestCase("risk.example", "risk.example, evil.example", null, 400)]
    [TestCase("risk.example", null, "for=1.2.3.4;host=evil.example", 400)]
    [TestCase("risk.example", null, "for=1.2.3.4;host=\"risk.example:443\"", 200)]
    [TestCase("127.0.0.1", "risk.example", null, 200)]
    [TestCase("127.0.0.1", "evil.example", null, 400)]
    public async Task Allowed_names_hold_for_every_name_that_a_request_gives(string host, string? forwarded, string? standard, int status)
    {
        foreach (var proxies in new[] { [], ThisMachine })
        {
            await using var api = await StartAsync(
                Implied with { IsAuthImplied = false, TrustedProxies = proxies, AllowedHosts = ["risk.example"] });
            var headers = new List<(string, string)> { ("Host", host) };
            if (forwarded is not null)
                headers.AddRange([("X-Forwarded-Host", forwarded), ("X-Forwarded-For", "203.0.113.9")]);
            if (standard is not null)
                headers.Add(("Forwarded", standard));
            Assert.That(
                await AskAsync(api, HttpMethod.Get, "/security/monitors", [.. headers]), Is.EqualTo(status), $"{proxies.Length} proxies");
        }
    }

    [TestCase("http://other.example:1")]
    [TestCase("http://127.0.0.1:1")]
    public async Task Browser_that_says_the_page_is_ours_knows_better_than_the_name_that_a_proxy_left(string origin)
    {
        await using var api = await StartAsync(Implied);
        Assert.That(await AskAsync(api, HttpMethod.Post, Act, ("Sec-Fetch-Site", "same-origin"), ("Origin", origin)), Is.EqualTo(404));
        Assert.That(await AskAsync(api, HttpMethod.Post, Act, ("Sec-Fetch-Site", "cross-site"), ("Origin", origin)), Is.EqualTo(403));
    }

    [Test]
    public async Task Head_is_answered_as_get_is()
    {
        await using var api = await StartAsync(Implied);
        foreach (var path in new[]
        {
            "/", "/docs/", "/app.css", "/security/events", "/security/events?limit=0", "/security/events/database", "/security/dashboard",
            "/security/silences", "/security/monitors", "/health", "/health/live", "/health/ready", "/metrics", "/badge/hlp-vault.svg",
            "/openapi/v1.json", "/nowhere", $"/security/events/{Guid.Empty}", "/security/events/stream",
        })
        {
            using var got = await api.Http.SendAsync(
                new HttpRequestMessage(HttpMethod.Get, path), HttpCompletionOption.ResponseHeadersRead);
            using var head = await api.Http.SendAsync(new HttpRequestMessage(HttpMethod.Head, path));
            Assert.That((head.StatusCode, head.Content.Headers.ContentType, Tag(head)),
                Is.EqualTo((got.StatusCode, got.Content.Headers.ContentType, path == "/metrics" ? Tag(head) : Tag(got))), path);
            Assert.That(await head.Content.ReadAsByteArrayAsync(), Is.Empty, path);
        }
    }

    private static string? Tag(HttpResponseMessage answer) => answer.Headers.ETag?.Tag;

    [Test]
    public async Task Page_and_reference_name_everything_relative_to_themselves()
    {
        await using var api = await StartAsync(Implied);
        var answer = await RawHttp.SendAsync(
            api.Http.BaseAddress!, "GET /docs HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"u8.ToArray());
        Assert.That((answer.Status, answer.Head.Contains("Location: docs/\r\n")), Is.EqualTo((301, true)));
        foreach (var file in Directory.EnumerateFiles(Repository.File("Monitoring.Api/wwwroot"), "*", SearchOption.AllDirectories)
            .Where(file => Path.GetExtension(file) is ".html" or ".js" or ".css" && !file.Contains("/lib/")))
            Assert.That(await File.ReadAllTextAsync(file), Does.Not.Match("(href=|src=|fetch\\(|get\\(|open\\(|url\\()[\"']?/[a-z]"), file);
    }
}
