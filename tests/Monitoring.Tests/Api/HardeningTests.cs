using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Monitoring.Api.Access;
using Monitoring.Data.Database;
using Npgsql;

namespace Monitoring.Tests.Api;

/// <summary>What keeps the service whole when others are not kind to it.</summary>
public sealed class HardeningTests
{
    private readonly ManualClock _clock = new(ManualClock.Noon);
    private NpgsqlDataSource _db = null!;

    [SetUp]
    public async Task CloneDatabase() => _db = await TestDatabase.CloneAsync();

    [TearDown]
    public Task DropDatabase() => TestDatabase.DropAsync(_db);

    private Task<ApiUnderTest> StartAsync(AccessOptions? access = null, int maxPoolSize = 15) =>
        ApiUnderTest.StartAsync(_db, _clock, access, maxPoolSize);

    [Test]
    public async Task Every_answer_carries_the_headers_that_protect_a_browser()
    {
        await using var api = await StartAsync();
        foreach (var (path, status) in new[]
        {
            ("/", 200), ("/security/monitors", 200), ("/nowhere", 404), ("/security/monitors?x=1", 400), ("/security/events", 503),
        })
        {
            if (status == 503)
                api.Gate.Close();
            using var response = await api.Http.GetAsync(path);
            Assert.That((int)response.StatusCode, Is.EqualTo(status), path);
            Assert.That((response.Headers.GetValues("Content-Security-Policy").Single()[..19],
                response.Headers.GetValues("X-Content-Type-Options").Single(), response.Headers.GetValues("X-Frame-Options").Single(),
                    response.Headers.GetValues("Referrer-Policy").Single(), response.Headers.Contains("Server"),
                response.Headers.Contains("Access-Control-Allow-Origin")),
                Is.EqualTo(("default-src 'none';", "nosniff", "DENY", "no-referrer", false, false)), path);
        }
    }

    [TestCase("evil.example:8000", 400)]
    [TestCase("localhost:8000", 200)]
    [TestCase("127.0.0.1", 200)]
    [TestCase("[::1]:8000", 200)]
    public async Task Without_keys_it_answers_to_this_machines_own_names_alone(string host, int status)
    {
        await using var api = await StartAsync(new AccessOptions(ApiAuth.None, true, 600, [], ["localhost", "127.0.0.1", "[::1]"]));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/security/monitors") { Headers = { Host = host } };
        using var response = await api.Http.SendAsync(request);
        Assert.That((int)response.StatusCode, Is.EqualTo(status));
    }

    [TestCase("Sec-Fetch-Site", "cross-site", 403)]
    [TestCase("Sec-Fetch-Site", "same-site", 403)]
    [TestCase("Sec-Fetch-Site", "same-origin", 404)]
    [TestCase("Origin", "http://evil.example", 403)]
    [TestCase("Origin", "null", 403)]
    [TestCase("Origin", "http://127.0.0.1:1", 403)]
    [TestCase("Origin", "", 403)]
    [TestCase("Origin", "self", 404)]
    [TestCase("Accept", "*/*", 404)]
    public async Task Page_of_another_site_cannot_act(string header, string value, int status)
    {
        await using var api = await StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/security/events/{Guid.Empty}/acknowledge")
        {
            Content = new StringContent("{}", Encoding.UTF8, "application/json"),
        };
        request.Headers.TryAddWithoutValidation(header, value == "self" ? api.Http.BaseAddress!.GetLeftPart(UriPartial.Authority) : value);
        using var response = await api.Http.SendAsync(request);
        Assert.That((int)response.StatusCode, Is.EqualTo(status));
    }

    [Test]
    public async Task Without_keys_and_open_to_others_it_does_nothing()
    {
        await using var api = await StartAsync(new AccessOptions(ApiAuth.None, IsLoopback: false, 600, [], []));
        using var refused = await api.Http.PostAsync(
            $"/security/events/{Guid.Empty}/acknowledge", new StringContent("{}", Encoding.UTF8, "application/json"));
        Assert.That((refused.StatusCode, (int)(await api.Http.GetAsync("/security/monitors")).StatusCode),
            Is.EqualTo((HttpStatusCode.Forbidden, 200)));
    }

    [Test]
    public async Task Address_without_a_key_has_its_share()
    {
        await using var api = await StartAsync(new AccessOptions(ApiAuth.None, true, 5, [], []));
        for (var i = 0; i < 5; i++)
            Assert.That((int)(await api.Http.GetAsync("/health")).StatusCode, Is.EqualTo(200));
        using var refused = await api.Http.GetAsync("/health");
        Assert.That((refused.StatusCode, refused.Headers.RetryAfter!.Delta, refused.Headers.GetValues("RateLimit-Policy").Single()),
            Is.EqualTo((HttpStatusCode.TooManyRequests, TimeSpan.FromSeconds(12), "\"address\";q=5;w=60")));
        _clock.Advance(TimeSpan.FromSeconds(12));
        Assert.That((int)(await api.Http.GetAsync("/health")).StatusCode, Is.EqualTo(200));
    }

    [Test]
    public async Task Outage_is_said_once_and_its_end_once()
    {
        await using var api = await StartAsync();
        for (var outage = 1; outage <= 2; outage++)
        {
            api.Gate.Close();
            for (var i = 0; i < 5; i++)
                Assert.That((int)(await api.Http.GetAsync("/security/events")).StatusCode, Is.EqualTo(503));
            Assert.That(api.Logs.Lines.Count(line => line.Level == LogLevel.Warning && line.Text.StartsWith("the database cannot be used")),
                Is.EqualTo(outage));
            Assert.That(api.Logs.Lines.Count(line => line.Level >= LogLevel.Warning), Is.LessThanOrEqualTo(2 * outage),
                "the feed of changes says it once, too");
            api.Gate.Open();
            while (api.Logs.Lines.Count(line => line.Text == "the database can be used again; 5 requests were answered with 503 meanwhile")
                < outage)
            {
                _clock.Advance(TimeSpan.FromSeconds(2));
                await Task.Yield();
            }
        }
    }

