using Dapper;
using Monitoring.Data.Checks;
using Npgsql;

namespace Monitoring.Tests.Checks;

/// <summary>The grid and the deadline are counted in a statement and in the code: both must come to the same.</summary>
public sealed class MonitorLedgerTests
{
    private static readonly DateTimeOffset Noon = ManualClock.Noon;
    private NpgsqlDataSource _db = null!;

    [SetUp]
    public async Task CloneDatabase()
    {
        _db = await TestDatabase.CloneAsync();
        await using var connection = await _db.OpenConnectionAsync();
        await connection.ExecuteAsync("""
            SELECT ensure_day_partition('check_runs', '2026-11-21');
            INSERT INTO monitors (monitor, interval_seconds, interval_since)
            SELECT 'every-' || seconds, seconds, '2026-11-21T11:17:03.25Z' FROM unnest(ARRAY[1, 2, 7, 10, 61, 300, 3600]) AS seconds;
            INSERT INTO monitors VALUES ('old', 60, '2026-11-01Z');
            UPDATE monitors SET deadline_seconds = least(greatest(interval_seconds, 5), 60);
            """);
    }

    [TearDown]
    public Task DropDatabase() => TestDatabase.DropAsync(_db);

    private static IEnumerable<DateTimeOffset> Moments() =>
        new[] { 0, 500_000, 4_999_999, 5_000_000, 59_999_999, 60_000_000, 61_000_000, 299_000_000, 300_000_001, 301_000_000, 1_234_500_000 }
            .Select(microsecond => Noon.AddTicks(microsecond * TimeSpan.TicksPerMicrosecond));

    [TestCaseSource(nameof(Moments))]
    public async Task Spans_without_any_run_are_the_grid_times_that_the_code_counts(DateTimeOffset now)
    {
        var since = now.AddHours(-1);
        var spans = (await _db.ReadAsync(batch => MonitorLedger.ListGaps(batch, since, now, 20))).ToLookup(span => span.Monitor);
        foreach (var monitor in await _db.ReadAsync(batch => MonitorLedger.List(batch, since, now)))
            Assert.That(spans[monitor.Monitor].Sum(span => span.Count), Is.EqualTo(monitor.CountGaps(since, now)), monitor.Monitor);
    }

    [TestCaseSource(nameof(Moments))]
    public async Task Monitor_that_ran_at_each_of_its_times_has_no_gap(DateTimeOffset now)
    {
        await using (var connection = await _db.OpenConnectionAsync())
            await connection.ExecuteAsync("""
                INSERT INTO check_runs (monitor, scheduled_at, trigger, started_at, finished_at, outcome, observations, findings, error,
                    worker, recorded_at)
                SELECT monitor, at, 'grid', at, at, 'succeeded', 0, 0, NULL, 'w', at
                  FROM monitors, generate_series(date_bin(make_interval(secs => interval_seconds), '2026-11-21T10:00Z', 'epoch'), @now,
                                                 make_interval(secs => interval_seconds)) AS at
                """, new { now });
        var since = now.AddHours(-1);
        var rows = await _db.ReadAsync(batch => MonitorLedger.List(batch, since, now));
        Assert.That(rows.Select(row => row.CountGaps(since, now)), Is.EqualTo(Enumerable.Repeat(0L, 8)));
        Assert.That(await _db.ReadAsync(batch => MonitorLedger.ListGaps(batch, since, now, 20)), Is.Empty);
        foreach (var row in rows)
        {
            var counted = (await _db.ReadAsync(batch => MonitorLedger.CountGridSuccesses(batch, row.Monitor, since, now))).Single();
            Assert.That((counted.Count, counted.CountGaps(since, now)), Is.EqualTo((row.GridSuccesses, 0L)), row.Monitor);
        }
    }
}
