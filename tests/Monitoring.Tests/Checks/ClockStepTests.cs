using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Monitoring.Data.Checks;
using Monitoring.Data.Database;
using Monitoring.Data.Venues;
using Monitoring.Simulator.Model;
using Monitoring.Tests.Events;
using Monitoring.Tests.Venues;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Maintenance;
using Monitoring.Worker.Recording;
using Monitoring.Worker.Venues.Liquidations;
using Monitoring.Worker.Watching;
using Severity = Monitoring.Data.Events.Severity;

namespace Monitoring.Tests.Checks;

/// <summary>The clock of the worker's machine is set wrong and back, beside a venue and a database that have the right time.</summary>
public sealed class ClockStepTests
{
    private static readonly DateTimeOffset Noon = ManualClock.Noon;
    private static readonly string[] Monitors = ["hlp-vault", "oracle", "inventory", LiquidationMonitor.MonitorName];

    private readonly ManualClock _clock = new(Noon);
    private readonly SteppedClock _machine;
    private WorkerUnderTest _worker = null!;

    public ClockStepTests() => _machine = new SteppedClock(_clock);

    [TearDown]
    public Task Stop() => _worker.DisposeAsync().AsTask();

    private async Task StartAsync(params IReadOnlyList<Move> moves) => _worker = await WorkerUnderTest.CreateAsync(
        _clock, _machine, ScenarioLoader.Load("calm") with { Moves = moves }, "oracle", null,
        ("INVENTORY_CHECK_INTERVAL", "2"), ("LIQUIDATION_CHECK_INTERVAL", "2"));

    private static Move Deleverage(decimal at) => new(at, 0, Liquidations: new LiquidationMove(
        "BTC", 1, 1_000_000, LiquidationKind.Adl, LiquidatedSide.Long, "HLP Liquidator", null, 1));

    private T Get<T>() where T : notnull => _worker.Services.GetRequiredService<T>();

    // As the schedule would: the grid time of what the worker takes for now.
    private Task<CheckResult> CheckAsync(string monitor)
    {
        var schedule = _worker.Services.GetServices<MonitorSchedule>().Single(schedule => schedule.Name == monitor);
        return _worker.CheckAsync(schedule.GridTime(Get<TimeProvider>().GetUtcNow()), monitor);
    }

    private async Task CheckAllAsync(string when)
    {
        foreach (var monitor in Monitors)
            Assert.That(((await CheckAsync(monitor)).Run.Error, monitor), Is.EqualTo(((string?)null, monitor)), when);
    }

    private async Task<T> QueryAsync<T>(string sql)
    {
        await using var connection = await _worker.Db.OpenConnectionAsync();
        return await connection.QuerySingleAsync<T>(sql);
    }

    private Task<long> CountPartitionsAsync() => QueryAsync<long>("SELECT count(*) FROM pg_inherits");

