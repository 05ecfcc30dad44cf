using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Monitoring.Data.Checks;
using Monitoring.Data.Database;
using Monitoring.Data.Events;
using Monitoring.Data.Notifications;
using Monitoring.Tests.Api;
using Monitoring.Tests.Events;
using Monitoring.Worker.Events;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Recording;
using Monitoring.Worker.Watching;
using Npgsql;

namespace Monitoring.Tests.Access;

/// <summary>Functions that the read service's account may call, with values that nobody means, and what the programs do then.</summary>
public sealed class HostileValueTests
{
    private static readonly DateTimeOffset Noon = ManualClock.Noon;
    private readonly Guid _id = Guid.CreateVersion7();
    private readonly Guid _key = Guid.NewGuid();
    private NpgsqlDataSource _db = null!;

    [SetUp]
    public async Task OpenEvent()
    {
        _db = await TestDatabase.CloneAsync();
        await using var connection = await _db.OpenConnectionAsync();
        await connection.ExecuteAsync(EventSample.InsertSql, new { id = _id, fingerprint = "r:s" });
        await connection.ExecuteAsync("""
            INSERT INTO api_keys (key_id, name, prefix, key_hash, scopes, requests_per_minute, created_at, created_by)
            VALUES (@_key, 'k', 'mk_k', sha256('k'), '{read}', 600, '2026-11-21Z', 'test')
            """, new { _key });
    }

    [TearDown]
    public Task DropDatabase() => TestDatabase.DropAsync(_db);

    // Forty texts, and as SQL, so that the database sees them as they are.
    private static readonly string[] Texts =
    [
        "NULL", "''", "' '", "repeat(' ', 3000)", @"E'\n'", @"E'\t\r\n'", @"E'a\u001b[31mred\u001b[0m'", @"E'\u202Egnp.exe'",
        @"E'\u2066a\u2069'", @"E'\u0007\u0008\u007f'", @"E'\u009b31m'", @"E'\u200e\u200f\u061c'", @"E'\ufeff'", @"E'a\u2028b\u2029c'",
        "repeat('x', 65)",
        "repeat('x', 201)", "repeat('x', 2001)", "repeat('x', 3000000)", "repeat('€', 2000)", "repeat('🙂', 2001)",
        @"repeat(E'\u202E', 100000)", "'''; DROP TABLE security_events; --'", "'%s%s%n'", "'{\"a\":1}'", "'<script>alert(1)</script>'",
        "'=1+1'", "'@everyone <!channel>'", @"E'\\\\x00'", "'../../etc/passwd'", "'$(reboot)'", @"E'a\u0301'", @"E'\u1F600'", "'NaN'",
        "'infinity'", "'-1'", "'0'", "'true'", "repeat(E'a\\n', 999)", "convert_from('\\xf48fbfbf', 'UTF8')", "'ada'",
    ];

    private static readonly string[] Times =
    [
        "NULL", "'infinity'", "'-infinity'", "'4713-01-01 BC'", "'294276-12-31'", "'0001-01-01 BC'", "'0001-01-01'", "'1582-10-15'",
        "'1900-01-01'", "'1969-12-31'", "'1970-01-01'", "'2000-01-01'", "'2024-01-01'", "'2025-11-20'", "'2026-11-21 12:00Z'",
        "'9999-12-31'",
        "'10000-01-01'", "'2262-04-12'", "'2038-01-19'", "now()", "now() + interval '1 second'", "now() - interval '1 second'",
        "now() + interval '1 day'", "now() - interval '1 day'", "now() + interval '27 days'", "now() - interval '27 days'",
        "now() + interval '365 days'", "now() - interval '365 days'", "now() + interval '367 days'", "now() - interval '367 days'",
        "now() + interval '10 years'", "now() - interval '10 years'", "now() + interval '100000 years'", "'2026-11-21 12:00:00.1234567Z'",
        "'2026-11-21 24:00Z'", "'2026-11-21 12:00+14'", "'2026-11-21 12:00-14'", "'epoch'", "'2026-02-28 23:59:60Z'", "'2027-01-01'",
    ];

