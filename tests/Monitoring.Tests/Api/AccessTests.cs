using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Dapper;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Monitoring.Api.Access;
using Monitoring.Data.Access;
using Monitoring.Data.Supervision;
using Npgsql;

namespace Monitoring.Tests.Api;

/// <summary>Who is let in, and what those hear who are not.</summary>
public sealed class AccessTests
{
    private static readonly AccessOptions WithKeys = new(ApiAuth.Keys, IsLoopback: false, 600, [], []);
    private readonly ManualClock _clock = new(ManualClock.Noon);
    private NpgsqlDataSource _db = null!;
    private ApiUnderTest _api = null!;

    [SetUp]
    public async Task Start()
    {
        _db = await TestDatabase.CloneAsync();
        _api = await ApiUnderTest.StartAsync(_db, _clock, WithKeys);
    }

    [TearDown]
    public async Task Stop()
    {
        await _api.DisposeAsync();
        await TestDatabase.DropAsync(_db);
    }

    private Task<string> AddKeyAsync(string name, int rate = 600, DateTimeOffset? expires = null, params string[] scopes) =>
        KeySample.AddAsync(_db, name, _clock.GetUtcNow(), rate, expires, scopes.Length > 0 ? scopes : ["read"]);

    private async Task RevokeAsync(string name)
    {
        await using var connection = await _db.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await new ApiKeys(_db).RevokeAsync(name, "test", _clock.GetUtcNow(), transaction, default);
        await transaction.CommitAsync();
    }

