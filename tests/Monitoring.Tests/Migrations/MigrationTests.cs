using Dapper;
using FluentMigrator;
using Monitoring.Data.Database;
using Monitoring.Migrations;
using Npgsql;

namespace Monitoring.Tests.Migrations;

public sealed class MigrationTests
{
    private NpgsqlDataSource _db = null!;

    [SetUp]
    public async Task CreateDatabase() => _db = await TestDatabase.CreateEmptyAsync();

    [TearDown]
    public Task DropDatabase() => TestDatabase.DropAsync(_db);

    private IReadOnlyList<long> Versions => [.. TestDatabase.Runner(_db).Migrations.Keys];

    [Test]
    public void Newest_migration_is_the_version_that_the_programs_need() => Assert.That(Versions[^1], Is.EqualTo(SchemaVersions.Required));

    [Test]
    public async Task Each_version_goes_up_down_and_up_again_to_the_same_schema()
    {
        var commands = TestDatabase.Commands(_db);
        foreach (var version in Versions)
        {
            var before = await DumpAsync();
            await commands.ToAsync(version, default);
            var after = await DumpAsync();
            await commands.DownAsync(1, default);
            Assert.That(WithoutVersionInfo(await DumpAsync()), Is.EqualTo(WithoutVersionInfo(before)),
                $"down of {version} leaves something behind");
            await commands.ToAsync(version, default);
            Assert.That(await DumpAsync(), Is.EqualTo(after), $"up of {version} differs the second time");
        }
    }

    [Test]
    public async Task Schema_is_the_committed_one()
    {
        await TestDatabase.Commands(_db).UpAsync(default);
        if (await SchemaText.CanDumpAsync(_db))
            Snapshot.Matches("Monitoring.Migrations/schema.sql", await SchemaText.DumpAsync(_db));
        Snapshot.Matches("tests/Monitoring.Tests/Migrations/catalogue.txt", await SchemaText.CatalogueAsync(_db));
    }

    [Test]
    public async Task Filled_database_goes_down_and_up()
    {
        var commands = TestDatabase.Commands(_db);
        await commands.UpAsync(default);
        await using var connection = await _db.OpenConnectionAsync();
        await connection.ExecuteAsync("""
            SELECT ensure_day_partition('check_runs', '2026-11-21');
            INSERT INTO check_runs (monitor, scheduled_at, trigger, started_at, finished_at, outcome, observations, findings, worker)
            VALUES ('m', '2026-11-21T12:00Z', 'grid', now(), now(), 'succeeded', 1, 0, 'w');
            INSERT INTO monitors VALUES ('m', 300, now());
            INSERT INTO security_events (event_id, fingerprint, monitor, rule_id, rule_version, threat_type, severity, status, subject,
                                         title, description, indicators, related_addresses, occurrences, clean_checks, first_seen_at,
                                         last_seen_at, judged_at)
            VALUES (gen_random_uuid(), 'f', 'm', 'r', 1, 't', 'high', 'open', 's', 't', 'd', '{}', '{}', 1, 0, now(), now(), now());
            INSERT INTO security_event_changes (event_id, changed_at, kind, severity, actor)
            SELECT event_id, now(), 'opened', 'high', 'w'
              FROM security_events;
            INSERT INTO hlp_vault_components VALUES ('v', 'c', now(), 1, 2, 3, 4);
            """);
        Assert.That(await commands.ToAsync(0, default), Is.EqualTo(ExitCode.Done));
        Assert.That(await connection.QuerySingleAsync<long>(
            """SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'VersionInfo'"""), Is.Zero);
        Assert.That(await commands.UpAsync(default), Is.EqualTo(ExitCode.Done));
        Assert.That(await commands.StatusAsync(json: false, default), Is.EqualTo(ExitCode.Done));
    }