    private static readonly string[] Ids =
    [
        "NULL", "'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'", "gen_random_uuid()",
        .. Enumerable.Range(0, 36).Select(i => $"md5('{i}')::uuid"),
    ];

    private static readonly string[] Counts =
    [
        "NULL", "ARRAY[NULL]", "'{}'", "ARRAY[0]", "ARRAY[-1]", "ARRAY[9223372036854775807]", "ARRAY[-9223372036854775808]", "ARRAY[1,2]",
        "ARRAY[[1],[2]]", "array_fill(1, ARRAY[50000])",
        .. Enumerable.Range(0, 30).Select(i => $"ARRAY[{(i % 2 == 0 ? "" : "-")}{1UL << (2 * i)}::bigint]"),
    ];

    private static IEnumerable<string> ArraysOf(string[] values, string type) =>
    [
        .. values.Select(value => $"ARRAY[{value}]::{type}[]"), $"NULL::{type}[]", $"ARRAY[]::{type}[]",
        $"array_fill({values[^1]}::{type}, ARRAY[30000])",
    ];

    // Each parameter in turn takes every hostile value; the others are as they should be.
    private IEnumerable<string> Calls()
    {
        (string Name, (string Good, IEnumerable<string> Hostile)[] Parameters)[] functions =
        [
            ("acknowledge_event", [Id, Actor, Actor, Note, Moment]), ("resolve_event", [Id, Actor, Actor, Note, Moment]),
            ("silence_event",
                [("'r:s'", Texts), ("now() + interval '1 hour'", Times.Select(at => $"({at})::timestamptz")), Actor, Actor, Note, Moment]),
            ("record_key_usage", [($"ARRAY['{_key}']::uuid[]", ArraysOf(Ids, "uuid")),
                ("ARRAY[1]::bigint[]", Counts.Select(n => $"{n}::bigint[]")), ("ARRAY[now()]", ArraysOf(Times, "timestamptz"))]),
            ("record_refusals", [("ARRAY['10.0.0.1']", ArraysOf(Texts, "text")), ("ARRAY['401']", ArraysOf(Texts, "text"))]),
        ];
        foreach (var (name, parameters) in functions)
            for (var i = 0; i < parameters.Length; i++)
                foreach (var hostile in parameters[i].Hostile)
                    yield return $"SELECT * FROM {name}("
                        + string.Join(", ", parameters.Select((p, place) => place == i ? hostile : p.Good)) + ")";
    }

    private (string, IEnumerable<string>) Id => ($"'{_id}'", Ids.Select(id => $"{id}::uuid"));

    private static (string, IEnumerable<string>) Actor => ("'ada'", Texts);

    private static (string, IEnumerable<string>) Note => ("'why'", Texts);

    private static (string, IEnumerable<string>) Moment => ("now()", Times.Select(at => $"({at})::timestamptz"));

    [Test]
    public async Task Whatever_is_given_to_a_function_is_refused_or_stored_harmlessly_and_both_programs_go_on()
    {
        await using (var connection = await _db.OpenConnectionAsync())
        {
            await connection.ExecuteAsync("SET ROLE monitoring_api");
            var (calls, refused) = (0, 0);
            foreach (var call in Calls())
            {
                calls++;
                try
                {
                    await connection.ExecuteAsync(call);
                }
                catch (PostgresException fault)
                {
                    refused++;
                    // 22023 is ours; the others are values that are not of their type at all.
                    Assert.That(fault.SqlState, Is.AnyOf("22023", "22007", "22008", "22021"), $"{call}: {fault.MessageText}");
                }

                // Open again, so that every call has something to do.
                await connection.ExecuteAsync("RESET ROLE");
                await AssertHarmlessAsync(connection, OfEvent);
                await connection.ExecuteAsync("""
                    UPDATE security_events
                       SET status = 'open', acknowledged_at = NULL, acknowledged_by = NULL, resolved_at = NULL, resolution = NULL;
                    SET ROLE monitoring_api;
                    """);
            }

            Assert.That(calls, Is.GreaterThan(800));
            Assert.That(refused, Is.InRange(100, calls - 100));
            await connection.ExecuteAsync("RESET ROLE");
            await AssertHarmlessAsync(connection, OfLists);
        }

        await AssertProgramsGoOnAsync(unreadable: 0);
    }

