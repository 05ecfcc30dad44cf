using System.Net;
using System.Net.Sockets;
using System.Text;
using Dapper;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Monitoring.Api.Access;
using Monitoring.Api.Http;
using Monitoring.Api.Security;
using Npgsql;

namespace Monitoring.Tests.Api;

/// <summary>What connections, bodies and streams may take from others.</summary>
public sealed class RequestBoundsTests
{
    private static readonly AccessOptions WithoutKeys = new(ApiAuth.None, IsLoopback: true, 1_000_000, [], []);
    private readonly ManualClock _clock = new(ManualClock.Noon);
    private NpgsqlDataSource _db = null!;

    [SetUp]
    public async Task CloneDatabase() => _db = await TestDatabase.CloneAsync();

    [TearDown]
    public Task DropDatabase() => TestDatabase.DropAsync(_db);

    [Test]
    public void Connection_that_is_idle_for_longest_makes_room_for_a_new_one()
    {
        var connections = new Connections(new ConnectionLimits(most: 4, mostPerAddress: 2, [IPNetwork.Parse("10.0.0.1/32")]));
        var (first, second) = (connections.Open("192.0.2.1"), connections.Open("192.0.2.1"));
        var third = connections.Open("192.0.2.1");
        Assert.That((first.IsAborted, second.IsAborted, third.IsAborted), Is.EqualTo((true, false, false)), "two of an address");
        connections.Limits.Begin(second.Request);
        var fourth = connections.Open("192.0.2.1");
        Assert.That((second.IsAborted, third.IsAborted), Is.EqualTo((false, true)), "not one that is being answered");
        connections.Limits.Begin(fourth.Request);
        Assert.That(connections.Open("192.0.2.1").IsAborted, Is.True, "all of the address are being answered");
        connections.Limits.End(second.Request);
        Assert.That((connections.Open("192.0.2.1").IsAborted, second.IsAborted), Is.EqualTo((false, true)));
        foreach (var _ in Enumerable.Range(0, 10))
            Assert.That(connections.Open("10.0.0.1").IsAborted, Is.False, "a trusted proxy carries many callers");
        Assert.That(connections.Limits.Count, Is.EqualTo(4));
    }

    [Test]
    public async Task Silent_connections_shut_out_nobody()
    {
        await using var api = await ApiUnderTest.StartAsync(_db, _clock);
        var silent = new List<TcpClient>();
        for (var i = 0; i < ConnectionLimits.MostPerAddress + 100; i++)
        {
            var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", api.Http.BaseAddress!.Port);
            silent.Add(client);
        }

        foreach (var path in new[] { "/health/live", "/health/ready", "/security/monitors" })
            Assert.That((int)(await api.Http.GetAsync(path)).StatusCode, Is.EqualTo(200), path);
        Assert.That(api.Services.GetRequiredService<ConnectionLimits>().Count,
            Is.InRange(ConnectionLimits.MostPerAddress / 2, ConnectionLimits.MostPerAddress), "each has a place or made room");
        foreach (var client in silent)
            client.Dispose();
    }

    [Test]
    public async Task Slow_bodies_keep_nobody_from_reading_and_are_given_up()
    {
        await using var api = await ApiUnderTest.StartAsync(_db, _clock, maxPoolSize: 2); // one permit
        var slow = await Task.WhenAll(Enumerable.Range(0, 30).Select(async _ =>
        {
            var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", api.Http.BaseAddress!.Port);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"POST /security/events/{Guid.Empty}/acknowledge HTTP/1.1\r\n"
                + "Host: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"note"));
            return client;
        }));
        for (var i = 0; i < 5; i++)
            Assert.That((int)(await api.Http.GetAsync("/security/monitors")).StatusCode, Is.EqualTo(200));
        foreach (var client in slow)
        {
            var buffer = new byte[4096];
            var reading = client.GetStream().ReadAsync(buffer).AsTask();
            await _clock.AdvanceUntilDoneAsync(reading, WholeBodies.Deadline);
            Assert.That(Encoding.ASCII.GetString(buffer, 0, await reading),
                Does.StartWith("HTTP/1.1 408 ").And.Contain("Connection: close"));
            client.Dispose();
        }
    }

