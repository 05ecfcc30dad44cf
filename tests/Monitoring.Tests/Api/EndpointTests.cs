using System.Net;
using System.Text.Json.Nodes;
using Dapper;
using Monitoring.Data.Checks;
using Monitoring.Data.Database;
using Monitoring.Data.Events;
using Monitoring.Tests.Events;
using Monitoring.Tests.Venues;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Recording;
using Monitoring.Worker.Venues.HlpVault;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Monitoring.Tests.Api;

public sealed class EndpointTests
{
    private static readonly DateTimeOffset Noon = ManualClock.Noon;
    private readonly ManualClock _clock = new(Noon.AddHours(1));
    private NpgsqlDataSource _db = null!;
    private ApiUnderTest _api = null!;

    [SetUp]
    public async Task Start()
    {
        _db = await TestDatabase.CloneAsync();
        _api = await ApiUnderTest.StartAsync(_db, _clock);
    }

    [TearDown]
    public async Task Stop()
    {
        await _api.DisposeAsync();
        await TestDatabase.DropAsync(_db);
    }

    // An hour at five minutes: twelve checks, the fifth failed, a loss from the eighth on.
    private async Task FillAsync()
    {
        await new MonitorTable(_db).RegisterAsync("hlp-vault", TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(1), Noon, default);
        var recorder = new ServiceCollection().AddSingleton(_db).AddMonitoringTables().AddSingleton(new EventOptions(3, Severity.High))
            .AddSingleton<TimeProvider>(_clock).AddSingleton(new NotificationRouting([], Severity.High, []))
            .AddSingleton<DatabaseRecorder>().BuildServiceProvider().GetRequiredService<DatabaseRecorder>();
        for (var i = 0; i < 12; i++)
        {
            var at = Noon.AddMinutes(5 * i);
            var measures = Sample.Measures(
                pnl1h: i < 7 ? -10 : -3_000_000, capital: 100_000_000 + i, score: i < 7 ? new(1, 2, 3) : new(40, 9.123m, 30));
            var snapshot = Sample.Snapshot(at, measures, i < 7 ? [] : ["the anomaly score is 79.1 of 100"]);
            await recorder.WriteAsync(i == 4
                ? ResultSample.Of("hlp-vault", at, CheckOutcome.Failed, [], [])
                : ResultSample.Of("hlp-vault", at, CheckOutcome.Succeeded,
                    HlpVaultRules.Evaluate(snapshot, measures, HlpVaultThresholds.Default), [], snapshot,
                    new Monitoring.Data.Venues.HlpVaultComponent(Sample.Vault, "0xc1", at, -1.5m, 2, 3, 4)), default);
        }
    }

    [Test]
    public async Task Vault_is_answered_with_its_age_and_components()
    {
        await FillAsync();
        var snapshot = (await _api.GetAsync("/security/hlp-vault"))["snapshot"]!;
        Assert.That(((string?)snapshot["timestamp"], (double?)snapshot["age_seconds"], (decimal?)snapshot["account_value"],
            (decimal?)snapshot["pnl_1h"], (decimal?)snapshot["anomaly_score"], (bool?)snapshot["is_healthy"]),
            Is.EqualTo(("2026-11-21T12:55:00Z", 300d, 100_000_011m, -3_000_000m, 79.123m, false)));
        Assert.That(snapshot["components"]!.ToJsonString(),
            Is.EqualTo("""[{"vault_address":"0xc1","account_value":-1.5,"total_notional_usd":2,"unrealized_pnl":3,"positions":4}]"""));
    }

    [Test]
    public async Task History_is_paged_to_its_end_newest_first_without_a_row_twice()
    {
        await FillAsync();
        var seen = new List<string>();
        for (var path = "/security/hlp-vault/history?limit=4"; ;)
        {
            var page = await _api.GetAsync(path);
            seen.AddRange(page["snapshots"]!.AsArray().Select(row => (string)row!["timestamp"]!));
            Assert.That((int)page["count"]!, Is.EqualTo(page["snapshots"]!.AsArray().Count));
            if ((string?)page["next"] is not { } next)
                break;
            path = $"/security/hlp-vault/history?limit=4&before={next}";
        }

        Assert.That(seen, Has.Count.EqualTo(11).And.Unique.And.Ordered.Descending);
        Assert.That((int)(await _api.GetAsync("/security/hlp-vault/history?hours=1"))["count"]!, Is.EqualTo(11));
        _clock.Advance(TimeSpan.FromMinutes(30));
        Assert.That((int)(await _api.GetAsync("/security/hlp-vault/history?hours=1"))["count"]!, Is.EqualTo(6));
    }