    private static readonly string[] OfEvent =
    [
        "SELECT acknowledged_by, acknowledged_at FROM security_events", "SELECT resolution, resolved_at FROM security_events",
        "SELECT NULL, last_used_at FROM api_keys WHERE requests BETWEEN 0 AND 2000000000000000000",
    ];

    private static readonly string[] OfLists =
    [
        .. OfEvent, "SELECT actor, changed_at FROM security_event_changes", "SELECT note, NULL FROM security_event_changes",
        "SELECT created_by, created_at FROM silences", "SELECT note, until FROM silences", "SELECT NULL, ended_at FROM silences",
        "SELECT actor, recorded_at FROM audit_log", "SELECT origin, NULL FROM audit_log", "SELECT detail, NULL FROM audit_log",
    ];

    private static async Task AssertHarmlessAsync(NpgsqlConnection connection, string[] columns)
    {
        var bad = await connection.QueryAsync<string>($"""
            SELECT concat_ws(' ', text, at)
              FROM ({string.Join(" UNION ALL ", columns)}) AS stored (text, at)
             WHERE length(text) > 2100 OR text ~ '[\u0001-\u001F\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]'
                OR NOT isfinite(at) OR at > now() + interval '733 days' OR at < now() - interval '733 days'
            """);
        Assert.That(bad, Is.Empty);
        Assert.That(await connection.QuerySingleAsync<bool>("SELECT bool_and(requests BETWEEN 0 AND 2000000000000000000) FROM api_keys"),
            Is.True);
    }

    // A row per kind of harm that an older version could store, each beside good ones.
    [Test]
    public async Task Row_that_cannot_be_read_is_one_row()
    {
        var bad = new List<Guid>();
        await using (var connection = await _db.OpenConnectionAsync())
        {
            foreach (var harm in new[]
            {
                "acknowledged_at = 'infinity', acknowledged_by = 'x', status = 'acknowledged'", "last_seen_at = 'infinity'",
                "judged_at = '-infinity'", "judged_at = '290000-01-01'", "estimated_loss_usd = 'NaN'", "estimated_loss_usd = 1e40",
                "resolved_at = 'infinity', status = 'resolved'", "related_addresses = '{{a},{b}}'",
            })
            {
                var id = Guid.CreateVersion7();
                bad.Add(id);
                await connection.ExecuteAsync(EventSample.InsertSql, new { id, fingerprint = $"r:{id}" });
                await connection.ExecuteAsync($"UPDATE security_events SET {harm} WHERE event_id = @id", new { id });
            }

            await connection.ExecuteAsync("""
                UPDATE security_events SET resolution = repeat('x', 3000000) WHERE event_id = @_id;
                INSERT INTO silences (fingerprint, until, note, created_by, created_at)
                VALUES ('r:x', 'infinity', repeat('x', 3000000), repeat('y', 1000), '2026-11-21Z'),
                       ('r:y', '2027-01-01Z', 'n', 'ada', '2026-11-21Z');
                INSERT INTO notification_channels (channel, configured_at) VALUES ('webhook', now());
                """, new { _id });
            foreach (var id in bad.Append(_id))
                await connection.ExecuteAsync("""
                    INSERT INTO security_event_changes (event_id, changed_at, kind, severity, actor, note, evidence)
                    VALUES (@id, '2026-11-21Z', 'opened', 'high', 'worker', repeat('n', 3000000), '{}');
                    INSERT INTO notifications (event_id, seq, channel, kind, severity, created_at)
                    SELECT event_id, seq, 'webhook', kind, severity, changed_at FROM security_event_changes WHERE event_id = @id;
                    """, new { id });
        }

        await AssertProgramsGoOnAsync(bad.Count);
    }