    private async Task<(HttpStatusCode Status, string Text, HttpResponseHeaders Headers)> AskAsync(
        string path, string? key = null, HttpMethod? method = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, path);
        if (key is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        using var response = await _api.Http.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(), response.Headers);
    }

    private static string Basic(string user, string password) =>
        $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"))}";

    [Test]
    public async Task Nothing_but_the_two_probes_answers_without_a_key()
    {
        var key = await AddKeyAsync("docs");
        var paths = JsonNode.Parse((await AskAsync("/openapi/v1.json", key)).Text)!["paths"]!.AsObject();
        var asked = 0;
        foreach (var path in paths.Select(path => path.Key.Replace("{eventId}", Guid.Empty.ToString()).Replace("{monitor}", "m"))
            .Concat(["/", "/index.html", "/app.css", "/js/app.js", "/favicon.svg", "/docs", "/metrics", "/openapi/v1.json", "/health",
                "/health/", "/nowhere", "/HEALTH/LIVE", "/health/live/", "/health/live/..%2f..%2f", "/health/%6Cive/x"]))
        {
            if (path is "/health/live" or "/health/ready")
            {
                Assert.That((await AskAsync(path)).Status, Is.EqualTo(HttpStatusCode.OK), path);
                continue;
            }

            foreach (var method in new[] { HttpMethod.Get, HttpMethod.Post, HttpMethod.Head, HttpMethod.Options, HttpMethod.Delete })
            {
                var (status, _, headers) = await AskAsync(path, method: method);
                Assert.That((status, headers.WwwAuthenticate.Select(challenge => challenge.Scheme)),
                    Is.EqualTo((HttpStatusCode.Unauthorized, headers.WwwAuthenticate.Select(challenge => challenge.Scheme))),
                    $"{method} {path}");
                asked++;
            }
        }

        Assert.That(asked, Is.GreaterThan(100));
    }

    [Test]
    public async Task Each_way_to_send_a_key_is_offered_in_a_line_of_its_own()
    {
        var answer = await RawHttp.SendAsync(
            _api.Http.BaseAddress!, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"u8.ToArray());
        Assert.That(answer.Head.Split("\r\n").Where(line => line.StartsWith("WWW-Authenticate: ")).Select(line => line.Split(' ')[1]),
            Is.EqualTo(new[] { "Basic", "Bearer" }));
    }

    [Test]
    public async Task Key_is_taken_in_each_of_its_three_forms()
    {
        var key = await AddKeyAsync("reader");
        foreach (var header in new[]
        {
            ("Authorization", $"Bearer {key}"), ("authorization", $"bearer {key}"), ("X-API-Key", key),
            ("Authorization", Basic("", key)), ("Authorization", Basic("anybody", key)),
        })
            foreach (var path in new[] { "/security/monitors", "/", "/openapi/v1.json", "/health" })
                Assert.That((await AskAsync(path, headers: header)).Status, Is.EqualTo(HttpStatusCode.OK), $"{header} {path}");
    }

    [Test]
    public async Task Key_given_to_the_page_goes_before_the_browsers_password()
    {
        var (reads, acts) = (await AddKeyAsync("reads"), await AddKeyAsync("acts", scopes: ["operate"]));
        var both = new[] { ("X-API-Key", acts), ("Authorization", Basic("anybody", reads)) };
        Assert.That(((await AskAsync("/nowhere", method: HttpMethod.Post, headers: both)).Status,
            (await AskAsync("/health", headers: both)).Status),
            Is.EqualTo((HttpStatusCode.NotFound, HttpStatusCode.Forbidden)));
    }

    [Test]
    public async Task Whatever_is_wrong_with_a_key_the_answer_is_the_same()
    {
        var (good, other) = (await AddKeyAsync("good"), await AddKeyAsync("other"));
        var expired = await AddKeyAsync("expired", expires: _clock.GetUtcNow().AddSeconds(30));
        var revoked = await AddKeyAsync("revoked");
        Assert.That(((await AskAsync("/health", expired)).Status, (await AskAsync("/health", revoked)).Status),
            Is.EqualTo((HttpStatusCode.OK, HttpStatusCode.OK)));
        await RevokeAsync("revoked");
        _clock.Advance(TimeSpan.FromSeconds(30));

        var answers = new List<string>();
        foreach (var headers in new (string, string)[][]
        {
            [], [("Authorization", $"Bearer {expired}")], [("Authorization", $"Bearer {revoked}")],
            [("Authorization", $"Bearer {ApiKeyText.Create()}")],
            [("Authorization", $"Bearer {good[..^1]}")], [("Authorization", $"Bearer {good}A")],
            [("Authorization", $"Bearer {good[..20]}{other[20..]}")], [("Authorization", $"Bearer {good.ToUpperInvariant()}")],
            [("Authorization", "Bearer")], [("Authorization", "Bearer ")], [("Authorization", "")],
            [("Authorization", $"Digest {good}")], [("Authorization", good)], [("Authorization", "Basic %%%")],
            [("Authorization", Basic(good, ""))], [("Authorization", $"Basic {new string('A', 8000)}")], [("X-API-Key", "' OR 1=1 --")],
            [("X-API-Key", new string('m', 8000))], [("X-API-Key", good), ("X-API-Key", other)],
            [("X-API-Key", good), ("Authorization", $"Bearer {other}")], [("Cookie", $"key={good}")],
        })
        {
            var (status, text, _) = await AskAsync("/security/events", headers: headers);
            Assert.That(status, Is.EqualTo(HttpStatusCode.Unauthorized), string.Join(' ', headers));
            var problem = JsonNode.Parse(text)!.AsObject();
            problem.Remove("trace_id");
            answers.Add(problem.ToJsonString());
        }

        Assert.That(answers.Distinct(), Has.One.Items.And.All.Contains("This needs a key that is valid for it."));
        Assert.That((await AskAsync("/security/events", headers: [("X-API-Key", good), ("Authorization", $"Bearer {good}")])).Status,
            Is.EqualTo(HttpStatusCode.OK), "the same one twice");
    }

    [Test]
    public async Task Scopes_do_not_include_one_another()
    {
        var (reader, operating) = (await AddKeyAsync("reader"), await AddKeyAsync("operating", scopes: "operate"));
        var act = $"/security/events/{Guid.Empty}/acknowledge";
        Assert.That((await AskAsync(act, reader, HttpMethod.Post)).Status, Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That((await AskAsync("/security/events", operating)).Status, Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That((await AskAsync("/security/events", operating)).Text, Does.Contain("This needs a key that is valid for it."));
        Assert.That((await AskAsync(act, operating, HttpMethod.Post)).Status,
            Is.EqualTo(HttpStatusCode.UnsupportedMediaType), "past the gate");
    }

    [Test]
    public async Task The_601st_request_is_told_truly_when_to_come_again()
    {
        var (key, other) = (await AddKeyAsync("busy"), await AddKeyAsync("other"));
        for (var i = 1; i <= 600; i++)
        {
            var (status, _, headers) = await AskAsync("/health", key);
            Assert.That((status, headers.GetValues("RateLimit").Single()[..$"\"key\";r={600 - i};".Length]),
                Is.EqualTo((HttpStatusCode.OK, $"\"key\";r={600 - i};")));
        }

        var refused = await AskAsync("/health", key);
        Assert.That((refused.Status, refused.Headers.RetryAfter!.Delta,
            refused.Headers.GetValues("RateLimit-Policy").Single(), refused.Headers.GetValues("RateLimit").Single()),
            Is.EqualTo((HttpStatusCode.TooManyRequests, TimeSpan.FromSeconds(1), "\"key\";q=600;w=60", "\"key\";r=0;t=1")));
        Assert.That((await AskAsync("/health", other)).Status, Is.EqualTo(HttpStatusCode.OK), "others are not held back");
        _clock.Advance(refused.Headers.RetryAfter.Delta!.Value);
        for (var i = 0; i < 10; i++)
            Assert.That((await AskAsync("/health", key)).Status, Is.EqualTo(HttpStatusCode.OK));
        Assert.That((await AskAsync("/health", key)).Status, Is.EqualTo(HttpStatusCode.TooManyRequests));
    }

    [Test]
    public async Task Slow_key_is_told_the_whole_wait()
    {
        var key = await AddKeyAsync("slow", rate: 7);
        for (var i = 0; i < 7; i++)
            Assert.That((await AskAsync("/health", key)).Status, Is.EqualTo(HttpStatusCode.OK));
        Assert.That((await AskAsync("/health", key)).Headers.RetryAfter!.Delta, Is.EqualTo(TimeSpan.FromSeconds(9)),
            "60 s / 7, in whole seconds");
        _clock.Advance(TimeSpan.FromSeconds(8));
        Assert.That((await AskAsync("/health", key)).Headers.RetryAfter!.Delta, Is.EqualTo(TimeSpan.FromSeconds(1)));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.That((await AskAsync("/health", key)).Status, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task Guessing_keys_is_limited_by_address()
    {
        for (var i = 0; i < 600; i++)
            Assert.That((await AskAsync("/health", ApiKeyText.Create())).Status, Is.EqualTo(HttpStatusCode.Unauthorized));
        Assert.That((await AskAsync("/health", ApiKeyText.Create())).Status, Is.EqualTo(HttpStatusCode.TooManyRequests));
        Assert.That((await AskAsync("/health/live")).Status, Is.EqualTo(HttpStatusCode.OK));
        _clock.Advance(TimeSpan.FromSeconds(3));
        Assert.That((await AskAsync("/health", await AddKeyAsync("good"))).Status, Is.EqualTo(HttpStatusCode.OK),
            "a right key has its own share");
    }

    [Test]
    public async Task Revoked_key_stops_within_5_seconds_and_a_new_one_begins()
    {
        var key = await AddKeyAsync("gone");
        Assert.That((await AskAsync("/health", key)).Status, Is.EqualTo(HttpStatusCode.OK));
        await RevokeAsync("gone");
        var late = await AddKeyAsync("new");
        _clock.Advance(TimeSpan.FromSeconds(5));
        Assert.That(((await AskAsync("/health", key)).Status, (await AskAsync("/health", late)).Status),
            Is.EqualTo((HttpStatusCode.Unauthorized, HttpStatusCode.OK)));
    }

    [Test]
    public async Task Stream_ends_within_5_seconds_of_its_keys_revocation()
    {
        var clock = new ManualClock(ManualClock.Noon);
        var text = await AddKeyAsync("streaming");
        var keys = new KeyCache(new ApiKeys(_db), clock);
        using var open = new OpenRequests(keys, new Supervisor(clock, NullLogger<Supervisor>.Instance), clock);
        await open.StartAsync(default);
        var (context, connection) = (new DefaultHttpContext(), new Connection());
        context.Features.Set<IHttpRequestLifetimeFeature>(connection);
        var served = open.ServeAsync(context, (await keys.ReadAsync(default)).Find(text, clock.GetUtcNow())!, _ => connection.Cut.Task);

        for (var i = 0; i < 5; i++)
        {
            await LookAsync();
            clock.Advance(KeyCache.MaxAge);
        }

        await LookAsync();
        Assert.That(served.IsCompleted, Is.False, "while its key is valid it goes on");
        await RevokeAsync("streaming");
        var revokedAt = clock.GetUtcNow();
        for (; !connection.Cut.Task.IsCompleted; await LookAsync())
            clock.Advance(KeyCache.MaxAge);
        Assert.That(clock.GetUtcNow() - revokedAt, Is.LessThanOrEqualTo(TimeSpan.FromSeconds(5)));
        await served;
        await open.StopAsync(default);

        // It has looked when it waits for the next time.
        async Task LookAsync()
        {
            while (clock.Waiting == 0)
                await Task.Yield();
        }
    }

    [Test]
    public async Task While_keys_cannot_be_checked_nobody_is_let_in()
    {
        var key = await AddKeyAsync("reader");
        Assert.That((await AskAsync("/health", key)).Status, Is.EqualTo(HttpStatusCode.OK));
        _api.Gate.Close();
        _clock.Advance(KeyCache.MaxAge);
        var (status, _, headers) = await AskAsync("/openapi/v1.json", key);
        Assert.That((status, headers.RetryAfter?.Delta), Is.EqualTo((HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(5))));
        _api.Gate.Open();
        Assert.That((await AskAsync("/openapi/v1.json", key)).Status, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task What_needs_no_database_goes_on_for_five_minutes_with_the_keys_read_last()
    {
        var key = await AddKeyAsync("scraper");
        var expiring = await AddKeyAsync("expiring", expires: _clock.GetUtcNow().AddMinutes(1));
        Assert.That((await AskAsync("/metrics", key)).Text, Does.Contain("monitoring_database_up{} 1"));
        _api.Gate.Close();
        _clock.Advance(TimeSpan.FromMinutes(5));
        var metrics = await AskAsync("/metrics", key);
        Assert.That((metrics.Status, metrics.Text.Contains("monitoring_database_up{} 0")), Is.EqualTo((HttpStatusCode.OK, true)));
        var badge = await AskAsync("/badge/hlp-vault.svg", key);
        Assert.That((badge.Status, badge.Text.Contains("no data")), Is.EqualTo((HttpStatusCode.OK, true)));
        foreach (var wrong in new[] { null, expiring, ApiKeyText.Create() })
            Assert.That((await AskAsync("/metrics", wrong)).Status, Is.EqualTo(HttpStatusCode.Unauthorized));
        Assert.That((await AskAsync("/security/monitors", key)).Status, Is.EqualTo(HttpStatusCode.ServiceUnavailable),
            "what needs the database");

        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.That((await AskAsync("/metrics", key)).Status, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
    }

    [Test]
    public async Task Use_and_refusals_are_written_in_batches_and_refusals_never_fill_the_log()
    {
        var (key, reader) = (await AddKeyAsync("busy", scopes: ["read", "operate"]), await AddKeyAsync("reader"));
        for (var i = 0; i < 20; i++)
            await AskAsync("/health", key);
        for (var i = 0; i < 500; i++)
            await AskAsync($"/security/events/{i}", "mk_wrong");
        await AskAsync("/nowhere", reader, HttpMethod.Post);
        await using var connection = await _db.OpenConnectionAsync();
        Assert.That(await connection.QuerySingleAsync<long>("SELECT sum(requests) + (SELECT count(*) FROM audit_log) FROM api_keys"),
            Is.Zero, "nothing on the path of a request");

        _api.Gate.Close();
        var ledger = _api.Services.GetRequiredService<AccessLedger>();
        Assert.That(() => ledger.WriteAsync(default), Throws.InstanceOf<NpgsqlException>(), "is kept");
        _api.Gate.Open();
        await ledger.WriteAsync(default);
        await ledger.WriteAsync(default); // has nothing to add
        Assert.That(await connection.QuerySingleAsync<(long, DateTime)>("SELECT requests, last_used_at FROM api_keys WHERE name = 'busy'"),
            Is.EqualTo((20L, ManualClock.Noon.UtcDateTime)));
        Assert.That(await connection.QueryAsync<string>("SELECT concat_ws(' ', actor, origin, action, detail) FROM audit_log ORDER BY seq"),
            Is.EqualTo(new[]
            {
                "unknown 127.0.0.1 access.refuse 401, 500 requests since 2026-11-21T12:00:00Z, the first GET /security/events/0",
                $"unknown 127.0.0.1 key reader {reader[..11]} access.refuse 403, "
                    + "1 requests since 2026-11-21T12:00:00Z, the first POST /nowhere",
            }));
    }

    [Test]
    public async Task Many_addresses_that_are_refused_become_few_rows()
    {
        await using var behind = await ApiUnderTest.StartAsync(
            _db, _clock, WithKeys with { TrustedProxies = [IPNetwork.Parse("127.0.0.1/32")] });
        for (var i = 0; i < 100; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { { "X-Forwarded-For", $"10.0.0.{i}" } } };
            using var response = await behind.Http.SendAsync(request);
            Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.Unauthorized));
        }

        await behind.Services.GetRequiredService<AccessLedger>().WriteAsync(default);
        await using var connection = await _db.OpenConnectionAsync();
        var rows = (await connection.QueryAsync<string>("SELECT concat_ws(' ', origin, detail) FROM audit_log ORDER BY seq")).AsList();
        Assert.That((rows.Count, rows[0][..19], rows[5][..44]),
            Is.EqualTo((6, "10.0.0.0 401, 1 req", "other addresses refused, 95 requests since 2")));
    }

    [Test]
    public async Task Address_from_a_header_is_believed_of_trusted_proxies_alone()
    {
        await AskAsync("/", headers: ("X-Forwarded-For", "10.9.9.9"));
        await _api.Services.GetRequiredService<AccessLedger>().WriteAsync(default);
        await using var connection = await _db.OpenConnectionAsync();
        Assert.That(await connection.QuerySingleAsync<string>("SELECT origin FROM audit_log"), Is.EqualTo("127.0.0.1"));
    }

    private sealed class Connection : IHttpRequestLifetimeFeature
    {
        public TaskCompletionSource Cut { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public CancellationToken RequestAborted { get; set; }

        public void Abort() => Cut.TrySetResult();
    }
}
