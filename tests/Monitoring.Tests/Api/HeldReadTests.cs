using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Dapper;
using Monitoring.Data.Database;
using Npgsql;

namespace Monitoring.Tests.Api;

/// <summary>What is kept between requests: never older than the question, never fresher than the clock, and cheap.</summary>
public sealed class HeldReadTests
{
    private static readonly string[] Overviews = ["/security/dashboard", "/security/monitors", "/security/hlp-vault",
        "/security/oracle-deviations", "/health"];

    private readonly ManualClock _clock = new(RecordedDatabase.Now);
    private NpgsqlDataSource _db = null!;
    private ApiUnderTest _api = null!;

    [SetUp]
    public async Task Start()
    {
        _db = await TestDatabase.CloneAsync();
        await RecordedDatabase.FillAsync(_db);
        _api = await ApiUnderTest.StartAsync(_db, _clock);
    }

    [TearDown]
    public async Task Stop()
    {
        await _api.DisposeAsync();
        await TestDatabase.DropAsync(_db);
    }

    private async Task WriteAsync(string sql)
    {
        await using var connection = await _db.OpenConnectionAsync();
        Assert.That(await connection.ExecuteAsync(sql), Is.GreaterThan(0), sql);
    }

    private static IEnumerable<TestCaseData> Writes()
    {
        TestCaseData Of(string name, string sql, string path, string shown) => new TestCaseData(sql, path, shown).SetArgDisplayNames(name);
        yield return Of("an event opens", """
            INSERT INTO security_events (event_id, fingerprint, monitor, rule_id, rule_version, threat_type, severity, status, subject,
                title, description,
                                         indicators, related_addresses, occurrences, clean_checks, first_seen_at, last_seen_at, judged_at)
            VALUES (gen_random_uuid(), 'new', 'oracle', 'oracle.deviation', 1, 'oracle_deviation', 'low', 'open', 'X', 't', 'd', '{}',
                '{}', 1, 0,
                    '2026-11-21T12:00Z', '2026-11-21T12:00Z', '2026-11-21T12:00Z')
            """, "/security/dashboard", "\"low\":1");
        yield return Of("an event is resolved", """
            UPDATE security_events SET status = 'resolved', resolved_at = judged_at WHERE severity = 'info' AND status = 'open'
            """, "/security/dashboard", "\"info\":0,\"total\":5");
        yield return Of("a check run", """
            INSERT INTO check_runs (monitor, scheduled_at, trigger, started_at, finished_at, outcome, observations, findings, error, worker)
            VALUES ('never-ran', '2026-11-21T12:00Z', 'grid', '2026-11-21T12:00Z', '2026-11-21T12:00Z', 'succeeded', 0, 0, NULL, 'w')
            """, "/security/monitors", "\"name\":\"never-ran\",\"interval_seconds\":60,\"state\":\"fresh\"");
        yield return Of("a monitor is registered", """
            INSERT INTO monitors (monitor, interval_seconds, interval_since) VALUES ('another', 60, '2026-11-21T11:00Z')
            """, "/health", "\"another\":\"never\"");
        yield return Of("a snapshot", """
            INSERT INTO hlp_vault_snapshots (vault_address, observed_at, venue_at, account_value, total_value_locked, all_time_pnl,
                drawdown_pct,
                                             max_drawdown_pct, loss_score, drawdown_score, volatility_score, anomaly_score, is_healthy,
                                                 health_issues)
            VALUES ('0xdfc2', '2026-11-21T12:00:05Z', '2026-11-21T12:00:05Z', 4711.5, 1, 1, 0, 0, 0, 0, 0, 0, true, '{}')
            """, "/security/hlp-vault", "4711.5");
        yield return Of("a component", """
            UPDATE hlp_vault_components SET positions = 77 WHERE component_address = '0xc1' AND observed_at = '2026-11-21T12:00Z'
            """, "/security/dashboard", "\"positions\":77");
        yield return Of("a deviation", """
            UPDATE oracle_deviations SET asset = 'NEW' WHERE asset = 'SOL' AND observed_at = '2026-11-21T11:58Z'
            """, "/security/oracle-deviations?active_only=false", "\"asset\":\"NEW\"");
        yield return Of("a liquidation", """
            UPDATE liquidations SET notional_usd = 7000000000000 WHERE tid = 100000000
            """, "/security/dashboard", "\"notional_usd\":7000000");
        yield return Of("a pattern", """
            UPDATE liquidation_patterns SET affected_users = 4711 WHERE start_time = '2026-11-21T11:58Z'
            """, "/security/dashboard", "\"affected_users\":4711");
        yield return Of("a notification", """
            UPDATE notifications SET status = 'dead', dead_at = '2026-11-21T11:59Z', next_attempt_at = NULL WHERE status = 'pending'
            """, "/security/dashboard", "\"notifications\":{\"pending\":0");
        yield return Of("a channel", """
            UPDATE notification_channels SET last_error = 'now gone' WHERE channel = 'slack'
            """, "/security/dashboard", "now gone");
        yield return Of("a channel's test", """
            INSERT INTO channel_tests (test_id, channel, tested_at, outcome) VALUES (gen_random_uuid(), 'webhook', '2026-11-21T11:59:59Z',
                'delivered')
            """, "/security/dashboard", "\"channel\":\"webhook\",\"is_configured\":false,\"proven_at\":\"2026-11-21T11:59:59Z\"");
        yield return Of("a worker's pulse, of an age that stays 0 for a while", """
            INSERT INTO worker_pulses VALUES ('h/1', '1', now(), now() + interval '10 seconds')
            """, "/health", "\"state\":\"alive\"");
        yield return Of("rows are dropped", """
            DELETE FROM hlp_vault_snapshots WHERE observed_at > '2026-11-21T11:50Z'
            """, "/security/hlp-vault", "\"timestamp\":\"2026-11-21T11:50:00Z\"");
    }

