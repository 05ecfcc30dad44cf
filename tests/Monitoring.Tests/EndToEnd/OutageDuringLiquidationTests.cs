using System.Text.Json.Nodes;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Recording;

namespace Monitoring.Tests.EndToEnd;

/// <summary>
/// The database is away for five minutes while a position is handed to the vault: simulator, worker, PostgreSQL behind a gate, and a real
/// receiver of the webhook.
/// </summary>
public sealed class OutageDuringLiquidationTests
{
    [Test]
    public async Task Critical_message_leaves_in_time_and_everything_is_stored_once_when_the_database_is_back()
    {
        var clock = new ManualClock(ManualClock.Noon);
        await using var receiver = await ReceiverUnderTest.StartAsync();
        var db = await TestDatabase.CloneAsync();
        var connection = TestDatabase.ConnectionTo(db);
        await using var gate = new TcpGate(connection.Host!, connection.Port);
        (connection.Host, connection.Port) = ("127.0.0.1", gate.Port);
        var worker = await WorkerUnderTest.CreateAsync(clock, "whale-liquidation",
            settings: [("DATABASE_URL", connection.ConnectionString), ("WEBHOOK_URL", $"{receiver.Url}/hook"),
                ("WEBHOOK_SECRET", "a secret of this test alone")]);
        try
        {
            var notifier = worker.Services.GetServices<IHostedService>().OfType<Notifier>().Single();
            await notifier.StartAsync(default);
            var arrivals = new Dictionary<string, double>();
            for (var second = 0; second <= 320; second += second < 100 ? 2 : 10)
            {
                if (second == 10)
                    gate.Close();
                await worker.CheckAsync(ManualClock.Noon.AddSeconds(second));
                if (second >= 10)
                    await FlushAsync(worker);
                foreach (var entry in Changes(receiver).Where(change => (string)change["kind"]! == "opened"))
                    arrivals.TryAdd((string)entry["rule_id"]!, second);
                clock.Advance(TimeSpan.FromSeconds(second < 100 ? 2 : 10));
            }

            const double TwoMillionLost = 27 + 12.5; // as the scenario's notes say
            foreach (var rule in new[] { "hlp.loss", "hlp.anomaly" })
                Assert.That(arrivals[rule] - TwoMillionLost, Is.LessThanOrEqualTo(15), rule);
            Assert.That(arrivals["database.away"] - 10, Is.LessThanOrEqualTo(15), "the outage began at second 10");

            await notifier.StopAsync(default); // what is not urgent waits for the database, and would leave now
            gate.Open();
            await worker.Services.GetRequiredService<RecordingPipeline>().DrainAsync(default);
            await using var stored = await db.OpenConnectionAsync();
            Assert.That(await stored.QueryAsync<double>("SELECT extract(epoch FROM observed_at - '2026-11-21 12:00Z')::float8 "
                + "FROM hlp_vault_snapshots ORDER BY recorded_at, observed_at"),
                Is.EqualTo(Enumerable.Range(0, 50).Select(i => 2d * i).Concat(Enumerable.Range(10, 23).Select(i => 10d * i))),
                "all rows of the outage, in order");
            Assert.That(
                Changes(receiver).Where(change => (string)change["kind"]! == "opened").Select(change => (string)change["event_id"]!),
                Is.Unique);
            Assert.That(await stored.QueryAsync<string>("SELECT DISTINCT rule_id || ' ' || n.status FROM notifications AS n "
                + "JOIN security_events AS e USING (event_id) WHERE kind IN ('opened', 'escalated') AND (e.severity = 'critical' OR "
                + "rule_id = 'database.away')"),
                Is.EquivalentTo(arrivals.Keys.Select(rule => $"{rule} delivered")), "nothing is left for the outbox to open a second time");
            Assert.That(await stored.QueryAsync<string>(
                "SELECT event_id::text FROM security_events WHERE severity = 'critical' OR rule_id = 'database.away'"),
                Is.EquivalentTo(
                    Changes(receiver).Where(change => (string)change["kind"]! == "opened").Select(change => (string)change["event_id"]!)),
                "the event that was told of is the one that is stored");
        }
        finally
        {
            await worker.DisposeAsync();
            await gate.DisposeAsync();
            await TestDatabase.DropAsync(db);
        }
    }

    // Until all that may leave without the database has.
    private static async Task FlushAsync(WorkerUnderTest worker)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60)); // ends a test that would hang
        while (worker.Services.GetRequiredService<OfflineOutbox>().Undelivered > 0)
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static List<JsonNode> Changes(ReceiverUnderTest receiver) =>
        [.. receiver.Received.SelectMany(request => JsonNode.Parse(request.Text)!["changes"]!.AsArray()).Select(change => change!)];
}
