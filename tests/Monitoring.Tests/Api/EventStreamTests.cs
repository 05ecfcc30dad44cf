using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text.Json.Nodes;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Monitoring.Api.Security;
using Monitoring.Data.Events;
using Monitoring.Tests.Database;
using Npgsql;

namespace Monitoring.Tests.Api;

[SuppressMessage("Security", "CA5394", Justification = "where a client is cut needs no secret")]
public sealed class EventStreamTests
{
    private static readonly Guid Event = Guid.NewGuid();
    private NpgsqlDataSource _db = null!;
    private ApiUnderTest _api = null!;

    [SetUp]
    public async Task Start()
    {
        _db = await TestDatabase.CloneAsync();
        await using (var connection = await _db.OpenConnectionAsync())
            await connection.ExecuteAsync("""
                INSERT INTO security_events (event_id, fingerprint, monitor, rule_id, rule_version, threat_type, severity, status, subject,
                                             title, description, indicators, related_addresses, occurrences, clean_checks, first_seen_at,
                                             last_seen_at, judged_at)
                VALUES (@Event, 'f', 'm', 'r', 1, 't', 'low', 'open', 's', E'two\nlines', 'd', '{}', '{}', 1, 0, now(), now(), now())
                """, new { Event });
        _api = await ApiUnderTest.StartAsync(_db, TimeProvider.System);
    }

    [TearDown]
    public async Task Stop()
    {
        await _api.DisposeAsync();
        await TestDatabase.DropAsync(_db);
    }

    private async Task AppendAsync(string note, bool keep = true)
    {
        await using var connection = await _db.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await transaction.SendAsync(batch => SecurityEventChanges.Append(batch,
            [new SecurityEventChange(0, Event, ManualClock.Noon, null, ChangeKind.Escalated, Severity.High, "rule", note, "{}")]));
        if (keep)
            await transaction.CommitAsync();
    }

    private async Task<EventStreamClient> ConnectAsync(string? lastId = null)
    {
        var client = new EventStreamClient(_api.Http) { LastId = lastId };
        await client.ConnectAsync();
        return client;
    }

    [Test]
    public async Task Change_comes_with_its_number_its_kind_and_its_event()
    {
        using var client = await ConnectAsync();
        Assert.That(await client.ReadAsync(onlyPosition: true), Is.EqualTo(new StreamMessage("0", "message", "")));
        await AppendAsync("why");
        var message = (await client.ReadAsync())!;
        var data = JsonNode.Parse(message.Data)!;
        Assert.That(
            (message.Id, message.Kind, (long)data["change"]!["seq"]!, (string?)data["change"]!["note"], (string?)data["event"]!["title"]),
            Is.EqualTo(("1", "escalated", 1L, "why", "two\nlines")));
        Assert.That((client.Headers.CacheControl?.NoStore, client.Headers.GetValues("X-Accel-Buffering").Single()),
            Is.EqualTo(((bool?)true, "no")), "no proxy keeps it or waits for more");
    }

    [Test]
    public async Task Every_client_gets_every_change_once_and_in_order_however_often_it_is_cut()
    {
        const int writers = 8, each = 1000;
        var writing = Task.WhenAll(Enumerable.Range(0, writers).Select(async writer =>
        {
            var random = new Random(writer);
            for (var i = 0; i < each; i++)
            {
                if (random.Next(20) == 0)
                    await AppendAsync("rolled back", keep: false);
                await AppendAsync($"{writer}:{i}");
            }
        }));
        var reading = Task.WhenAll(Enumerable.Range(0, 4).Select(n => ReadCutAtRandomAsync(new Random(100 + n), writers * each)));
        await writing;
        foreach (var (seen, cuts) in await reading)
        {
            Assert.That(seen.Select(message => long.Parse(message.Id!)),
                Is.EqualTo(Enumerable.Range(1, writers * each).Select(n => (long)n)));
            Assert.That(cuts, Is.GreaterThan(20));
            Assert.That(seen.Select(message => (string)JsonNode.Parse(message.Data)!["change"]!["note"]!),
                Is.Unique.And.None.EqualTo("rolled back"));
        }
    }