    [Test]
    public async Task Broken_migration_leaves_the_version_before_it_whole()
    {
        await TestDatabase.Commands(_db).UpAsync(default);
        var before = await DumpAsync();
        var broken = TestDatabase.Commands(_db, typeof(BrokenMigration).Assembly);
        Assert.That(async () => await broken.UpAsync(default), Throws.TypeOf<MigrationFailedException>().With.Message.EndsWith(
            "migration 999912312359 failed and was rolled back, the schema stays at the version before it: "
            + "relation \"no_such_table\" does not exist"));
        Assert.That(await DumpAsync(), Is.EqualTo(before));
        Assert.That(await broken.StatusAsync(json: true, default), Is.EqualTo(ExitCode.Pending));
    }

    [Test]
    public async Task Of_two_runs_at_once_one_migrates_and_the_other_finds_nothing_to_do()
    {
        using var waiting = new StringWriter();
        var held = await new SchemaHistory(_db).LockAsync(() => { }, default);
        var commands = new SchemaCommands(TestDatabase.Runner(_db), new SchemaHistory(_db), waiting, TextWriter.Null);
        var second = commands.UpAsync(default);

        // The one that holds the lock migrates meanwhile; the other must not have begun.
        var runner = TestDatabase.Runner(_db);
        foreach (var version in Versions)
            runner.Apply(version);
        Assert.That(second.IsCompleted, Is.False);
        await held.DisposeAsync();
        Assert.That(await second, Is.EqualTo(ExitCode.Done));
        Assert.That(waiting.ToString(), Does.Contain("waiting for it").And.Contain("nothing to do"));
    }

    [Test]
    public async Task Script_changes_nothing_and_run_by_hand_makes_the_same_schema()
    {
        using var script = new StringWriter();
        var empty = await DumpAsync();
        await new SchemaCommands(TestDatabase.Runner(_db), new SchemaHistory(_db), script, TextWriter.Null).ScriptAsync(default);
        Assert.That(await DumpAsync(), Is.EqualTo(empty));
        await ExecuteAsync(script.ToString());
        var byHand = await DumpAsync();
        var commands = TestDatabase.Commands(_db);
        Assert.That(await commands.StatusAsync(json: false, default), Is.EqualTo(ExitCode.Done));
        await commands.ToAsync(0, default);
        await commands.UpAsync(default);
        Assert.That(await DumpAsync(), Is.EqualTo(byHand));
    }

    [Test]
    public async Task Script_of_a_database_half_way_goes_on_from_there()
    {
        var commands = TestDatabase.Commands(_db);
        await commands.ToAsync(Versions[^3], default);
        using var script = new StringWriter();
        await new SchemaCommands(TestDatabase.Runner(_db), new SchemaHistory(_db), script, TextWriter.Null).ScriptAsync(default);
        Assert.That(script.ToString().Split('\n').Where(line => line is "BEGIN;" or "COMMIT;"),
            Is.EqualTo(new[] { "BEGIN;", "COMMIT;", "BEGIN;", "COMMIT;" }));
        await ExecuteAsync(script.ToString());
        Assert.That(await commands.StatusAsync(json: false, default), Is.EqualTo(ExitCode.Done));
    }

    // What the program's own small runner made, before FluentMigrator ran the migrations; databases in use have it.
    private const string SmallRunnersTableSql = """
        DROP TABLE "VersionInfo";
        CREATE TABLE IF NOT EXISTS "VersionInfo" ("Version" bigint NOT NULL, "AppliedOn" timestamp, "Description" varchar(1024));
        CREATE UNIQUE INDEX IF NOT EXISTS "UC_Version" ON "VersionInfo" ("Version");
        """;

    private const string SmallRunnersRowSql = """
        INSERT INTO "VersionInfo" ("Version", "AppliedOn", "Description") VALUES ($1, now() AT TIME ZONE 'UTC', $2)
        """;