    [TestCase(27 * 86400)]
    [TestCase(7200)]
    [TestCase(-7200)]
    [TestCase(-27 * 86400)]
    public async Task Clock_that_is_wrong_for_ten_seconds_drops_fails_and_hides_nothing_and_is_told(int seconds)
    {
        await StartAsync(Deleverage(7205));
        await new DayPartitions(_worker.Db).EnsureAsync(
            Enumerable.Range(0, 29).Select(day => DateOnly.FromDateTime(Noon.UtcDateTime).AddDays(-day)), default);
        var comparison = ActivatorUtilities.CreateInstance<ClockComparison>(_worker.Services);
        await comparison.LookAsync(default);
        await CheckAllAsync("before");
        Assert.That(await Get<PartitionMaintenance>().RunAsync(default), Is.Null);
        var partitions = await CountPartitionsAsync();

        for (_machine.Ahead = TimeSpan.FromSeconds(seconds); _clock.GetUtcNow() < Noon.AddSeconds(10);)
        {
            _clock.Advance(TimeSpan.FromSeconds(2));
            await CheckAllAsync("while it is wrong");
            await comparison.LookAsync(default);
        }

        Assert.That(await Get<PartitionMaintenance>().RunAsync(default), Does.Contain($"this machine's clock is {Math.Abs(seconds)} s "
            + (seconds > 0 ? "ahead of" : "behind")));
        Assert.That(await QueryAsync<(long, decimal, decimal)>("SELECT count(*), min(clock_offset_seconds), max(clock_offset_seconds) "
            + "FROM check_runs WHERE clock_offset_seconds IS NOT NULL"), Is.EqualTo((20L, (decimal)-seconds, (decimal)-seconds)));

        _machine.Ahead = TimeSpan.Zero;
        _clock.Advance(TimeSpan.FromSeconds(60));
        await CheckAllAsync("a minute after");
        var told = (await CheckAsync("watchdog")).Findings.Single(finding => finding.RuleId == "clock.off");
        Assert.That((told.Severity, told.Title), Is.EqualTo((Severity.High,
            $"The clock of {Environment.MachineName} is {Math.Abs(seconds)} s {(seconds > 0 ? "ahead of" : "behind")} database")));
        Assert.That(await Get<PartitionMaintenance>().RunAsync(default), Is.Null);
        Assert.That(await CountPartitionsAsync(), Is.EqualTo(partitions));
        Assert.That(await QueryAsync<(long, long)>("SELECT count(*), count(*) FILTER (WHERE scheduled_at BETWEEN '2026-11-21 12:00Z' "
            + "AND '2026-11-21 12:01:10Z') FROM check_runs WHERE outcome = 'succeeded'"), Is.EqualTo((29L, 29L)));

        _clock.Advance(Noon.AddHours(2).AddSeconds(10) - _clock.GetUtcNow());
        await CheckAllAsync("two hours after");
        Assert.That(await QueryAsync<long>("SELECT count(*) FROM security_events WHERE rule_id = 'liquidation.adl'"), Is.EqualTo(1));
    }

    [Test]
    public async Task Worker_that_starts_with_a_wrong_clock_takes_no_key_of_a_check_that_is_yet_to_come()
    {
        await StartAsync();
        _machine.Ahead = TimeSpan.FromHours(2);
        Assert.That((await CheckAsync("oracle")).Run.ClockOffsetSeconds, Is.Null, "nobody had told it");
        Assert.That(await QueryAsync<(DateTime, decimal, DateTime)>("SELECT scheduled_at, clock_offset_seconds, (SELECT max(observed_at) "
            + "FROM oracle_deviations) FROM check_runs"), Is.EqualTo((Noon.UtcDateTime, -7200m, Noon.UtcDateTime)));
        _machine.Ahead = TimeSpan.Zero;
        _clock.Advance(TimeSpan.FromHours(2));
        await CheckAsync("oracle");
        Assert.That(await QueryAsync<DateTime>("SELECT max(scheduled_at) FROM check_runs"), Is.EqualTo(Noon.AddHours(2).UtcDateTime));
    }

    [Test]
    public async Task Result_of_an_earlier_process_that_lies_ahead_is_stored_when_it_comes()
    {
        await StartAsync();
        await CheckAsync("inventory");
        var pipeline = Get<RecordingPipeline>();
        pipeline.Record(ResultSample.Of("m", Noon.AddHours(5), CheckOutcome.Succeeded,
            [ResultSample.Finding("r", "s", Severity.High)], []));
        await pipeline.DrainAsync(default);
        Assert.That(await QueryAsync<(DateTime, string, decimal)>("SELECT scheduled_at, trigger, round(clock_offset_seconds) "
            + "FROM check_runs WHERE monitor = 'm'"), Is.EqualTo((Noon.UtcDateTime, "feed", -18000m)));
        Assert.That(await QueryAsync<long>("SELECT count(*) FROM security_events WHERE rule_id = 'r'"), Is.EqualTo(1), "with its finding");
    }

    [Test]
    public async Task Stored_end_of_reading_that_is_yet_to_come_is_no_end_of_reading()
    {
        await StartAsync(Deleverage(30));
        await CheckAllAsync("before");
        await QueryAsync<long>("WITH moved AS (UPDATE liquidation_sources SET read_until = '2026-11-21 14:00Z', last_fill_at = NULL "
            + "RETURNING 1) SELECT count(*) FROM moved");
        _worker.Restart();
        _clock.Advance(TimeSpan.FromMinutes(1));
        var result = await CheckAsync(LiquidationMonitor.MonitorName);
        Assert.That((result.Run.Error, result.Findings.Select(finding => finding.RuleId).SingleOrDefault()),
            Is.EqualTo(((string?)null, "liquidation.adl")));
        Assert.That(await QueryAsync<bool>("SELECT bool_and(read_until < '2026-11-21 12:02Z') FROM liquidation_sources"), Is.True,
            "nor for the next process");
    }