    private async Task<(List<StreamMessage> Seen, int Cuts)> ReadCutAtRandomAsync(Random random, int until)
    {
        using var client = new EventStreamClient(_api.Http) { LastId = "0" };
        var seen = new List<StreamMessage>();
        for (var cuts = 0; ; cuts++)
        {
            await client.ConnectAsync();
            for (var left = random.Next(1, 400); left > 0; left--)
            {
                seen.Add((await client.ReadAsync())!);
                if (seen.Count == until)
                    return (seen, cuts);
            }

            client.Cut();
        }
    }

    [Test]
    public async Task Five_hundred_clients_hear_of_a_change_at_once()
    {
        var clients = await Task.WhenAll(Enumerable.Range(0, 500).Select(_ => ConnectAsync()));
        var reading = clients.Select(client => client.ReadAsync()).ToList();
        await AppendAsync("one");
        Assert.That((await Task.WhenAll(reading)).Select(message => message!.Id), Is.All.EqualTo("1"));
        foreach (var client in clients)
            client.Dispose();
    }

    [TestCase("abc")]
    [TestCase("-1")]
    [TestCase("1.5")]
    [TestCase("9999999999999999999")]
    [TestCase("1; DROP TABLE monitors")]
    public async Task Malformed_last_id_is_refused(string id)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/security/events/stream");
        request.Headers.TryAddWithoutValidation("Last-Event-ID", id);
        using var response = await _api.Http.SendAsync(request);
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
        Assert.That(JsonNode.Parse(await response.Content.ReadAsStringAsync())!["errors"]!["Last-Event-ID"], Is.Not.Null);
    }

    [Test]
    public async Task What_is_no_longer_kept_is_said_and_so_is_an_id_that_was_never_given()
    {
        for (var i = 0; i < 5; i++)
            await AppendAsync($"{i}");
        await using (var connection = await _db.OpenConnectionAsync())
            await connection.ExecuteAsync("DELETE FROM security_event_changes WHERE seq <= 3");
        using var old = await ConnectAsync("1");
        Assert.That(await old.ReadAsync(), Is.EqualTo(new StreamMessage("3", "removed", """{"from_seq":2,"to_seq":3}""")));
        Assert.That(((await old.ReadAsync())!.Id, (await old.ReadAsync())!.Id), Is.EqualTo(("4", "5")));

        using var future = await ConnectAsync("77");
        Assert.That(await future.ReadAsync(), Is.EqualTo(new StreamMessage("5", "reset", """{"asked_for":77,"newest":5}""")));
    }

    // To where three changes had been seen; then some more are written.
    private async Task PutBackAsync(int written)
    {
        await using var connection = await _db.OpenConnectionAsync();
        await connection.ExecuteAsync($"""
            BEGIN;
            DELETE FROM security_event_changes WHERE seq > 3;
            UPDATE security_event_change_counter SET last_seq = 3;
            INSERT INTO security_event_changes (event_id, changed_at, kind, severity, actor)
            SELECT '{Event}', now(), 'escalated', 'low', 'rule' FROM generate_series(1, {written});
            NOTIFY security_event_changes;
            COMMIT
            """);
    }

    [TestCase(0)]
    [TestCase(2)]
    [TestCase(3)]
    public async Task Stream_that_begins_before_the_first_look_of_the_feed_hears_that_the_database_was_put_back(int written)
    {
        for (var i = 1; i <= 5; i++)
            await AppendAsync($"{i}");
        using var feed = ActivatorUtilities.CreateInstance<ChangeFeed>(_api.Services);
        Assert.That(await feed.FindNewestSeqAsync(0, default), Is.EqualTo(5));
        await PutBackAsync(written);
        var moved = feed.Moved;
        await feed.StartAsync(default);
        await moved.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.That(feed.Reset, Is.EqualTo(new FeedReset(1, 3 + written)));
        await feed.StopAsync(default);
    }

    [TestCase(0)]
    [TestCase(2)]
    [TestCase(3)]
    public async Task Database_that_was_put_back_resets_every_stream_and_its_new_changes_come(int written)
    {
        for (var i = 1; i <= 5; i++)
            await AppendAsync($"{i}");
        using var stays = await ConnectAsync("4");
        Assert.That((await stays.ReadAsync())!.Id, Is.EqualTo("5"));

        // The standby had seen three; before the service finds out, some more are written there.
        await PutBackAsync(written);
        var newest = 3 + written;
        Assert.That(await stays.ReadAsync(),
            Is.EqualTo(new StreamMessage($"{Math.Min(5, newest)}", "reset", $$"""{"asked_for":5,"newest":{{newest}}}""")));
        using var returns = await ConnectAsync("77");
        Assert.That(await returns.ReadAsync(),
            Is.EqualTo(new StreamMessage($"{newest}", "reset", $$"""{"asked_for":77,"newest":{{newest}}}""")));
        await AppendAsync("after");
        Assert.That((await returns.ReadAsync())!.Id, Is.EqualTo($"{newest + 1}"));
        for (var seq = Math.Min(5, newest) + 1; seq <= newest + 1; seq++)
            Assert.That((await stays.ReadAsync())!.Id, Is.EqualTo($"{seq}"));
    }

    [Test]
    public async Task Newest_change_that_is_no_longer_kept_is_no_reset()
    {
        for (var i = 1; i <= 3; i++)
            await AppendAsync($"{i}");
        using var client = await ConnectAsync("2");
        Assert.That((await client.ReadAsync())!.Id, Is.EqualTo("3"));
        await using (var connection = await _db.OpenConnectionAsync())
            await connection.ExecuteAsync("DELETE FROM security_event_changes; NOTIFY security_event_changes");
        await AppendAsync("next");
        Assert.That(((await client.ReadAsync())!.Kind, client.LastId), Is.EqualTo(("escalated", "4")));
        using var again = await ConnectAsync("4");
        await AppendAsync("last");
        Assert.That((await again.ReadAsync())!.Kind, Is.EqualTo("escalated"));
    }

    [Test]
    public async Task Stream_outlives_the_database_and_skips_nothing()
    {
        using var client = await ConnectAsync();
        await AppendAsync("before");
        Assert.That((await client.ReadAsync())!.Id, Is.EqualTo("1"));
        _api.Gate.Close();
        Assert.That(await client.ReadAsync(), Is.EqualTo(new StreamMessage(null, "database", """{"available":false}""")));
        await AppendAsync("meanwhile");
        _api.Gate.Open();
        var next = new[] { await client.ReadAsync(), await client.ReadAsync() };
        Assert.That(next.Select(message => message!.Kind), Is.EquivalentTo(new[] { "database", "escalated" }));
        Assert.That(client.LastId, Is.EqualTo("2"));
    }

    [Test]
    public async Task Slow_client_costs_no_memory_and_gets_all()
    {
        using var slow = await ConnectAsync("0");
        await using (var connection = await _db.OpenConnectionAsync())
            await connection.ExecuteAsync("""
                INSERT INTO security_event_changes (event_id, changed_at, kind, severity, actor, note)
                SELECT @Event, now(), 'escalated', 'low', 'rule', repeat('x', 2000) FROM generate_series(1, 3000)
                """, new { Event });
        using var fast = await ConnectAsync("2999");
        Assert.That((await fast.ReadAsync())!.Id, Is.EqualTo("3000")); // by now the slow one's answer is far behind what the feed keeps
        for (var seq = 1; seq <= 3000; seq++)
            Assert.That((await slow.ReadAsync())!.Id, Is.EqualTo($"{seq}"));
    }
}