    [TestCase(0)]
    [TestCase(2)]
    public async Task Database_that_the_small_runner_migrated_goes_on_from_its_version(int missing)
    {
        var runner = TestDatabase.Runner(_db);
        await TestDatabase.Commands(_db).UpAsync(default);
        var expected = await DumpAsync();
        await TestDatabase.Commands(_db).ToAsync(Versions[^(missing + 1)], default);
        await ExecuteAsync(SmallRunnersTableSql);
        foreach (var version in Versions.SkipLast(missing))
        {
            await using var row = _db.CreateCommand(SmallRunnersRowSql);
            row.Parameters.AddWithValue(version);
            row.Parameters.AddWithValue(runner.Migrations[version]);
            await row.ExecuteNonQueryAsync();
        }

        using var output = new StringWriter();
        var commands = new SchemaCommands(runner, new SchemaHistory(_db), output, output);
        Assert.That(await commands.UpAsync(default), Is.EqualTo(ExitCode.Done));
        Assert.That(output.ToString(), Is.EqualTo(missing == 0 ? "nothing to do\n"
            : string.Concat(Versions.TakeLast(missing).Select(version => $"applied {version}  {runner.Migrations[version]}\n"))));
        Assert.That(await DumpAsync(), Is.EqualTo(expected));
        Assert.That(await commands.ToAsync(0, default), Is.EqualTo(ExitCode.Done));
        Assert.That(await commands.UpAsync(default), Is.EqualTo(ExitCode.Done));
        Assert.That(await DumpAsync(), Is.EqualTo(expected));
    }

    [Test]
    public async Task Version_of_a_newer_program_is_listed_and_not_taken_back()
    {
        var commands = TestDatabase.Commands(_db);
        await commands.UpAsync(default);
        await using (var connection = await _db.OpenConnectionAsync())
            await connection.ExecuteAsync("""INSERT INTO "VersionInfo" VALUES (999900000000, now(), 'from the future')""");
        Assert.That(await commands.DownAsync(1, default), Is.EqualTo(ExitCode.Failed));
        Assert.That(await commands.StatusAsync(json: false, default), Is.EqualTo(ExitCode.Done));
        Assert.That(await commands.ToAsync(5, default), Is.EqualTo(ExitCode.Usage));
    }

    [Test]
    public async Task Roles_may_do_what_their_program_needs_and_no_more()
    {
        await TestDatabase.Commands(_db).UpAsync(default);
        await using var connection = await _db.OpenConnectionAsync();
        await connection.ExecuteAsync("SET ROLE monitoring_worker");
        await connection.ExecuteAsync(
            "SELECT ensure_day_partition('check_runs', '2026-11-22'); INSERT INTO monitors VALUES ('m', 300, now())");
        await RefusedAsync(connection, "UPDATE security_event_changes SET note = 'x'");
        await RefusedAsync(connection, """DELETE FROM "VersionInfo" """);
        await connection.ExecuteAsync("SET ROLE monitoring_api");
        Assert.That(await connection.QuerySingleAsync<long>("SELECT count(*) FROM monitors"), Is.EqualTo(1));
        foreach (var table in await connection.QueryAsync<string>("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        {
            await RefusedAsync(connection, $"DELETE FROM \"{table}\"");
            await RefusedAsync(connection, $"TRUNCATE \"{table}\"");
        }
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = _db.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task RefusedAsync(NpgsqlConnection connection, string sql) =>
        Assert.That(async () => await connection.ExecuteAsync(sql),
            Throws.TypeOf<PostgresException>().With.Property("SqlState").EqualTo("42501"), sql);

    private Task<string> DumpAsync() => SchemaText.ReadAsync(_db);

    // A part is a statement of a dump, or a line of the catalogue.
    private static string WithoutVersionInfo(string schema) =>
        string.Join('\n', schema.Split(schema.Contains(";\n") ? ";\n" : "\n").Where(part => !part.Contains("VersionInfo")));

    /// <summary>Fails in its second statement.</summary>
    [Migration(999912312359, "Fails in the middle")]
    public sealed class BrokenMigration : Migration
    {
        public override void Up()
        {
            Execute.Sql("CREATE TABLE half_done (id int); ALTER TABLE check_runs ADD COLUMN half_done int");
            Execute.Sql("INSERT INTO no_such_table VALUES (1)");
        }

        public override void Down() => Execute.Sql("DROP TABLE half_done");
    }
}
