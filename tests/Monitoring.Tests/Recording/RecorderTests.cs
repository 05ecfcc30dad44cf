using System.Text.Json;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Monitoring.Data.Checks;
using Monitoring.Data.Database;
using Monitoring.Data.Events;
using Monitoring.Data.Rules;
using Monitoring.Data.Venues;
using Monitoring.Tests.Events;
using Monitoring.Tests.Venues;
using Monitoring.Tests.Venues.Liquidations;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Recording;
using Npgsql;

namespace Monitoring.Tests.Recording;

public sealed class RecorderTests
{
    private static readonly DateTimeOffset Noon = ManualClock.Noon;
    private NpgsqlDataSource _db = null!;

    [SetUp]
    public async Task CloneDatabase() => _db = await TestDatabase.CloneAsync();

    [TearDown]
    public Task DropDatabase() => TestDatabase.DropAsync(_db);

    private static DatabaseRecorder Recorder(NpgsqlDataSource db)
    {
        var services = new ServiceCollection().AddSingleton(db).AddMonitoringTables()
            .AddSingleton(new EventOptions(3, Severity.High)).AddSingleton(TimeProvider.System)
            .AddSingleton(new NotificationRouting([], Severity.High, [])).AddSingleton<DatabaseRecorder>();
        return services.BuildServiceProvider().GetRequiredService<DatabaseRecorder>();
    }

    private static CheckResult Result(DateTimeOffset at, CheckOutcome outcome = CheckOutcome.Succeeded, params Finding[] findings)
    {
        var measures = Sample.Measures();
        return outcome == CheckOutcome.Succeeded
            ? ResultSample.Of("hlp-vault", at, outcome, findings, ["r:unjudged"], Sample.Snapshot(at, measures, "an issue"),
                new HlpVaultComponent(Sample.Vault, "0xc1", at, -518811.82111m, 10.5m, 0.123456789012345m, 2),
                new HlpVaultComponent(Sample.Vault, "0xc2", at, 1, 2, 3, 0))
            : ResultSample.Of("hlp-vault", at, outcome, [], []);
    }

    private async Task<T> QueryAsync<T>(string sql)
    {
        await using var connection = await _db.OpenConnectionAsync();
        return await connection.QuerySingleAsync<T>(sql);
    }

    [Test]
    public async Task Result_recorded_twice_is_stored_once()
    {
        var recorder = Recorder(_db);
        var result = Result(Noon, findings: ResultSample.Finding("r", "s", Severity.High));
        Assert.That(await recorder.WriteAsync(result, default), Is.Not.Null);
        Assert.That(await recorder.WriteAsync(result, default), Is.Null);
        Assert.That(await QueryAsync<(long, long, long, long, long, long)>("""
            SELECT (SELECT count(*) FROM check_runs), (SELECT count(*) FROM hlp_vault_snapshots),
                   (SELECT count(*) FROM hlp_vault_components), (SELECT sum(occurrences)::bigint FROM security_events),
                   (SELECT count(*) FROM security_event_changes), (SELECT sum(snapshots)::bigint FROM hlp_vault_hourly)
            """), Is.EqualTo((1L, 1L, 2L, 1L, 1L, 1L)));
    }

    private static Finding Measured(decimal value) => ResultSample.Finding("r", "s", Severity.High) with
    {
        Title = $"was {value}", Description = $"is {value}", Measure = new FindingMeasure("v", value, "USD", 1),
    };

    private sealed record StoredMeasure(
        string Title, string Description, string Measure, string Unit, decimal CurrentValue, decimal WorstValue, DateTimeOffset WorstAt,
        decimal ThresholdValue, DateTimeOffset? WorsenedAt);

    private Task<StoredMeasure> MeasureAsync() => QueryAsync<StoredMeasure>(
        "SELECT title, description, measure, unit, current_value, worst_value, worst_at, threshold_value, worsened_at "
        + "FROM security_events");

