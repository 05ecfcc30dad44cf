using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Monitoring.Data.Checks;
using Monitoring.Data.Database;
using Monitoring.Data.Events;
using Monitoring.Data.Notifications;
using Monitoring.Tests.Events;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Recording;

namespace Monitoring.Tests.Api;

public sealed class NotificationEndpointTests
{
    [Test]
    public async Task Event_and_dashboard_say_who_was_told_who_waits_and_what_was_lost()
    {
        var clock = new ManualClock(ManualClock.Noon);
        var db = await TestDatabase.CloneAsync();
        await using var api = await ApiUnderTest.StartAsync(db, clock);
        var recorder = new ServiceCollection().AddSingleton(db).AddMonitoringTables()
            .AddSingleton(new EventOptions(3, Severity.High)).AddSingleton<TimeProvider>(clock)
            .AddSingleton(new NotificationRouting(["email", "slack", "webhook"], Severity.High, []))
            .AddSingleton<DatabaseRecorder>().BuildServiceProvider().GetRequiredService<DatabaseRecorder>();
        await recorder.WriteAsync(
            ResultSample.Of("m", ManualClock.Noon, CheckOutcome.Succeeded, [ResultSample.Finding("r", "s", Severity.High)], []), default);
        await new NotificationChannelTable(db).RegisterAsync(
            ["email", "slack", "webhook"], ManualClock.Noon, ManualClock.Noon.AddDays(-1), "e", default);
        var claims = new NotificationClaims(db);
        foreach (var (channel, dead) in new[] { ("slack", false), ("email", true) })
        {
            var claimed = await claims.ClaimAsync(
                channel,
                new ClaimTerms("w", ManualClock.Noon, ManualClock.Noon, ManualClock.Noon, TimeSpan.Zero, TimeSpan.Zero, []),
                8, [], [], default);
            await (dead ? claims.MarkDeadAsync(channel, claimed[0].MessageId, ManualClock.Noon, "HTTP 404", default)
                : claims.MarkDeliveredAsync(channel, claimed[0].MessageId, ManualClock.Noon, ManualClock.Noon, default));
        }

        clock.Advance(TimeSpan.FromSeconds(90));
        var eventId = await QueryAsync<Guid>("SELECT event_id FROM security_events");
        var rows = (await api.GetAsync($"/security/events/{eventId}"))["notifications"]!.AsArray();
        Assert.That(rows.Select(row => $"{row!["channel"]} {row["kind"]} {row["status"]} {row["last_error"]}"),
            Is.EqualTo(new[] { "email opened dead HTTP 404", "slack opened delivered ", "webhook opened pending " }));

        var view = (await api.GetAsync("/security/dashboard"))["notifications"]!;
        Assert.That(((long)view["pending"]!, (double)view["oldest_pending_age_seconds"]!, (long)view["dead_24h"]!),
            Is.EqualTo((1L, 90.0, 1L)));
        Assert.That(view["channels"]!.AsArray()
            .Select(c => $"{c!["channel"]} {c["pending"]} {c["dead_24h"]} {c["last_delivered_at"]} {c["last_error"]}"),
            Is.EqualTo(new[] { "email 0 1  HTTP 404", "slack 0 0 2026-11-21T12:00:00Z ", "webhook 1 0  " }));

        Assert.That(await ConfiguredAsync(), Is.EqualTo("email true true, slack true true, webhook true true"));
        clock.Advance(TimeSpan.FromMinutes(4));
        await new NotificationChannelTable(db).RegisterAsync(["slack"], clock.GetUtcNow(), ManualClock.Noon.AddDays(-1), "e", default);
        Assert.That(await ConfiguredAsync(), Is.EqualTo("email false false, slack true true, webhook false false"),
            "a worker that stopped, or was given other channels");

        await QueryAsync<int>("INSERT INTO silences (fingerprint, until, created_by, created_at) "
            + "VALUES ('r:s', '2026-11-22Z', 'ann', '2026-11-21Z') RETURNING 1");
        Assert.That((long)(await api.GetAsync("/security/dashboard"))["notifications"]!["pending"]!, Is.Zero);
        await TestDatabase.DropAsync(db);

        async Task<string> ConfiguredAsync()
        {
            var dashboard = await api.GetAsync("/security/dashboard");
            return string.Join(", ", dashboard["channels"]!.AsArray().Zip(dashboard["notifications"]!["channels"]!.AsArray())
                .Select(both => $"{both.First!["channel"]} {both.First["is_configured"]} {both.Second!["is_configured"]}"));
        }

        async Task<T> QueryAsync<T>(string sql)
        {
            await using var connection = await db.OpenConnectionAsync();
            return await connection.QuerySingleAsync<T>(sql);
        }
    }
}