    [TestCaseSource(nameof(Writes))]
    public async Task What_is_committed_is_seen_by_the_next_request_of_every_service(string sql, string path, string shown)
    {
        await using var other = await ApiUnderTest.StartAsync(_db, _clock);
        foreach (var api in new[] { _api, other, _api, other })
            Assert.That(await api.Http.GetStringAsync(path), Does.Not.Contain(shown));
        await WriteAsync(sql);
        var first = await _api.Http.GetStringAsync(path);
        Assert.That(first, Does.Contain(shown));
        Assert.That(await other.Http.GetStringAsync(path), Is.EqualTo(first));
    }

    [Test]
    public async Task What_is_kept_gives_the_answers_of_a_service_that_has_just_started_at_every_moment()
    {
        foreach (var step in new[] { 0, 0.5, 1, 2, 7, 30, 61, 299.75, 1800, 3600, 21_600, 43_200, 86_400 })
        {
            _clock.Advance(TimeSpan.FromSeconds(step));
            await using var fresh = await ApiUnderTest.StartAsync(_db, _clock);
            foreach (var path in Overviews)
                Assert.That(await _api.Http.GetStringAsync(path), Is.EqualTo(await fresh.Http.GetStringAsync(path)),
                    $"{path} at {_clock.GetUtcNow():O}");
        }
    }

    [Test]
    public async Task Monitor_becomes_stale_by_time_alone_and_so_does_the_entity_tag()
    {
        // Its last success was at 12:00, it runs every 10 s, and is blind after a minute. Nothing writes.
        await WriteAsync("DELETE FROM monitors WHERE monitor <> 'watchdog'");
        _clock.Advance(TimeSpan.FromSeconds(50)); // 57.25 s
        var before = await _api.Http.GetAsync("/health");
        Assert.That((string)JsonNode.Parse(await before.Content.ReadAsStringAsync())!["monitors"]!["watchdog"]!, Is.EqualTo("late"));
        _clock.Advance(TimeSpan.FromSeconds(2.5)); // 59.75 s
        Assert.That((await AskAsync("/health", before.Headers.ETag!)).StatusCode, Is.EqualTo(HttpStatusCode.NotModified));
        _clock.Advance(TimeSpan.FromSeconds(0.25));
        var at = await AskAsync("/health", before.Headers.ETag!);
        Assert.That((at.StatusCode, (string)JsonNode.Parse(await at.Content.ReadAsStringAsync())!["monitors"]!["watchdog"]!),
            Is.EqualTo((HttpStatusCode.OK, "stale")));

        var monitors = await _api.Http.GetAsync("/security/monitors");
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.That((await AskAsync("/security/monitors", monitors.Headers.ETag!)).StatusCode, Is.EqualTo(HttpStatusCode.OK),
            "an age is a second older");
        Assert.That((string)(await _api.GetAsync("/security/dashboard"))["overall_risk"]!["parts"]!.AsArray()[^1]!["detail"]!,
            Does.Contain("blind: no recent"));
    }

