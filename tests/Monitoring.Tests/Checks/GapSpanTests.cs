using Dapper;
using Monitoring.Data.Checks;
using Npgsql;

namespace Monitoring.Tests.Checks;

public sealed class GapSpanTests
{
    private static readonly DateTimeOffset Noon = ManualClock.Noon;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
    private NpgsqlDataSource _db = null!;

    [SetUp]
    public async Task CloneDatabase()
    {
        _db = await TestDatabase.CloneAsync();
        await using var connection = await _db.OpenConnectionAsync();
        await connection.ExecuteAsync("""
            SELECT ensure_day_partition('check_runs', '2026-11-21');
            INSERT INTO monitors VALUES ('m', 10, '2026-11-20Z', 10);
            """);
    }

    [TearDown]
    public Task DropDatabase() => TestDatabase.DropAsync(_db);

    private async Task RunsAsync(
        int from, int count, string outcome = "succeeded", int startedLate = 0, int recordedLate = 0, string trigger = "grid")
    {
        await using var connection = await _db.OpenConnectionAsync();
        await connection.ExecuteAsync("""
            INSERT INTO check_runs (monitor, scheduled_at, trigger, started_at, finished_at, outcome, observations, findings, error,
                                    worker, recorded_at)
            SELECT 'm', at, @trigger, at + @startedLate * interval '1 second', at + @startedLate * interval '1 second', @outcome, 0, 0,
                   CASE WHEN @outcome <> 'succeeded' THEN 'x' END, 'w', at + (@startedLate + @recordedLate) * interval '1 second'
              FROM generate_series(0, @count - 1) AS n, LATERAL (SELECT @noon::timestamptz + (@from + n) * interval '10 seconds' AS at) AS t
            """, new { noon = Noon, from, count, outcome, startedLate, recordedLate, trigger });
    }

    // A check has its interval to end: so much later than the window's end its absence is a gap.
    private async Task<IReadOnlyList<(int From, int Until, long Count, GapReason Reason)>> SpansAsync(
        int from, int until, int limit = 20) =>
        [.. (await _db.ReadAsync(batch => MonitorLedger.ListGaps(batch, Noon + (from * Interval), Noon + ((until + 1) * Interval), limit)))
            .Select(span => ((int)((span.FromAt - Noon) / Interval), (int)((span.UntilAt - Noon) / Interval), span.Count, span.Reason))];

    [Test]
    public async Task Each_span_has_its_reason_newest_first()
    {
        await RunsAsync(2, 3);                           // 0, 1: nobody had started
        await RunsAsync(5, 4, "failed");                 // 5-8: the venue was down,
        await RunsAsync(9, 1, "timed_out");              // 9: and hung
        await RunsAsync(10, 2);
        await RunsAsync(15, 2, "failed");                // 12-14: no worker, and when it came back the venue was down
        await RunsAsync(17, 3, recordedLate: 61);        // 17-19: the database was away
        await RunsAsync(20, 1, startedLate: 11);         // 20: began more than an interval late
        await RunsAsync(21, 1, recordedLate: 60);        // 22-24: no worker again
        Assert.That(await SpansAsync(0, 25), Is.EqualTo(new[]
        {
            (22, 25, 3L, GapReason.WorkerDown), (20, 21, 1L, GapReason.Late), (17, 20, 3L, GapReason.DatabaseAway),
            (15, 17, 2L, GapReason.SourceDown), (12, 15, 3L, GapReason.WorkerDown), (5, 10, 5L, GapReason.SourceDown),
            (0, 2, 2L, GapReason.WorkerDown),
        }));
        Assert.That((await SpansAsync(0, 25, limit: 2)).Select(span => span.From), Is.EqualTo(new[] { 22, 20 }));
    }

    [Test]
    public async Task Window_without_a_fault_has_no_span_and_without_a_run_has_one()
    {
        await RunsAsync(0, 10);
        Assert.That(await SpansAsync(0, 10), Is.Empty);
        Assert.That(await SpansAsync(10, 16), Is.EqualTo(new[] { (10, 16, 6L, GapReason.WorkerDown) }));
        Assert.That(await SpansAsync(5, 5), Is.Empty);
    }

    [Test]
    public async Task Check_that_the_feed_triggered_fills_no_grid_time()
    {
        await RunsAsync(0, 2);
        await RunsAsync(2, 1, trigger: "feed");
        await RunsAsync(3, 1);
        Assert.That(await SpansAsync(0, 4), Is.EqualTo(new[] { (2, 3, 1L, GapReason.WorkerDown) }));
    }
}