    private async Task AssertProgramsGoOnAsync(int unreadable)
    {
        await using (var api = await ApiUnderTest.StartAsync(_db, new ManualClock(Noon)))
        {
            foreach (var path in new[]
            {
                "/security/events", "/security/events?limit=1", $"/security/events/{_id}", "/security/events/database?hours=168",
                "/security/silences?active_only=false", "/security/dashboard", "/security/monitors", "/health",
            })
                Assert.That(await api.GetAsync(path), Is.Not.Null, path);
            var events = (await api.GetAsync("/security/events"))["events"]!.AsArray();
            Assert.That(events.Select(e => (string)e!["id"]!), Is.EquivalentTo(new[] { $"{_id}" }));
            Assert.That((string)(await api.GetAsync("/security/events?limit=1"))["events"]![0]!["id"]!, Is.EqualTo($"{_id}"),
                "a row that is left out does not shorten the page");
            var silences = unreadable > 0 ? 1 : 0;
            Assert.That(await api.Http.GetStringAsync("/metrics"), Does.Contain($"monitoring_unreadable_rows{{}} {unreadable + silences}"));
            Assert.That(api.Logs.Lines.Count(line => line.Level == LogLevel.Error && line.Text.Contains("security_events cannot be read")),
                Is.EqualTo(unreadable));
        }

        await using var worker = new ServiceCollection().AddSingleton(_db).AddMonitoringTables()
            .AddSingleton(new EventOptions(3, Severity.High)).AddSingleton<TimeProvider>(new ManualClock(Noon))
            .AddSingleton(new NotificationRouting([], Severity.High, [])).AddSingleton<DatabaseRecorder>()
            .AddSingleton(provider => new EventSnapshot(
                provider.GetRequiredService<EventOptions>(), provider.GetRequiredService<Data.Rules.RuleCatalog>(),
                provider.GetRequiredService<NotificationRouting>(), new ManualClock(Noon)))
            .AddSingleton<EventSnapshotRefresh>().AddSingleton<UnreadableRowsHealth>().BuildServiceProvider();
        await worker.GetRequiredService<EventSnapshotRefresh>().RefreshIfDueAsync(default);
        Assert.That(worker.GetRequiredService<EventSnapshot>().Open.Select(e => e.EventId), Is.SubsetOf(new[] { _id }));
        var said = await worker.GetRequiredService<UnreadableRowsHealth>().LookAsync(Noon, default);
        Assert.That(said.Select(finding => finding.Subject.Text), unreadable > 0 ? Is.EqualTo(new[] { "security_events" }) : Is.Empty);

        var claimed = await worker.GetRequiredService<NotificationClaims>().ClaimAsync(
            "webhook",
            new ClaimTerms("w", Noon, Noon.AddSeconds(15), Noon.AddDays(1), TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(10), []),
            8, [], [], default);
        Assert.That(claimed.All(row => row.Note is null or { Length: <= 2000 }), Is.True);
        // What is found of an event whose row cannot be read is told anew.
        await using var connection = await _db.OpenConnectionAsync();
        var fingerprints =
            (await connection.QueryAsync<string>("SELECT DISTINCT fingerprint FROM security_events ORDER BY fingerprint")).AsList();
        await worker.GetRequiredService<DatabaseRecorder>().WriteAsync(ResultSample.Of("m", Noon, CheckOutcome.Succeeded,
            [.. fingerprints.Select(text => ResultSample.Finding("r", text[2..], Severity.High))], []), default);
        var open = (await worker.GetRequiredService<SecurityEvents>().ListKnownAsync(Noon, 100, default))
            .Where(e => e.Status != EventStatus.Resolved).Select(e => e.Fingerprint).ToList();
        Assert.That(open, Is.SupersetOf(fingerprints.Where(text => text != "r:s")));
    }
}