    [Test]
    public async Task Each_caller_has_so_many_streams_and_no_more()
    {
        await using var api = await ApiUnderTest.StartAsync(_db, _clock, WithoutKeys with { StreamsPerCaller = 3 });
        var open = new List<HttpResponseMessage>();
        for (var i = 0; i < 3; i++)
            open.Add(await ConnectAsync(api));
        Assert.That(open.Select(answer => answer.StatusCode), Has.All.EqualTo(HttpStatusCode.OK));
        using var refused = await ConnectAsync(api);
        Assert.That((refused.StatusCode, refused.Headers.RetryAfter?.Delta),
            Is.EqualTo((HttpStatusCode.TooManyRequests, TimeSpan.FromSeconds(10))));
        Assert.That(await refused.Content.ReadAsStringAsync(), Does.Contain("This address has 3 streams open"));
        open[0].Dispose();
        while ((await ConnectAsync(api)).StatusCode != HttpStatusCode.OK)
            await Task.Yield();

        static Task<HttpResponseMessage> ConnectAsync(ApiUnderTest api) => api.Http.SendAsync(
            new HttpRequestMessage(HttpMethod.Get, "/security/events/stream"), HttpCompletionOption.ResponseHeadersRead);
    }

    [Test]
    public async Task Stream_that_nobody_reads_is_cut_and_frees_its_place()
    {
        var id = Guid.CreateVersion7();
        await using (var connection = await _db.OpenConnectionAsync())
        {
            await connection.ExecuteAsync(Access.EventSample.InsertSql, new { id, fingerprint = "r:s" });
            await connection.ExecuteAsync("UPDATE security_events SET description = repeat('x', 200000)");
            await connection.ExecuteAsync("""
                INSERT INTO security_event_changes (event_id, changed_at, kind, severity, actor)
                SELECT @id, '2026-11-21Z', 'escalated', 'high', 'worker' FROM generate_series(1, 200)
                """, new { id });
        }

        await using var api = await ApiUnderTest.StartAsync(_db, _clock);
        using var client = new TcpClient { ReceiveBufferSize = 4096 };
        await client.ConnectAsync("127.0.0.1", api.Http.BaseAddress!.Port);
        await client.GetStream().WriteAsync(
            "GET /security/events/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nLast-Event-ID: 0\r\n\r\n"u8.ToArray());
        var feed = api.Services.GetRequiredService<ChangeFeed>();
        while (Volatile.Read(ref feed.Streams) == 0)
            await Task.Yield();
        while (Volatile.Read(ref feed.Streams) > 0)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.That((int)(await api.Http.GetAsync("/health/live")).StatusCode, Is.EqualTo(200));
    }

    [Test]
    public async Task Browser_is_asked_for_its_key_however_much_its_address_asks()
    {
        await using var api = await ApiUnderTest.StartAsync(_db, _clock, new AccessOptions(ApiAuth.Keys, true, 5, [], []));
        async Task<HttpResponseMessage> AskAsync(string? key)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/");
            if (key is not null)
                request.Headers.Add("X-API-Key", key);
            return await api.Http.SendAsync(request);
        }

        for (var i = 0; i < 5; i++)
            Assert.That((int)(await AskAsync("wrong")).StatusCode, Is.EqualTo(401));
        Assert.That((int)(await AskAsync("wrong")).StatusCode, Is.EqualTo(429), "guessing is limited");
        using var first = await AskAsync(null);
        Assert.That((first.StatusCode, first.Headers.WwwAuthenticate.First().Scheme), Is.EqualTo((HttpStatusCode.Unauthorized, "Basic")));
    }

    // Connections as the server makes them, without any.
    private sealed class Connections(ConnectionLimits limits)
    {
        public ConnectionLimits Limits => limits;

        public Connection Open(string address)
        {
            var connection = new Connection { RemoteEndPoint = new IPEndPoint(IPAddress.Parse(address), 1) };
            _ = limits.Guard(_ => connection.Closed)(connection);
            return connection;
        }
    }

    private sealed class Connection : DefaultConnectionContext
    {
        private readonly TaskCompletionSource _closed = new();

        public bool IsAborted { get; private set; }

        public Task Closed => _closed.Task;

        public HttpContext Request => new DefaultHttpContext(new FeatureCollection(Features));

        public override void Abort(ConnectionAbortedException abortReason)
        {
            IsAborted = true;
            _closed.TrySetResult();
        }
    }
}