    [Test]
    public async Task Statistics_count_gaps_and_health()
    {
        await FillAsync();
        var sums = await _api.GetAsync("/security/hlp-vault/statistics?days=1");
        Assert.That(((long)sums["total_snapshots"]!, (decimal)sums["min_account_value"]!, (decimal)sums["max_account_value"]!,
            (long)sums["unhealthy_snapshots"]!, (decimal)sums["health_rate"]!, (long)sums["gaps"]!),
            Is.EqualTo((11L, 100_000_000m, 100_000_011m, 5L, 0.545455m, 1L)));
    }

    [Test]
    public async Task Days_whose_ledger_is_gone_and_the_check_at_work_are_no_gaps()
    {
        await FillAsync();
        await using (var connection = await _db.OpenConnectionAsync())
            await connection.ExecuteAsync("UPDATE monitors SET interval_since = '2026-08-01Z'");
        Assert.That(await GapsAsync(), Is.EqualTo(Enumerable.Repeat(12 * 12 + 1, 3)), "the kept day began with twelve hours of nothing");
        _clock.Advance(TimeSpan.FromSeconds(59));
        Assert.That(await GapsAsync(), Is.EqualTo(Enumerable.Repeat(12 * 12 + 1, 3)), "the check of 13:00 may take a minute");
        _clock.Advance(TimeSpan.FromSeconds(2));
        Assert.That(await GapsAsync(), Is.EqualTo(Enumerable.Repeat(12 * 12 + 2, 3)));
        _clock.Advance(TimeSpan.FromMinutes(58));
        Assert.That((await _api.Http.GetStringAsync("/metrics")).Split('\n'),
            Has.Member("monitoring_monitor_gaps_last_hour{monitor=\"hlp-vault\"} 12"), "those of 13:00 to 13:55");

        async Task<int[]> GapsAsync() =>
        [
            (int)(await _api.GetAsync("/security/hlp-vault/statistics?days=90"))["gaps"]!,
            (int)(await _api.GetAsync("/security/monitors?hours=168"))["monitors"]![0]!["gaps"]!,
            (await _api.GetAsync("/security/monitors?hours=168"))["monitors"]![0]!["gap_spans"]!.AsArray()
                .Where(span => (string)span!["reason"]! is "worker_down" or "source_down").Sum(span => (int)span!["count"]!),
        ];
    }

    [Test]
    public async Task Events_have_their_changes_and_can_be_explained()
    {
        await FillAsync();
        var events = (await _api.GetAsync("/security/events?severity=critical&status=open"))["events"]!.AsArray();
        Assert.That(events.Select(e => (string)e!["rule_id"]!), Is.EquivalentTo(new[] { "hlp.loss", "hlp.anomaly" }));
        var loss = events.Single(e => (string)e!["rule_id"]! == "hlp.loss")!;
        Assert.That(((long)loss["occurrences"]!, (bool)loss["is_active"]!, (string)loss["threat_type"]!,
            (decimal)loss["indicators"]!["pnl_1h_usd"]!, (string)loss["affected_addresses"]![0]!),
            Is.EqualTo((5L, true, "hlp_exploitation", -3_000_000m, Sample.Vault)));

        var one = await _api.GetAsync($"/security/events/{loss["id"]}");
        Assert.That(one["changes"]!.AsArray().Select(change => (string)change!["kind"]!), Is.EqualTo(new[] { "opened" }));
        var why = await _api.GetAsync($"/security/events/{loss["id"]}/explain");
        Assert.That(((string)why["rule"]!["id"]!, (int)why["rule"]!["version"]!,
            (decimal)why["thresholds"]!["critical_usd"]!, (decimal)why["values"]!["pnl_1h_usd"]!),
            Is.EqualTo(("hlp.loss", 1, -2_000_000m, -3_000_000m)));
        Assert.That(why["arithmetic"]!.AsArray().Select(line => (string)line!), Has.Some.Contains("reaches both thresholds of critical"));
        Assert.That(((string)why["evidence"]![0]!["table"]!, (string)why["evidence"]![0]!["row"]!["timestamp"]!),
            Is.EqualTo(("hlp_vault_snapshots", "2026-11-21T12:35:00Z")));
    }

