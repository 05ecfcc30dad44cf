using Dapper;
using Monitoring.Data.Database;
using Monitoring.Data.Workers;
using Monitoring.Worker.Maintenance;
using Npgsql;

namespace Monitoring.Tests.Workers;

/// <summary>The table of the pulses: its times are the database's, whoever writes it.</summary>
public sealed class WorkerPulsesTests
{
    /// <summary>Samples for <see cref="Database.SqlTests"/>.</summary>
    public static readonly IReadOnlyDictionary<string, object?> SqlSamples = new Dictionary<string, object?>
    {
        ["version"] = "1", ["running"] = TimeSpan.FromSeconds(1), ["startedAt"] = ManualClock.Noon.UtcDateTime,
    };

    private NpgsqlDataSource _db = null!;
    private WorkerPulses _pulses = null!;

    [SetUp]
    public async Task Clone() => _pulses = new WorkerPulses(_db = await TestDatabase.CloneAsync());

    [TearDown]
    public Task Drop() => TestDatabase.DropAsync(_db);

    private async Task<IReadOnlyList<WorkerPulse>> ListAsync()
    {
        var batch = new DatabaseBatch();
        var rows = WorkerPulses.List(batch);
        await batch.SendAsync(_db, default);
        return rows.Rows;
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = await _db.OpenConnectionAsync();
        await connection.ExecuteAsync(sql);
    }

    [Test]
    public async Task Worker_begins_pulses_and_stops()
    {
        var startedAt = await _pulses.BeginAsync("h/1", "1.2", TimeSpan.FromMinutes(5), default);
        var first = (await ListAsync()).Single();
        Assert.That((first.Worker, first.Version, first.StartedAt, first.PulsedAt - first.StartedAt, first.StoppedAt),
            Is.EqualTo(("h/1", "1.2", startedAt, TimeSpan.FromMinutes(5), (DateTimeOffset?)null)));
        Assert.That(first.AgeSeconds, Is.InRange(0, 30));
        await ExecuteAsync("UPDATE worker_pulses SET pulsed_at = pulsed_at - interval '1 hour'");
        Assert.That((await ListAsync()).Single().AgeSeconds, Is.InRange(3600, 3630));
        Assert.That(await _pulses.PulseAsync("h/1", startedAt, default));
        Assert.That((await ListAsync()).Single().AgeSeconds, Is.InRange(0, 30));
        await _pulses.StopAsync("h/1", startedAt, default);
        var stopped = (await ListAsync()).Single();
        Assert.That(stopped.StoppedAt, Is.EqualTo(stopped.PulsedAt));
        Assert.That(await _pulses.PulseAsync("h/1", startedAt, default), Is.False, "a pulse that comes late undoes no stop");
        Assert.That((await ListAsync()).Single().StoppedAt, Is.Not.Null);
    }

    [Test]
    public async Task Process_that_takes_the_name_of_another_is_not_stopped_by_it()
    {
        var first = await _pulses.BeginAsync("h/1", "1", TimeSpan.FromMinutes(5), default);
        var second = await _pulses.BeginAsync("h/1", "2", TimeSpan.Zero, default);
        Assert.That(await _pulses.PulseAsync("h/1", first, default), Is.False, "its row is another's, and it begins anew");
        await _pulses.StopAsync("h/1", first, default);
        var row = (await ListAsync()).Single();
        Assert.That((row.Version, row.StartedAt, row.StoppedAt), Is.EqualTo(("2", second, (DateTimeOffset?)null)));
    }

    [Test]
    public async Task Worker_that_was_not_seen_for_a_day_is_forgotten_and_comes_back_when_it_is()
    {
        await ExecuteAsync("""
            INSERT INTO worker_pulses (worker, version, started_at, pulsed_at)
            SELECT 'h/' || hours, '1', now() - interval '9 days', now() - make_interval(hours => hours)
              FROM unnest(ARRAY[0, 23, 25, -23, -25]) AS hours
            """);
        Assert.That(await _pulses.RemoveUnseenAsync(default), Is.EqualTo(2));
        Assert.That((await ListAsync()).Select(row => row.Worker), Is.EqualTo(new[] { "h/-23", "h/0", "h/23" }));
        Assert.That(await _pulses.PulseAsync("h/25", ManualClock.Noon, default), Is.False);
    }

    [Test]
    public async Task Maintenance_of_a_worker_forgets_them()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(TimeProvider.System);
        await using (var connection = await worker.Db.OpenConnectionAsync())
            await connection.ExecuteAsync(
                "INSERT INTO worker_pulses VALUES ('gone/1', '1', now() - interval '3 days', now() - interval '2 days')");
        await worker.StartAsync();
        await TestWait.UntilAsync(() => Count(worker.Db, "worker = 'gone/1'") == 0 && Count(worker.Db, "stopped_at IS NULL") == 1,
            $"{nameof(PulseMaintenance)} has done its work and the worker itself is seen");
        await worker.StopAsync();
    }

    [Test]
    public void Time_without_end_is_not_stored() =>
        Assert.That(() => ExecuteAsync("INSERT INTO worker_pulses VALUES ('h/1', '1', now(), 'infinity')"),
            Throws.TypeOf<PostgresException>()
                .With.Property(nameof(PostgresException.SqlState)).EqualTo(PostgresErrorCodes.CheckViolation));

    [Test]
    public async Task Thousands_of_pulses_leave_the_table_as_small_as_it_was()
    {
        var startedAt = await _pulses.BeginAsync("h/1", "1", TimeSpan.Zero, default);
        await using var connection = await _db.OpenConnectionAsync();
        for (var i = 0; i < 2000; i++)
            await connection.ExecuteAsync("UPDATE worker_pulses SET pulsed_at = clock_timestamp() WHERE started_at = @startedAt",
                new { startedAt });
        Assert.That(await connection.QuerySingleAsync<long>("SELECT pg_relation_size('worker_pulses')"), Is.LessThanOrEqualTo(128 * 1024),
            "2,000 versions would take 200 KB; nearly each finds room in the page of the one before");
    }

    internal static int Count(NpgsqlDataSource db, string condition)
    {
        using var connection = db.OpenConnection();
        return connection.QuerySingle<int>($"SELECT count(*)::int FROM worker_pulses WHERE {condition}");
    }
}
