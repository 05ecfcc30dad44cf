using System.Net;
using System.Text.Json.Nodes;
using Dapper;
using Monitoring.Api.Workers;
using Monitoring.Data.Database;
using Monitoring.Data.Workers;
using Monitoring.Tests.Api;
using Npgsql;

namespace Monitoring.Tests.Workers;

/// <summary>What the read service says of the workers, by rows of a real database.</summary>
public sealed class WorkersSeenTests
{
    private readonly ManualClock _clock = new(ManualClock.Noon);
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

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = await _db.OpenConnectionAsync();
        await connection.ExecuteAsync(sql);
    }

    private Task PulseAsync(string worker, int secondsAgo, bool stopped = false) => ExecuteAsync($"""
        INSERT INTO worker_pulses (worker, version, started_at, pulsed_at, stopped_at)
        SELECT '{worker}', '1', at - interval '1 hour', at, {(stopped ? "at" : "NULL")}
          FROM (SELECT now() - interval '{secondsAgo} s' AS at) AS t
            ON CONFLICT (worker) DO UPDATE SET pulsed_at = excluded.pulsed_at, stopped_at = excluded.stopped_at
        """);

    private async Task<(string State, string Detail, int Count, bool TakesWrites)> AskAsync(string path = "/health")
    {
        var answer = await _api.GetAsync(path);
        return ((string)answer["workers"]!["state"]!, (string)answer["workers"]!["detail"]!, (int)answer["workers"]!["count"]!,
            (bool)answer["database"]!["takes_writes"]!);
    }

    private async Task<JsonNode> BlindAsync() => (await _api.GetAsync("/security/dashboard"))["overall_risk"]!["parts"]!.AsArray()
        .Single(part => (string)part!["name"]! == "blind")!;

    // A monitor that is fresh, so that nothing else is wrong.
    private Task AllElseIsWellAsync() => ExecuteAsync("""
        INSERT INTO monitors (monitor, interval_seconds, interval_since) VALUES ('m', 3600, '2026-11-21T12:00Z');
        SELECT ensure_day_partition('check_runs', '2026-11-21');
        INSERT INTO check_runs (monitor, scheduled_at, trigger, started_at, finished_at, outcome, observations, findings, error, worker)
        VALUES ('m', '2026-11-21T12:00Z', 'grid', '2026-11-21T12:00Z', '2026-11-21T12:00Z', 'succeeded', 0, 0, NULL, 'w')
        """);

    [Test]
    public async Task Worker_that_reports_vanishes_stops_and_comes_back_is_seen_in_the_health_and_on_the_dashboard()
    {
        await AllElseIsWellAsync();
        foreach (var path in new[] { "/health", "/security/dashboard" })
            Assert.That(await AskAsync(path), Is.EqualTo(("unknown", "No worker has reported yet", 0, true)), path);
        await PulseAsync("h/1", 2);
        foreach (var path in new[] { "/health", "/security/dashboard" })
            Assert.That(await AskAsync(path), Is.EqualTo(("alive", "One worker reports", 1, true)), path);
        Assert.That(((string)(await _api.GetAsync("/health"))["status"]!, (decimal)(await BlindAsync())["score"]!), Is.EqualTo(("ok", 0m)));

        await PulseAsync("h/1", 40);
        foreach (var path in new[] { "/health", "/security/dashboard" })
        {
            var (state, detail, count, takesWrites) = await AskAsync(path);
            Assert.That((state, count, takesWrites), Is.EqualTo(("silent", 0, true)), path);
            Assert.That(detail, Does.Match("^No worker has reported for (4|5)[0-9] s$"), path);
        }

        Assert.That((string)(await _api.GetAsync("/health"))["status"]!, Is.EqualTo("degraded"));
        var blind = await BlindAsync();
        Assert.That((decimal)blind["score"]!, Is.EqualTo(60m));
        Assert.That((string)blind["detail"]!, Does.StartWith("blind: No worker has reported for "));

        await PulseAsync("h/1", 300, stopped: true);
        Assert.That(await AskAsync(), Is.EqualTo(("stopped", "The last worker was stopped 5 min ago", 0, true)));
        Assert.That((string)(await BlindAsync())["detail"]!, Is.EqualTo("blind: The last worker was stopped 5 min ago"));
        await PulseAsync("h/2", 0);
        await PulseAsync("i/1", 600);
        Assert.That(await AskAsync(), Is.EqualTo(("alive", "One worker reports; i/1 has not for 10 min", 1, true)));
        Assert.That((decimal)(await BlindAsync())["score"]!, Is.Zero, "it is not no worker");
    }

    [Test]
    public async Task Metrics_have_the_age_of_the_newest_pulse()
    {
        Assert.That(await _api.Http.GetStringAsync("/metrics"),
            Does.Not.Contain("\nmonitoring_worker_pulse_age_seconds").And.Match("\nmonitoring_database_takes_writes({})? 1\n"));
        await PulseAsync("h/1", 100);
        var line = (await _api.Http.GetStringAsync("/metrics")).Split('\n').Single(line => line.StartsWith("monitoring_worker_pulse_age"));
        Assert.That(double.Parse(line.Split(' ')[1]), Is.InRange(100, 130));
    }

    [Test]
    public async Task Age_grows_between_two_reads_by_the_steady_clock_and_no_time_of_day_counts()
    {
        await PulseAsync("h/1", 5);
        var stepped = new SteppedClock(_clock);
        var reader = new WorkerReader(new WriteTrial(_db, stepped), stepped);
        var batch = new DatabaseBatch();
        var take = reader.Ask(batch, _clock.GetUtcNow());
        await batch.SendAsync(_db, default);
        var (rows, until) = take();
        Assert.That(until - _clock.GetUtcNow(), Is.EqualTo(TimeSpan.FromSeconds(10)), "then they are read again");
        var before = (await reader.ShowAsync(rows, default)).Workers;
        stepped.Ahead = TimeSpan.FromHours(-1);
        Assert.That((await reader.ShowAsync(rows, default)).Workers.AgeSeconds, Is.EqualTo(before.AgeSeconds));
        _clock.Advance(TimeSpan.FromSeconds(8));
        var after = (await reader.ShowAsync(rows, default)).Workers;
        Assert.That((before.State, after.State, after.AgeSeconds - before.AgeSeconds),
            Is.EqualTo((WorkerState.Alive, WorkerState.Silent, 8d)));
    }

    [Test]
    public async Task Entity_tag_is_that_of_the_age_too()
    {
        await PulseAsync("h/1", 60);
        using var first = await _api.Http.GetAsync("/health");
        _clock.Advance(TimeSpan.FromSeconds(3));
        // Where a neighbour's commit made it read the rows again, the age is that of the database's clock, which goes on by itself.
        await TestWait.UntilAsync(async () =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/health") { Headers = { IfNoneMatch = { first.Headers.ETag! } } };
            using var second = await _api.Http.SendAsync(request);
            return second.StatusCode == HttpStatusCode.OK;
        }, "another age has another tag");
    }

    [Test]
    public async Task Database_that_is_set_to_read_only_lets_no_worker_be_seen()
    {
        await AllElseIsWellAsync();
        await PulseAsync("h/1", 40);
        await ExecuteAsync($"ALTER DATABASE {TestDatabase.ConnectionTo(_db).Database} SET default_transaction_read_only = on");
        await using var api = await ApiUnderTest.StartAsync(_db, _clock);
        var answer = await api.GetAsync("/health");
        Assert.That(((string)answer["status"]!, (string)answer["workers"]!["state"]!, (string)answer["workers"]!["detail"]!,
            (bool)answer["database"]!["takes_writes"]!), Is.EqualTo(("ok", "unknown",
            "The database takes no writes; the worker cannot be seen from here (it is set to read-only)", false)));
        Assert.That((double)answer["workers"]!["age_seconds"]!, Is.GreaterThan(39));
        Assert.That(await api.Http.GetStringAsync("/metrics"), Does.Match("\nmonitoring_database_takes_writes({})? 0\n"));
        await using (var connection = new NpgsqlConnection(TestDatabase.ConnectionTo(_db).ConnectionString))
        {
            await connection.OpenAsync();
            await connection.ExecuteAsync("SET default_transaction_read_only = off"); // holds from the next transaction on
            await connection.ExecuteAsync("UPDATE worker_pulses SET pulsed_at = now()");
        }

        Assert.That((string)(await api.GetAsync("/health"))["workers"]!["state"]!, Is.EqualTo("alive"),
            "a worker whose account is set otherwise shows that it can be written");
    }

    [Test]
    public async Task Account_that_reads_by_default_does_not_hide_a_worker_that_vanished()
    {
        await PulseAsync("h/1", 40);
        var connection = TestDatabase.ConnectionTo(_db);
        connection.Options = "-c role=monitoring_api -c default_transaction_read_only=on";
        await using var db = DataSources.Create(connection);
        var batch = new DatabaseBatch();
        var mode = WorkerPulses.FindMode(batch);
        await batch.SendAsync(db, default);
        Assert.That(mode.Only, Is.EqualTo(new ServerMode(IsStandby: false, IsReadOnly: false)));
        Assert.That(await new WriteTrial(db, _clock).FindProblemAsync(default), Is.Null);
    }

    [Test]
    public async Task Pulse_that_somebody_keeps_from_being_written_is_no_silence_and_is_tried_every_few_seconds_alone()
    {
        await PulseAsync("h/1", 40);
        await using var connection = await _db.OpenConnectionAsync();
        await connection.ExecuteAsync("BEGIN; SELECT 1 FROM worker_pulses FOR UPDATE");
        var began = TimeProvider.System.GetTimestamp();
        Assert.That(await AskAsync(), Is.EqualTo(("unknown", "The database takes no writes; the worker cannot be seen from here (canceling "
            + "statement due to lock timeout)", 0, false)));
        Assert.That(TimeProvider.System.GetElapsedTime(began), Is.LessThan(TimeSpan.FromSeconds(10)));
        Assert.That((decimal)(await BlindAsync())["score"]!, Is.EqualTo(60m), "but for this: no worker has registered a monitor");
        Assert.That((string)(await BlindAsync())["detail"]!, Is.EqualTo("blind: no worker has registered a monitor"));
        await connection.ExecuteAsync("ROLLBACK");
        Assert.That((await AskAsync()).State, Is.EqualTo("unknown"), "what was found a moment ago holds");
        _clock.Advance(TimeSpan.FromSeconds(5));
        Assert.That((await AskAsync()).State, Is.EqualTo("silent"));
        await ExecuteAsync("SELECT 1"); // the connections that tried are whole
        Assert.That((await _api.Http.GetAsync("/health/ready")).StatusCode, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task Trial_changes_nothing_and_an_account_that_may_not_try_takes_nobody_for_dead_or_alive()
    {
        await PulseAsync("h/1", 40);
        var before = await SampleRows.FingerprintAsync(_db);
        Assert.That(await new WriteTrial(_db, _clock).FindProblemAsync(default), Is.Null);
        Assert.That(await SampleRows.FingerprintAsync(_db), Is.EqualTo(before));
        var connection = TestDatabase.ConnectionTo(_db);
        connection.Options = "-c role=monitoring_worker";
        await using var db = DataSources.Create(connection);
        Assert.That(await new WriteTrial(db, _clock).FindProblemAsync(default), Is.Null);
    }

    [Test]
    public async Task Database_that_hangs_while_it_is_tried_costs_two_seconds()
    {
        await PulseAsync("h/1", 40);
        await ExecuteAsync("""
            CREATE OR REPLACE FUNCTION try_pulse_write() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'SELECT pg_sleep(60)'
            """);
        var began = TimeProvider.System.GetTimestamp();
        Assert.That(await new WriteTrial(_db, _clock).FindProblemAsync(default), Is.EqualTo("no answer within 2 s"));
        Assert.That(TimeProvider.System.GetElapsedTime(began), Is.LessThan(TimeSpan.FromSeconds(10)));
    }
}