    [Test]
    public async Task Stored_events_are_filtered_and_paged()
    {
        await FillAsync();
        var all = await _api.GetAsync("/security/events/database?threat_type=hlp_exploitation&limit=1");
        var rest = await _api.GetAsync($"/security/events/database?threat_type=hlp_exploitation&limit=1&before={all["next"]}");
        Assert.That(all["events"]!.AsArray().Concat(rest["events"]!.AsArray()).Select(e => (string)e!["rule_id"]!),
            Is.EquivalentTo(new[] { "hlp.loss", "hlp.anomaly" }));
        Assert.That((int)(await _api.GetAsync("/security/events/database?severity=low"))["count"]!, Is.Zero);
        _clock.Advance(TimeSpan.FromHours(2));
        Assert.That((int)(await _api.GetAsync("/security/events/database?hours=1"))["count"]!, Is.Zero);
    }

    [Test]
    public async Task Open_events_come_before_newer_resolved_ones()
    {
        await FillAsync();
        await using (var connection = await _db.OpenConnectionAsync())
            await connection.ExecuteAsync("""
                INSERT INTO security_events (event_id, fingerprint, monitor, rule_id, rule_version, threat_type, severity, status, subject,
                                             title, description, indicators, related_addresses, occurrences, clean_checks, first_seen_at,
                                             last_seen_at, judged_at, resolved_at)
                SELECT gen_random_uuid(), 'f' || n, 'm', 'r', 1, 't', 'low', 'resolved', 's', '<b>', 'd', '{}', '{}', 1, 3, at, at, at, at
                  FROM generate_series(1, 5) AS n, LATERAL (SELECT '2026-11-21T12:58:00Z'::timestamptz + n * interval '1 second' AS at) AS t
                """);
        var statuses = new List<string>();
        for (var path = "/security/events?limit=2"; path is not null;)
        {
            var page = await _api.GetAsync(path);
            statuses.AddRange(page["events"]!.AsArray().Select(e => (string)e!["status"]!));
            path = (string?)page["next"] is { } next ? $"/security/events?limit=2&before={next}" : null;
        }

        Assert.That(statuses, Is.EqualTo(Enumerable.Repeat("open", 2).Concat(Enumerable.Repeat("resolved", 5))));
    }

    [Test]
    public async Task Monitors_tell_fresh_from_blind()
    {
        await FillAsync();
        var monitor = (await _api.GetAsync("/security/monitors"))["monitors"]![0]!;
        Assert.That(((string)monitor["state"]!, (long)monitor["runs"]!, (long)monitor["failures"]!,
            (long)monitor["gaps"]!, (string)monitor["last_error"]!, (double)monitor["p50_ms"]!),
            Is.EqualTo(("fresh", 12L, 1L, 1L, "because", 20d)));
        foreach (var (minutes, state) in new[] { (5, "late"), (5, "stale") })
        {
            _clock.Advance(TimeSpan.FromMinutes(minutes));
            Assert.That((string)(await _api.GetAsync("/security/monitors"))["monitors"]![0]!["state"]!, Is.EqualTo(state));
        }

        Assert.That((long)(await _api.GetAsync("/security/monitors"))["monitors"]![0]!["gaps"]!, Is.EqualTo(3));
        Assert.That((string)(await _api.GetAsync("/health"))["status"]!, Is.EqualTo("degraded"));
    }

    [Test]
    public async Task Dashboard_names_the_part_that_decided()
    {
        var empty = await _api.GetAsync("/security/dashboard");
        Assert.That(((decimal)empty["overall_risk"]!["score"]!, (string)empty["overall_risk"]!["decided_by"]!,
            (string)empty["overall_risk"]!["level"]!, empty["hlp_vault"]),
            Is.EqualTo((60m, "blind", "HIGH", (JsonNode?)null)));
        await FillAsync();
        var burning = await _api.GetAsync("/security/dashboard");
        Assert.That(((decimal)burning["overall_risk"]!["score"]!, (string)burning["overall_risk"]!["decided_by"]!,
            (string)burning["overall_risk"]!["level"]!),
            Is.EqualTo((90m, "open_events", "CRITICAL")));
        Assert.That(((long)burning["open_events"]!["critical"]!, (long)burning["open_events"]!["total"]!,
            (bool)burning["database"]!["database_enabled"]!, (long)burning["database"]!["hlp_statistics_30d"]!["total_snapshots"]!,
            (long)burning["database"]!["security_events_24h"]!["total"]!),
            Is.EqualTo((2L, 2L, true, 11L, 2L)));
    }

