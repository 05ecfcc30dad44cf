using Dapper;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Monitoring.Data.Supervision;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Hosting;
using Monitoring.Worker.Maintenance;
using Monitoring.Worker.Recording;
using Npgsql;

namespace Monitoring.Tests.Maintenance;

public sealed class RetentionTests
{
    // Long past by any clock: the database itself refuses to drop a day that has not come.
    private static readonly DateTimeOffset Now = new(2020, 3, 31, 23, 59, 0, TimeSpan.Zero);
    private NpgsqlDataSource _db = null!;

    [SetUp]
    public async Task CloneDatabase() => _db = await TestDatabase.CloneAsync();

    [TearDown]
    public Task DropDatabase() => TestDatabase.DropAsync(_db);

    private async Task<IReadOnlyList<string>> PartitionsAsync(string table)
    {
        await using var connection = await _db.OpenConnectionAsync();
        return (await connection.QueryAsync<string>(
            "SELECT right(inhrelid::regclass::text, 8) FROM pg_inherits WHERE inhparent = @table::regclass ORDER BY 1",
            new { table })).AsList();
    }

    private async Task RunAsync(int days, params (string Table, int Days)[] own)
    {
        var retention = new RetentionOptions(days, own.ToDictionary(table => table.Table, table => table.Days));
        var clock = new WorkerClock(new ManualClock(Now));
        clock.Hear("venue", Now, TimeSpan.Zero, clock.GetTimestamp());
        using var maintenance = new PartitionMaintenance(new DayPartitions(_db), retention,
            new DatabaseClock(clock, _ => Task.FromResult(Now)), new Supervisor(clock, NullLogger<Supervisor>.Instance), clock,
            NullLogger<PartitionMaintenance>.Instance);
        Assert.That(await maintenance.RunAsync(default), Is.Null);
    }

    [Test]
    public async Task Days_past_their_retention_go_whole_and_nothing_younger()
    {
        await new DayPartitions(_db).EnsureAsync(Enumerable.Range(0, 40).Select(day => new DateOnly(2020, 2, 21).AddDays(day)), default);
        await using (var connection = await _db.OpenConnectionAsync())
            await connection.ExecuteAsync("""
                INSERT INTO hlp_vault_inventory (vault_address, parent_address, coin, observed_at, size, notional_usd, unrealized_pnl)
                SELECT 'v', 'p', 'c', at, 1, 1, 1
                  FROM unnest(ARRAY['2020-02-29T23:59:59.999Z', '2020-03-01T00:00Z', '2020-03-31T12:00Z']::timestamptz[]) AS at
                """);
        await RunAsync(days: 30);
        foreach (var table in new[] { "check_runs", "hlp_vault_inventory" })
        {
            var kept = await PartitionsAsync(table);
            Assert.That((kept[0], kept[^1], kept.Count), Is.EqualTo(("20200301", "20200402", 33)),
                $"{table}: 30 days, today, and two ahead");
        }

        await using var after = await _db.OpenConnectionAsync();
        Assert.That(await after.QueryAsync<DateTimeOffset>("SELECT observed_at FROM hlp_vault_inventory ORDER BY 1"),
            Is.EqualTo(new[] { DateTimeOffset.Parse("2020-03-01T00:00Z"), DateTimeOffset.Parse("2020-03-31T12:00Z") }));
        Assert.That(await after.QuerySingleAsync<long>("SELECT count(*) FROM hlp_vault_snapshots"), Is.Zero);
        await RunAsync(days: 30);
        Assert.That(await PartitionsAsync("check_runs"), Has.Count.EqualTo(33), "once more changes nothing");
    }

    [Test]
    public async Task Table_with_a_retention_of_its_own_is_kept_for_that()
    {
        await new DayPartitions(_db).EnsureAsync(Enumerable.Range(0, 40).Select(day => new DateOnly(2020, 2, 21).AddDays(day)), default);
        await RunAsync(days: 30, ("liquidations", 39), ("oracle_deviations", 1));
        (string, string)[] oldestDays = [("check_runs", "20200301"), ("liquidations", "20200221"), ("oracle_deviations", "20200330")];
        foreach (var (table, oldest) in oldestDays)
            Assert.That((await PartitionsAsync(table))[0], Is.EqualTo(oldest), table);
    }

    [Test]
    public async Task Every_table_that_is_partitioned_by_day_has_a_setting()
    {
        await using var connection = await _db.OpenConnectionAsync();
        Assert.That(await connection.QueryAsync<string>("SELECT partrelid::regclass::text FROM pg_partitioned_table"),
            Is.EquivalentTo(WorkerOptions.KeptByDay));
        var settings = new SettingsReader(new ConfigurationBuilder().AddInMemoryCollection(
            [new("RETENTION_DAYS", "10"), new("Retention:liquidations", "90")]).Build());
        var retention = RetentionOptions.Read(settings, WorkerOptions.KeptByDay);
        Assert.That((retention.DaysOf("check_runs"), retention.DaysOf("liquidations")), Is.EqualTo((10, 90)));
    }

    [Test]
    public async Task Worker_may_drop_days_that_have_passed_and_nothing_else()
    {
        await new DayPartitions(_db).EnsureAsync([new DateOnly(2020, 1, 1)], default);
        await using var connection = await _db.OpenConnectionAsync();
        await connection.ExecuteAsync("CREATE TABLE check_runs_p20190101 (id int); SET ROLE monitoring_worker");
        Assert.That(async () => await connection.ExecuteAsync("DROP TABLE check_runs_p20200101"), Throws.TypeOf<PostgresException>());
        Assert.That(async () => await connection.ExecuteAsync("SELECT drop_day_partitions_before('monitors', '2020-01-02')"),
            Throws.TypeOf<PostgresException>().With.Message.Contains("not partitioned by day"));
        Assert.That(async () => await connection.ExecuteAsync("SELECT drop_day_partitions_before('check_runs', '9999-01-01')"),
            Throws.TypeOf<PostgresException>().With.Message.Contains("has not come"));
        Assert.That(await connection.QueryAsync<string>("SELECT drop_day_partitions_before('check_runs', '2020-01-02')"),
            Is.EqualTo(new[] { "check_runs_p20200101" }), "a table that is no partition stays");
        await connection.ExecuteAsync("SET ROLE monitoring_api");
        Assert.That(async () => await connection.ExecuteAsync("SELECT drop_day_partitions_before('check_runs', '2020-01-02')"),
            Throws.TypeOf<PostgresException>().With.Property("SqlState").EqualTo("42501"));
    }
}
