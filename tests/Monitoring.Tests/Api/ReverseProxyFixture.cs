using System.Diagnostics;
using System.Net;
using System.Text;
using Dapper;
using Monitoring.Api.Access;
using Monitoring.Data.Events;
using Monitoring.Tests.Access;
using Monitoring.Tests.Database;
using Npgsql;

namespace Monitoring.Tests.Api;

/// <summary>The page, its actions and the stream through a real reverse proxy, which a script of deploy/local starts.</summary>
public abstract class ReverseProxyFixture
{
    private static readonly AccessOptions Trusting =
        new(ApiAuth.Keys, IsLoopback: true, 1_000_000, [IPNetwork.Parse("127.0.0.1/32")], []);

    private readonly string _script;
    private readonly string _folder = TestFolder.Create();
    private readonly Guid _id = Guid.CreateVersion7();
    private NpgsqlDataSource _db = null!;
    private ApiUnderTest _api = null!;
    private Process? _proxy;
    private string _url = "";
    private string _key = "";

    private protected ReverseProxyFixture(string script) => _script = script;

    [SetUp]
    public async Task Start()
    {
        _db = await TestDatabase.CloneAsync();
        await using (var connection = await _db.OpenConnectionAsync())
            await connection.ExecuteAsync(EventSample.InsertSql, new { id = _id, fingerprint = "r:s" });
        _api = await ApiUnderTest.StartAsync(_db, TimeProvider.System, Trusting);
        _key = await KeySample.AddAsync(_db, "page", TimeProvider.System.GetUtcNow(), scopes: ["read", "operate"]);
    }

    [TearDown]
    public async Task Stop()
    {
        if (_proxy is not null)
        {
            _proxy.StandardInput.Close();
            await _proxy.WaitForExitAsync();
            _proxy.Dispose();
        }

        await _api.DisposeAsync();
        await TestDatabase.DropAsync(_db);
        TestFolder.Delete(_folder);
    }

    /// <summary>The example for this proxy in docs/access.md, as it stands there.</summary>
    private protected async Task<string> ExampleAsync() =>
        (await File.ReadAllTextAsync(Repository.File("docs/access.md"))).Split($"```{_script}\n")[1].Split("```")[0];

    /// <summary>Starts the proxy with a configuration that is written for a service at 127.0.0.1:8000.</summary>
    private protected async Task ServeAsync(string configuration)
    {
        var file = Path.Combine(_folder, "configuration");
        await File.WriteAllTextAsync(file, configuration.Replace("127.0.0.1:8000", _api.Http.BaseAddress!.Authority));
        _proxy = Process.Start(new ProcessStartInfo("bash")
        {
            ArgumentList = { Repository.File($"deploy/local/{_script}.sh"), "serve", file },
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        if (await _proxy.StandardOutput.ReadLineAsync() is not { } line)
            Assert.Ignore($"deploy/local/{_script}.sh found no proxy; its message is above");
        else
            _url = line["URL=".Length..];
    }

    // As the page's own script, which the browser says is of the same origin, asks.
    private protected HttpRequestMessage Ask(HttpMethod method, string path, bool withKey = true)
    {
        var request = new HttpRequestMessage(method, _url + path);
        if (withKey)
            request.Headers.Add("X-API-Key", _key);
        request.Headers.Add("Accept-Encoding", "gzip");
        if (method == HttpMethod.Post)
        {
            request.Content = new StringContent("""{"note":"seen"}""", Encoding.UTF8, "application/json");
            request.Headers.Add("Sec-Fetch-Site", "same-origin");
            request.Headers.Add("Origin", _url);
        }

        return request;
    }

    private protected async Task<HttpStatusCode> StatusAsync(HttpMethod method, string path, bool withKey = true)
    {
        using var response = await _api.Http.SendAsync(Ask(method, path, withKey));
        return response.StatusCode;
    }

    private protected async Task AssertUsableAsync(string below)
    {
        foreach (var path in new[]
        {
            "", "app.css", "js/app.js", "docs", "docs/", "docs/docs.js", "docs/runbook", "docs/runbook/", "openapi/v1.json",
            "security/events", "security/dashboard", "health/ready",
        })
            foreach (var method in new[] { HttpMethod.Get, HttpMethod.Head })
                Assert.That(await StatusAsync(method, below + path), Is.EqualTo(HttpStatusCode.OK), $"{method} {below}{path}");
        Assert.That(await StatusAsync(HttpMethod.Get, $"{below}security/events", withKey: false), Is.EqualTo(HttpStatusCode.Unauthorized));
        Assert.That(await StatusAsync(HttpMethod.Post, $"{below}security/events/{_id}/acknowledge"), Is.EqualTo(HttpStatusCode.OK));
    }

    private protected async Task AssertCompressedAsync(string path)
    {
        using var compressed = await _api.Http.SendAsync(Ask(HttpMethod.Get, path));
        Assert.That(compressed.Content.Headers.ContentEncoding, Is.EqualTo(new[] { "gzip" }));
    }

    // An event reaches a client of the stream without anything after it that would push it through.
    private protected async Task AssertStreamsAsync(string below)
    {
        using var response = await _api.Http.SendAsync(
            Ask(HttpMethod.Get, $"{below}security/events/stream"), HttpCompletionOption.ResponseHeadersRead);
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        var content = await response.Content.ReadAsStreamAsync();
        using var reader = new StreamReader(response.Content.Headers.ContentEncoding.Contains("gzip")
            ? new System.IO.Compression.GZipStream(content, System.IO.Compression.CompressionMode.Decompress) : content);
        await using (var connection = await _db.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await transaction.SendAsync(batch => SecurityEventChanges.Append(batch,
                [new SecurityEventChange(0, _id, ManualClock.Noon, null, ChangeKind.Escalated, Severity.High, "rule", "at once", "{}")]));
            await transaction.CommitAsync();
        }

        string? line;
        while ((line = await reader.ReadLineAsync())?.Contains("at once") != true)
            Assert.That(line, Is.Not.Null);
    }
}