    [Test]
    public async Task Event_is_stored_with_what_is_so_and_with_what_was_worst()
    {
        var recorder = Recorder(_db);
        await recorder.WriteAsync(Result(Noon, findings: Measured(10)), default);
        await recorder.WriteAsync(Result(Noon.AddMinutes(1), findings: Measured(12.5m)), default);
        await recorder.WriteAsync(Result(Noon.AddMinutes(2), findings: Measured(11)), default);
        Assert.That(await MeasureAsync(), Is.EqualTo(
            new StoredMeasure("was 12.5", "is 11", "v", "USD", 11, 12.5m, Noon.AddMinutes(1), 1, null)));
        await recorder.WriteAsync(Result(Noon.AddMinutes(3), findings: Measured(20)), default);
        Assert.That(await MeasureAsync(), Is.EqualTo(
            new StoredMeasure("was 20", "is 20", "v", "USD", 20, 20, Noon.AddMinutes(3), 1, Noon.AddMinutes(3))));
    }

    [Test]
    public async Task Event_that_an_earlier_version_stored_takes_its_measure_from_the_next_finding()
    {
        var recorder = Recorder(_db);
        await recorder.WriteAsync(Result(Noon, findings: Measured(10)), default);
        await using (var connection = await _db.OpenConnectionAsync())
            await connection.ExecuteAsync("UPDATE security_events SET measure = NULL, unit = NULL, current_value = NULL, "
                + "worst_value = NULL, worst_at = NULL, threshold_value = NULL, told_measure = NULL");
        await recorder.WriteAsync(Result(Noon.AddMinutes(1)), default);
        Assert.That(await QueryAsync<string>("SELECT title FROM security_events WHERE measure IS NULL"), Is.EqualTo("was 10"));
        await recorder.WriteAsync(Result(Noon.AddMinutes(2), findings: Measured(9)), default);
        Assert.That(await MeasureAsync(), Is.EqualTo(
            new StoredMeasure("was 9", "is 9", "v", "USD", 9, 9, Noon.AddMinutes(2), 1, null)));
    }

    [Test]
    public async Task Partition_that_went_away_with_a_restored_database_is_made_again()
    {
        var recorder = Recorder(_db);
        await recorder.WriteAsync(Result(Noon), default);
        await using (var connection = await _db.OpenConnectionAsync())
            await connection.ExecuteAsync("DROP TABLE check_runs_p20261121");
        Assert.That(await recorder.WriteAsync(Result(Noon.AddMinutes(1)), default), Is.Not.Null);
        Assert.That(await QueryAsync<long>("SELECT count(*) FROM check_runs"), Is.EqualTo(1));
    }

    [Test]
    public async Task Fill_that_only_the_second_of_two_workers_saw_is_stored_too()
    {
        CheckResult Seen(params IEnumerable<LiquidationFill> fills) =>
            ResultSample.Of("liquidations", Noon, CheckOutcome.Succeeded, [], [], [.. fills]);
        var first = LiquidationSample.Row(0, "0xa", 100);
        await Recorder(_db).WriteAsync(Seen(first), default);
        Assert.That(await Recorder(_db).WriteAsync(Seen(first, LiquidationSample.Row(1, "0xb", 200)), default), Is.Null);
        Assert.That(await QueryAsync<(long, decimal)>("SELECT count(*), sum(notional_usd) FROM liquidations"), Is.EqualTo((2L, 300m)));
    }

    [Test]
    public async Task Coins_of_a_pattern_keep_their_names_and_their_order_whatever_is_in_them()
    {
        string[][] coins = [["xyz:S P 500", "BTC", "a,b", "{c}", "d\"e\\", "NULL", "née 🐸"], [], [" "]];
        LiquidationPattern Of(string id, string[] assets) => new(
            id, LiquidationPatternType.Adl, "BTC", Noon, Noon, 0, 1, 1, assets, 1, 1, 0, "{}");
        var patterns = coins.Select((assets, n) => Of($"p{n}", assets)).ToList();
        var recorder = Recorder(_db);
        await recorder.WriteAsync(ResultSample.Of("liquidations", Noon, CheckOutcome.Succeeded, [], [], [.. patterns]), default);
        await recorder.WriteAsync(ResultSample.Of("liquidations", Noon.AddMinutes(1), CheckOutcome.Succeeded, [], [],
            [patterns[0] with { LiquidationCount = 2, AssetsInvolved = [.. coins[0].Reverse()] }]), default);
        var stored = await new LiquidationPatterns(_db).ListOfIdsAsync(["p0", "p1", "p2"], 10, default);
        Assert.That(stored.OrderBy(pattern => pattern.PatternId).Select(pattern => pattern.AssetsInvolved),
            Is.EqualTo(new[] { [.. coins[0].Reverse()], coins[1], coins[2] }));
    }