    [Test]
    public async Task Too_much_at_once_is_refused_at_once()
    {
        await using var api = await StartAsync(maxPoolSize: 2); // one for those who ask how it does
        await using var blocker = await _db.OpenConnectionAsync();
        await using var held = await blocker.BeginTransactionAsync();
        await blocker.ExecuteAsync("LOCK TABLE hlp_vault_snapshots IN ACCESS EXCLUSIVE MODE");

        // One is worked on, twenty wait, four are too many; those are answered while the others still wait.
        var all = Enumerable.Range(0, 25).Select(_ => api.Http.GetAsync("/security/hlp-vault")).ToList();
        var refused = new List<HttpResponseMessage>();
        while (refused.Count < 4)
        {
            var done = await Task.WhenAny(all);
            all.Remove(done);
            refused.Add(await done);
        }

        Assert.That(refused.Select(answer => (answer.StatusCode, answer.Headers.RetryAfter?.Delta)),
            Has.All.EqualTo((HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(1))));
        foreach (var path in new[] { "/health/live", "/health/ready", "/health" })
            Assert.That((int)(await api.Http.GetAsync(path)).StatusCode, Is.EqualTo(200), $"how it does is always told: {path}");
        Assert.That(await api.Http.GetStringAsync("/metrics"), Does.Contain("monitoring_database_up{} 1"));
        await held.RollbackAsync();
        foreach (var answer in await Task.WhenAll(all))
            answer.Dispose();
        Assert.That((int)(await api.Http.GetAsync("/security/monitors")).StatusCode, Is.EqualTo(200));
    }

    [Test]
    public async Task Statement_of_the_service_ends_after_5_seconds()
    {
        await using var api = await StartAsync();
        await using var connection = await api.Services.GetRequiredService<DatabaseConnections>().OpenConnectionAsync(default);
        Assert.That((await connection.QuerySingleAsync<string>("SHOW statement_timeout"), connection.CommandTimeout,
            await connection.QuerySingleAsync<string>("SELECT current_user::text")),
            Is.EqualTo(("5s", 5, "monitoring_api")));
    }

    [Test]
    public async Task Fault_inside_tells_nothing_of_the_inside()
    {
        await using var api = await StartAsync();
        await using (var connection = await _db.OpenConnectionAsync())
            await connection.ExecuteAsync("""
                CREATE OR REPLACE FUNCTION acknowledge_event(target uuid, by_actor text, from_origin text, said text,
                                                             moment timestamptz) RETURNS text
                LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RAISE EXCEPTION ''secret of the inside'' USING ERRCODE = ''22012''; END'
                """);
        using var response = await api.Http.PostAsync(
            $"/security/events/{Guid.Empty}/acknowledge", new StringContent("{}", Encoding.UTF8, "application/json"));
        var text = await response.Content.ReadAsStringAsync();
        Assert.That(((int)response.StatusCode, text.Contains("secret"), text.Contains("Exception"),
            response.Content.Headers.ContentType?.MediaType),
            Is.EqualTo((500, false, false, "application/problem+json")));
        Assert.That(api.Logs.Lines, Has.One.Matches<(LogLevel Level, string Text)>(line =>
            line.Level == LogLevel.Error && line.Text.Contains("secret of the inside")));
    }

    [Test]
    public async Task Body_that_is_too_long_is_refused_before_it_is_read()
    {
        await using var api = await StartAsync();
        using var response = await api.Http.PostAsync($"/security/events/{Guid.Empty}/acknowledge",
            new StringContent($$"""{"note":"{{new string('a', 100_000)}}"}""", Encoding.UTF8, "application/json"));
        Assert.That((response.StatusCode, (string?)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["detail"]),
            Is.EqualTo((HttpStatusCode.RequestEntityTooLarge, "The body is too long, or was not sent in time.")));
    }

    [Test]
    public async Task With_keys_no_proxy_keeps_an_answer_for_others()
    {
        await using var api = await StartAsync(new AccessOptions(ApiAuth.Keys, true, 600, [], []));
        using var refused = await api.Http.GetAsync("/security/monitors");
        Assert.That(refused.Headers.CacheControl, Is.EqualTo(CacheControlHeaderValue.Parse("no-store")));
        var key = await KeySample.AddAsync(_db, "reader", _clock.GetUtcNow(), scopes: "read");
        foreach (var (path, expected) in new[]
        {
            ("/security/monitors", "private, no-cache"), ("/badge/hlp-vault.svg", "private, max-age=15"),
            ("/app.css", "private, no-cache"), ("/openapi/v1.json", "private, no-cache"), ("/nowhere", "no-store"),
        })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path)
            {
                Headers = { Authorization = new AuthenticationHeaderValue("Bearer", key) },
            };
            using var answer = await api.Http.SendAsync(request);
            Assert.That(answer.Headers.CacheControl, Is.EqualTo(CacheControlHeaderValue.Parse(expected)), path);
        }
    }

    [TestCase("/badge/hlp-vault.svg", "cross-origin")]
    [TestCase("/", "same-origin")]
    [TestCase("/security/monitors", "same-origin")]
    public async Task Only_badges_may_be_shown_by_other_sites(string path, string policy)
    {
        await using var api = await StartAsync();
        using var answer = await api.Http.GetAsync(path);
        Assert.That(answer.Headers.GetValues("Cross-Origin-Resource-Policy").Single(), Is.EqualTo(policy));
    }
}