    [Test]
    public async Task Rows_of_the_future_hide_none_that_came_later()
    {
        await StartAsync();
        await _worker.RegisterAsync();
        var now = TimeProvider.System.GetUtcNow().AddMinutes(-5);
        var recorder = Get<DatabaseRecorder>();
        foreach (var at in new[] { now.AddDays(27), now.AddHours(2), now })
            await recorder.WriteAsync(ResultSample.Of("oracle", at, CheckOutcome.Succeeded, [], [], Sample.Snapshot(at, Sample.Measures()),
                new HlpVaultComponent(Sample.Vault, "0xc1", at, 1, 2, 3, 0), OracleSampleRow(at)), default);
        Assert.That((await new CheckRuns(_worker.Db).ListLatestAsync(now, default)).Single().LastSuccessAt,
            Is.EqualTo(now).Within(TimeSpan.FromMilliseconds(1)));
        var activity = await _worker.Db.ReadAsync(batch => MonitorLedger.List(batch, now.AddHours(-1), now));
        Assert.That(activity.Single().LastSuccessAt, Is.EqualTo(now).Within(TimeSpan.FromMilliseconds(1)));
        foreach (var newest in new[]
        {
            (await _worker.Db.ReadAsync(batch => HlpVaultSnapshots.FindNewest(batch, now))).Single().ObservedAt,
            (await _worker.Db.ReadAsync(batch => HlpVaultComponents.ListOfNewestSnapshot(batch, now))).Single().ObservedAt,
            (await _worker.Db.ReadAsync(batch => OracleDeviations.ListNow(batch, now))).Single().ObservedAt,
            (await new OracleDeviations(_worker.Db).ListBreachesAsync(now.AddHours(-1), now, default)).Single().ObservedAt,
            (await new HlpVaultComponents(_worker.Db).ListNewestAsync(Sample.Vault, now.AddHours(-1), now, default)).Single().ObservedAt,
        })
            Assert.That(newest, Is.EqualTo(now).Within(TimeSpan.FromMilliseconds(1)));
        Assert.That((await _worker.Db.ReadAsync(batch => OracleDeviations.ListNow(batch, now.AddHours(-3)))).Single().ObservedAt,
            Is.EqualTo(now).Within(TimeSpan.FromMilliseconds(1)),
            "a reader whose clock is behind sees what the database takes for possible");
    }

    private static OracleDeviation OracleSampleRow(DateTimeOffset at) => new(
        "BTC", at, 100, 100, 100, null, null, null, 100, 100, 2, [], 0, "binance", null, 0, null, false, null, null);

    [Test]
    public async Task Partitions_are_dropped_only_when_every_clock_that_is_known_agrees()
    {
        await StartAsync();
        var maintenance = Get<PartitionMaintenance>();
        Assert.That(await maintenance.RunAsync(default), Is.EqualTo("no source has said yet what time it is"));
        var clock = Get<WorkerClock>();
        clock.Hear("venue", Noon.AddSeconds(61), TimeSpan.FromSeconds(0.5), clock.GetTimestamp());
        Assert.That(await maintenance.RunAsync(default), Is.EqualTo("this machine's clock is 61 s behind venue's"));
        clock.Hear("venue", Noon.AddSeconds(59), TimeSpan.FromSeconds(0.5), clock.GetTimestamp());
        Assert.That(await maintenance.RunAsync(default), Is.Null);
    }

    [Test]
    public async Task Maintenance_waits_ten_minutes_for_a_source_that_says_no_time()
    {
        await StartAsync();
        _clock.Advance(TimeSpan.FromMinutes(10));
        Assert.That(await Get<PartitionMaintenance>().RunAsync(default), Is.Null);
    }
}