    [Test]
    public async Task What_is_read_back_is_what_was_recorded()
    {
        var result = Result(Noon, findings: ResultSample.Finding("r", "s", Severity.High));
        await Recorder(_db).WriteAsync(result, default);
        var snapshot = await new HlpVaultSnapshots(_db).FindLatestAsync(Sample.Vault, default);
        Assert.That(snapshot! with { HealthIssues = Array.Empty<string>() },
            Is.EqualTo((HlpVaultSnapshot)result.Observations[0] with { HealthIssues = Array.Empty<string>() }));
        Assert.That(snapshot.HealthIssues, Is.EqualTo(new[] { "an issue" }));
    }

    [Test]
    public async Task Components_keep_their_last_digit()
    {
        var result = Result(Noon);
        await Recorder(_db).WriteAsync(result, default);
        Assert.That(await new HlpVaultComponents(_db).ListAtAsync(Sample.Vault, Noon, default),
            Is.EqualTo(result.Observations.OfType<HlpVaultComponent>()));
    }

    [Test]
    public async Task Success_replaces_another_workers_failure_of_the_same_time_and_not_the_other_way_round()
    {
        var recorder = Recorder(_db);
        await recorder.WriteAsync(Result(Noon, CheckOutcome.Failed), default);
        Assert.That(await recorder.WriteAsync(Result(Noon), default), Is.Not.Null);
        Assert.That(await recorder.WriteAsync(Result(Noon, CheckOutcome.Failed), default), Is.Null);
        Assert.That(
            await QueryAsync<(string, string?, long)>("SELECT outcome, error, (SELECT count(*) FROM hlp_vault_snapshots) FROM check_runs"),
            Is.EqualTo(("succeeded", (string?)null, 1L)));
    }

    private const string PricesSql = "SELECT string_agg(asset || ' ' || hyperliquid_price, ', ' ORDER BY asset) FROM oracle_deviations";

    private const string ChangesSql = """
        SELECT string_agg(subject || ' ' || kind, ', ' ORDER BY seq)
          FROM security_event_changes
          JOIN security_events USING (event_id)
        """;

    private static OracleDeviation Deviation(string asset, decimal price, DateTimeOffset? at = null) => new(
        asset, at ?? Noon, price, price, null, null, null, null, null, price, 1, [], 0.1m, "okx", null, 0, null, false, null, null);

    private static CheckResult Oracle(CheckOutcome outcome, params Observation[] rows) =>
        ResultSample.Of("oracle", Noon, outcome, [], [], rows);

    [Test]
    public async Task Success_that_replaces_a_failure_keeps_the_rows_that_it_has_left_and_adds_its_own()
    {
        var recorder = Recorder(_db);
        await recorder.WriteAsync(Oracle(CheckOutcome.Failed, Deviation("BTC", 1), Deviation("GONE", 1)), default);
        Assert.That(await recorder.WriteAsync(Oracle(CheckOutcome.Succeeded, Deviation("BTC", 2), Deviation("ETH", 2)), default),
            Is.Not.Null);
        Assert.That(await recorder.WriteAsync(Oracle(CheckOutcome.Succeeded, Deviation("BTC", 3), Deviation("SOL", 3)), default), Is.Null);
        Assert.That(await QueryAsync<string>(PricesSql), Is.EqualTo("BTC 1, ETH 2, GONE 1"));
    }

    [Test]
    public async Task Of_two_rows_with_one_key_in_one_result_the_first_is_stored_and_the_others_are_too()
    {
        await Recorder(_db).WriteAsync(Oracle(CheckOutcome.Succeeded, Deviation("BTC", 1), Deviation("BTC", 2), Deviation("ETH", 3)),
            default);
        Assert.That(await QueryAsync<string>(PricesSql), Is.EqualTo("BTC 1, ETH 3"));
    }