    [Test]
    public async Task Nothing_stored_is_said_and_not_made_up()
    {
        using var response = await _api.Http.GetAsync("/security/hlp-vault");
        Assert.That((response.StatusCode, response.Content.Headers.ContentType?.MediaType),
            Is.EqualTo((HttpStatusCode.NotFound, "application/problem+json")));
        Assert.That((int)(await _api.GetAsync("/security/hlp-vault/history"))["count"]!, Is.Zero);
        Assert.That((await _api.GetAsync("/security/hlp-vault/statistics"))["health_rate"], Is.Null);
        using var none = await _api.Http.GetAsync($"/security/events/{Guid.Empty}/explain");
        Assert.That(none.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
    }

    [Test]
    public async Task Unchanged_answer_is_304()
    {
        await FillAsync();
        foreach (var path in new[]
        {
            "/security/hlp-vault/history", "/security/events", "/security/monitors", "/security/dashboard",
            "/health/live", "/openapi/v1.json", "/",
        })
        {
            using var first = await _api.Http.GetAsync(path);
            using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { IfNoneMatch = { first.Headers.ETag! } } };
            using var second = await _api.Http.SendAsync(request);
            Assert.That((second.StatusCode, (await second.Content.ReadAsByteArrayAsync()).Length),
                Is.EqualTo((HttpStatusCode.NotModified, 0)), path);
        }
    }

    [TestCase("text/csv", "timestamp,venue_time,vault_address,account_value")]
    [TestCase("application/x-ndjson", "{\"timestamp\":\"2026-11-21T12:55:00Z\"")]
    public async Task Rows_come_in_the_form_that_is_asked_for(string form, string start)
    {
        await FillAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/security/hlp-vault/history?limit=3")
        {
            Headers = { Accept = { new(form) } },
        };
        using var response = await _api.Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.That((response.Content.Headers.ContentType!.MediaType, text.TrimEnd().Split('\n').Length),
            Is.EqualTo((form, form == "text/csv" ? 4 : 3)));
        Assert.That(text, Does.StartWith(start));
    }

    [Test]
    public async Task Database_that_goes_away_is_503_and_comes_back_without_a_restart()
    {
        await FillAsync();
        _api.Gate.Close();
        foreach (var path in new[]
        {
            "/security/dashboard", "/security/hlp-vault", "/security/hlp-vault/history", "/security/hlp-vault/statistics",
            "/security/events", "/security/events/database", $"/security/events/{Guid.Empty}", $"/security/events/{Guid.Empty}/explain",
            "/security/monitors", "/health", "/health/ready",
        })
        {
            using var response = await _api.Http.GetAsync(path);
            var problem = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
            Assert.That((response.StatusCode, response.Headers.RetryAfter?.Delta,
                response.Content.Headers.ContentType?.MediaType, (string?)problem["title"]),
                Is.EqualTo((HttpStatusCode.ServiceUnavailable, (TimeSpan?)TimeSpan.FromSeconds(5),
                    "application/problem+json", "The database cannot be used")),
                path);
        }

        Assert.That((string)(await _api.GetAsync("/health/live"))["status"]!, Is.EqualTo("live"));
        _api.Gate.Open();
        Assert.That((string)(await _api.GetAsync("/health/ready"))["status"]!, Is.EqualTo("ready"));
        Assert.That((bool)(await _api.GetAsync("/security/dashboard"))["success"]!, Is.True);
    }

    [Test]
    public async Task Schema_that_is_too_old_is_not_ready()
    {
        await TestDatabase.Commands(_db).ToAsync(202611210910, default);
        using var response = await _api.Http.GetAsync("/health/ready");
        Assert.That((response.StatusCode, await response.Content.ReadAsStringAsync()),
            Is.EqualTo((HttpStatusCode.ServiceUnavailable, await response.Content.ReadAsStringAsync())));
        Assert.That(await response.Content.ReadAsStringAsync(), Does.Contain("run Monitoring.Migrations up"));
        using var rows = await _api.Http.GetAsync("/security/hlp-vault");
        Assert.That(rows.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
    }
}