    [Test, NonParallelizable] // the mark moves with every commit on the server, those of other tests too
    public async Task Overview_is_one_round_trip_and_while_nothing_changes_one_tiny_statement()
    {
        await TestDatabase.UntilQuietAsync();
        using var trips = new RoundTrips(_db);
        foreach (var path in new[] { "/security/dashboard", "/security/monitors", "/metrics" })
        {
            await _api.Http.GetStringAsync(path);
            var first = trips.Take();
            Assert.That(first, Has.Count.EqualTo(1), $"{path}, first: {string.Join("; ", first)}");
            await _api.Http.GetStringAsync(path);
            Assert.That(trips.Take(), Is.EqualTo(new[] { ChangeMark.FindSql }), $"{path}, unchanged");
        }

        // Where every request finds something new, looking first would be one round trip too many.
        await WriteAsync("UPDATE notification_channels SET last_error = 'a'");
        await _api.Http.GetStringAsync("/security/dashboard");
        await WriteAsync("UPDATE notification_channels SET last_error = 'b'");
        trips.Take(); // the write itself
        Assert.That(await _api.Http.GetStringAsync("/security/dashboard"), Does.Contain("\"last_error\":\"b\""));
        var sent = trips.Take();
        Assert.That(sent, Has.Count.EqualTo(1), $"a change after a change: {string.Join("; ", sent)}");
    }

    [Test]
    public async Task Requests_at_the_same_time_have_the_same_answer()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => _api.Http.GetStringAsync("/security/dashboard")));
        Assert.That(answers.Distinct().Count(), Is.EqualTo(1));
    }

    [Test]
    public async Task Nothing_is_answered_from_memory_while_the_database_is_away()
    {
        await _api.GetAsync("/security/dashboard");
        _api.Gate.Close();
        using var away = await _api.Http.GetAsync("/security/dashboard");
        Assert.That(away.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
        _api.Gate.Open();
        await _api.GetAsync("/security/dashboard");
    }

    [Test]
    public async Task Fault_of_one_statement_leaves_a_connection_that_can_be_used()
    {
        await using var single = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(TestDatabase.ConnectionTo(_db).ConnectionString)
        {
            MaxPoolSize = 1, NoResetOnClose = true,
        });
        var bad = new DatabaseBatch();
        bad.Add<Edge>("SELECT 1 / 0");
        await Assert.ThatAsync(() => bad.SendAsync(single, default), Throws.InstanceOf<PostgresException>());
        var good = new DatabaseBatch();
        var rows = good.Add<Edge>("SELECT @at AS at", ("at", RecordedDatabase.Now));
        await good.SendAsync(single, default);
        Assert.That(rows.Only!.At, Is.EqualTo(RecordedDatabase.Now));
    }

    private async Task<HttpResponseMessage> AskAsync(string path, EntityTagHeaderValue known)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { IfNoneMatch = { known } } };
        return await _api.Http.SendAsync(request);
    }

    /// <summary>The statements sent to one database by whoever reads it through the service: a batch counts once.</summary>
    private sealed class RoundTrips : IDisposable
    {
        private readonly ConcurrentQueue<string> _sent = [];
        private readonly ActivityListener _listener;

        public RoundTrips(NpgsqlDataSource db)
        {
            var name = new NpgsqlConnectionStringBuilder(db.ConnectionString).Database;
            _listener = new ActivityListener
            {
                ShouldListenTo = source => source.Name == "Npgsql",
                Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
                ActivityStopped = activity =>
                {
                    var tags = activity.TagObjects.ToDictionary(tag => tag.Key, tag => tag.Value);
                    if ((tags.GetValueOrDefault("db.namespace") ?? tags.GetValueOrDefault("db.name")) as string == name
                        && (tags.GetValueOrDefault("db.query.text") ?? tags.GetValueOrDefault("db.statement")) is string text
                        // The follower of the changes reads by itself, the first connection asks whether a pooler is in between, a new one
                        // is given its settings, and one that was idle is asked whether it still lives.
                        && text != "SELECT 1" && !text.StartsWith("SET ", StringComparison.Ordinal)
                        && !text.Contains("security_event_change", StringComparison.Ordinal)
                        && !text.Contains("pg_backend_pid", StringComparison.Ordinal))
                        _sent.Enqueue(text);
                },
            };
            ActivitySource.AddActivityListener(_listener);
        }

        public List<string> Take()
        {
            var sent = _sent.ToList();
            _sent.Clear();
            return sent;
        }

        public void Dispose() => _listener.Dispose();
    }
}