    [Test]
    public async Task Deviation_that_is_read_back_is_what_was_recorded()
    {
        var full = new OracleDeviation("xyz:BTC", Noon, 0.1234567890123456789012345678m, 2, 3, 4, 5, 6, 7, 8, 5, ["a,b", "\"c\""], 1.5m,
            "okx", Noon.AddSeconds(-90), 90, 0.5m, true, Severity.Critical, 99.5m);
        await Recorder(_db).WriteAsync(Oracle(CheckOutcome.Succeeded, full, Deviation("ETH", 3)), default);
        var read = await _db.ReadAsync(batch => OracleDeviations.ListNow(batch, Noon.AddDays(1)));
        Assert.That(read[1] with { LeftOut = full.LeftOut }, Is.EqualTo(full));
        Assert.That(read[1].LeftOut, Is.EqualTo(full.LeftOut));
        Assert.That(read[0] with { LeftOut = [] }, Is.EqualTo(Deviation("ETH", 3) with { LeftOut = [] }));
    }

    [Test]
    public async Task What_was_read_of_sources_is_stored_by_both_of_two_workers_and_comes_back_with_the_next_start()
    {
        CheckResult Reads(params PositionRange[] ranges) =>
            ResultSample.Of("fills", Noon, CheckOutcome.Succeeded, [], []) with { Readings = [new("0xa", ranges)] };
        await Recorder(_db).WriteAsync(Reads(new PositionRange(100, 200)), default);
        Assert.That(await Recorder(_db).WriteAsync(Reads(new PositionRange(150, 260), new PositionRange(300, 400)), default), Is.Null);
        var cursor = (await new SourceCursors(_db).ListAsync("fills", default)).Single();
        Assert.That((cursor.Source, cursor.ReadUntil, cursor.Missing.Single()), Is.EqualTo(("0xa", 400L, new PositionRange(260, 300))));
    }

    [Test]
    public async Task Occurrence_expires_and_those_who_were_notified_of_it_are_notified_of_that()
    {
        var services = new ServiceCollection().AddSingleton(_db)
            .AddMonitoringTables()
            .AddSingleton(new RuleCatalog([RuleSample.With("r", EventLifetime.Occurrence(TimeSpan.FromMinutes(30)))]))
            .AddSingleton(new EventOptions(3, Severity.High)).AddSingleton(TimeProvider.System)
            .AddSingleton(new NotificationRouting(["slack"], Severity.High, [])).AddSingleton<DatabaseRecorder>();
        var recorder = services.BuildServiceProvider().GetRequiredService<DatabaseRecorder>();
        await recorder.WriteAsync(Result(Noon,
            findings: [ResultSample.Finding("r", "s", Severity.High), ResultSample.Finding("r", "low", Severity.Low)]), default);
        for (var minute = 1; minute <= 30; minute++)
            await recorder.WriteAsync(Result(Noon.AddMinutes(minute)), default);
        Assert.That(await QueryAsync<string>(ChangesSql),
            Is.EqualTo("s opened, low opened, low expired, s expired"), "ended by the order of their ids");
        Assert.That(await QueryAsync<string>(ChangesSql.Replace("security_event_changes", "notifications", StringComparison.Ordinal)),
            Is.EqualTo("s opened, s expired"));
    }

    [Test]
    public async Task Many_changes_of_one_check_are_numbered_in_its_order_without_holes()
    {
        var recorder = Recorder(_db);
        for (var i = 0; i < 3; i++)
        {
            var findings = Enumerable.Range(0, 50).Select(n => ResultSample.Finding("r", $"{i} {n:00}", Severity.High)).ToArray();
            await recorder.WriteAsync(Result(Noon.AddMinutes(i), findings: findings), default);
        }

        Assert.That(await QueryAsync<string>(ChangesSql),
            Is.EqualTo(string.Join(", ", Enumerable.Range(0, 150).Select(n => $"{n / 50} {n % 50:00} opened"))));
        Assert.That(await QueryAsync<(long, long, long)>("""
            SELECT min(seq), max(seq), (SELECT last_seq FROM security_event_change_counter)
              FROM security_event_changes
            """), Is.EqualTo((1L, 150L, 150L)));
    }

    [Test]
    public async Task Two_workers_on_one_database_store_each_grid_time_once_and_double_no_event()
    {
        var workers = new[] { Recorder(_db), Recorder(_db) };
        await Task.WhenAll(workers.Select(async worker =>
        {
            for (var i = 0; i < 60; i++) // two minutes at two seconds
                await worker.WriteAsync(
                    Result(Noon.AddSeconds(2 * i),
                        findings: i % 20 < 10 ? [ResultSample.Finding("r", "s", i % 20 < 5 ? Severity.High : Severity.Critical)] : []),
                    default);
        }));
        Assert.That(await QueryAsync<(long, long, long, long)>("""
            SELECT (SELECT count(*) FROM check_runs), (SELECT count(*) FROM hlp_vault_snapshots), (SELECT count(*) FROM security_events),
                   (SELECT sum(occurrences)::bigint FROM security_events)
            """), Is.EqualTo((60L, 60L, 3L, 30L)));
        Assert.That(await QueryAsync<(long, long)>("SELECT count(*), max(seq) FROM security_event_changes"),
            Is.EqualTo((9L, 9L)), "opened, escalated, resolved, three times, without a hole");
    }

    [Test]
    public async Task Numbers_of_changes_have_no_hole_after_a_rolled_back_writer()
    {
        var recorder = Recorder(_db);
        await recorder.WriteAsync(Result(Noon, findings: ResultSample.Finding("r", "a", Severity.High)), default);
        await using (var connection = await _db.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await connection.ExecuteAsync("INSERT INTO security_event_changes (event_id, changed_at, kind, severity, actor) "
                + "SELECT event_id, now(), 'silenced', 'high', 'x' FROM security_events", transaction: transaction);
            await transaction.RollbackAsync();
        }

        await recorder.WriteAsync(Result(Noon.AddMinutes(1), findings: ResultSample.Finding("r", "b", Severity.High)), default);
        Assert.That(await QueryAsync<(long, long, long)>("SELECT count(*), min(seq), max(seq) FROM security_event_changes"),
            Is.EqualTo((2L, 1L, 2L)));
    }

    [Test]
    public void Result_survives_json_without_loss()
    {
        var result = Result(Noon, findings: ResultSample.Finding("r", "s", Severity.High));
        var json = JsonSerializer.Serialize(result, CheckResult.Json);
        var back = JsonSerializer.Deserialize<CheckResult>(json, CheckResult.Json)!;
        Assert.That(JsonSerializer.Serialize(back, CheckResult.Json), Is.EqualTo(json));
        Assert.That((back.Run, back.Observations[1], back.Observations[2]),
            Is.EqualTo((result.Run, result.Observations[1], result.Observations[2])));
        Assert.That((decimal)back.Findings[0].Evidence.Values["value"]!, Is.EqualTo(1.25m));
    }

    [Test]
    public async Task Statistics_from_the_rollup_equal_those_of_the_rows()
    {
        var recorder = Recorder(_db);
        for (var i = 0; i < 40; i++)
        {
            var measures = Sample.Measures(capital: 100_000_000 + (i * 1_000), score: new(i, 0, 0));
            await recorder.WriteAsync(ResultSample.Of("hlp-vault", Noon.AddMinutes(7 * i), CheckOutcome.Succeeded, [],
                [], Sample.Snapshot(Noon.AddMinutes(7 * i), measures, i % 3 == 0 ? ["x"] : [])), default);
        }

        foreach (var since in new[]
        {
            Noon.AddDays(-1), Noon, Noon.AddMinutes(30), Noon.AddMinutes(61), Noon.AddMinutes(180), Noon.AddDays(1),
        })
        {
            var summed = (await _db.ReadAsync(batch => HlpVaultSnapshots.Summarise(batch, since, Noon.AddDays(1)))).Single();
            var counted = await QueryAsync<HlpVaultStatistics>($"""
                SELECT count(*) AS total_snapshots, round(avg(account_value), 6) AS avg_account_value,
                       min(account_value) AS min_account_value, max(account_value) AS max_account_value,
                       round(avg(anomaly_score), 6) AS avg_anomaly_score, max(anomaly_score) AS max_anomaly_score,
                       count(*) FILTER (WHERE NOT is_healthy) AS unhealthy_snapshots
                  FROM hlp_vault_snapshots WHERE observed_at >= '{since:O}'
                """);
            Assert.That(summed, Is.EqualTo(counted), $"since {since:O}");
        }
    }
}
