using Dapper;
using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Monitoring.Migrations;
using Npgsql;

namespace Monitoring.Tests.Migrations;

/// <summary>The schema in databases as they are: with settings, accounts and neighbours of their own.</summary>
public sealed class SurroundingsTests
{
    private NpgsqlDataSource _db = null!;
    private NpgsqlConnectionStringBuilder _connection = null!;
    private string? _role;

    [SetUp]
    public async Task CreateDatabase()
    {
        _db = await TestDatabase.CreateEmptyAsync();
        _connection = TestDatabase.ConnectionTo(_db);
    }

    [TearDown]
    public async Task DropDatabase()
    {
        await TestDatabase.DropAsync(_db);
        if (_role is not null)
            await TestDatabase.ExecuteAsync($"DROP ROLE {_role}");
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = await _db.OpenConnectionAsync();
        await connection.ExecuteAsync(sql);
    }

    private async Task<T> QueryAsync<T>(string sql)
    {
        await using var connection = await _db.OpenConnectionAsync();
        return await connection.QuerySingleAsync<T>(sql);
    }

    /// <summary>From now on the migrations run as an account that owns nothing yet.</summary>
    private async Task BecomeAsync()
    {
        (_connection.Username, _connection.Password) = (_role = $"login_of_{_connection.Database}", Guid.NewGuid().ToString("N"));
        await TestDatabase.ExecuteAsync($"CREATE ROLE {_role} LOGIN PASSWORD '{_connection.Password}'");
    }

    private async Task<(ExitCode Code, string Errors)> UpAsync(NpgsqlConnectionStringBuilder? connection = null)
    {
        await using var db = DataSources.Create(connection ?? _connection, prepare: false);
        using var errors = new StringWriter();
        var commands = new SchemaCommands(new SchemaRunner(connection ?? _connection), new SchemaHistory(db), TextWriter.Null, errors);
        return (await commands.UpAsync(default), errors.ToString());
    }

    [Test]
    public async Task Every_function_fixes_its_own_settings()
    {
        await UpAsync();
        await using var connection = await _db.OpenConnectionAsync();
        // These are put into the queries that call them, which a function with settings never is: their plans need that.
        var without = await connection.QueryAsync<string>("""
            SELECT proname
              FROM pg_proc
              JOIN pg_language AS l ON l.oid = prolang
             WHERE pronamespace = 'public'::regnamespace AND lanname IN ('sql', 'plpgsql')
               AND proname NOT IN ('silences_in_force', 'inhibitions_in_force', 'announces')
               AND NOT (coalesce(proconfig, '{}') @> ARRAY['DateStyle=ISO, YMD', 'TimeZone=UTC']
                        AND array_to_string(proconfig, ';') ~ 'search_path=pg_catalog(, public)?, pg_temp')
            """);
        Assert.That(without, Is.Empty);
    }

    [TestCase("SQL, DMY", "Asia/Kolkata")]
    [TestCase("German", "Asia/Shanghai")]
    [TestCase("Postgres, MDY", "Australia/Sydney")]
    public async Task Partitions_hold_the_days_of_their_names_whatever_style_and_zone_the_database_has(string style, string zone)
    {
        await ExecuteAsync($"ALTER DATABASE {_connection.Database} SET DateStyle = '{style}'");
        await ExecuteAsync($"ALTER DATABASE {_connection.Database} SET TimeZone = '{zone}'");
        NpgsqlConnection.ClearAllPools();
        _db.Clear();
        await TestDatabase.Commands(_db).ToAsync(SchemaVersions.Engine, default);
        await new DayPartitions(_db).EnsureAsync([new DateOnly(2026, 11, 29)], default);
        Assert.That(await BoundsAsync("check_runs_p20261129"),
            Is.EqualTo("FOR VALUES FROM ('2026-11-29 00:00:00+00') TO ('2026-11-30 00:00:00+00')"));
    }

    [Test]
    public async Task Partition_that_was_cut_at_other_hours_is_put_right_with_its_rows()
    {
        await TestDatabase.Commands(_db).ToAsync(202611291200, default);
        await ExecuteAsync("""
            -- As PostgreSQL before 18 cut it under DateStyle SQL in Asia/Kolkata, whose abbreviation IST it took for Israel's.
            CREATE TABLE check_runs_p20261129 PARTITION OF check_runs FOR VALUES FROM ('2026-11-29 03:30Z') TO ('2026-11-30 03:30Z');
            SET TimeZone = 'UTC';
            INSERT INTO check_runs (monitor, scheduled_at, trigger, started_at, finished_at, outcome, observations, findings, worker)
            SELECT 'm', lower_bound + hours * interval '1 hour', 'grid', now(), now(), 'succeeded', 1, 0, 'w'
              FROM (SELECT substring(pg_get_expr(relpartbound, oid) from '\(''(.*?)''\)')::timestamptz AS lower_bound
                      FROM pg_class WHERE relname = 'check_runs_p20261129') AS cut, generate_series(0, 23) AS hours;
            """);
        Assert.That(await BoundsAsync("check_runs_p20261129"), Does.Not.Contain("00:00:00+00"), "the case that is put right");
        await UpAsync();
        Assert.That(await BoundsAsync("check_runs_p20261129"),
            Is.EqualTo("FOR VALUES FROM ('2026-11-29 00:00:00+00') TO ('2026-11-30 00:00:00+00')"));
        Assert.That(await QueryAsync<long>("SELECT count(*) FROM check_runs"), Is.EqualTo(24));
        Assert.That(await QueryAsync<long>("SELECT count(*) FROM pg_class WHERE relname LIKE '%\\_wrong%'"), Is.Zero);
    }

    private async Task<string> BoundsAsync(string partition)
    {
        await using var connection = await _db.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.ExecuteAsync("SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL TimeZone = 'UTC'");
        return await connection.QuerySingleAsync<string>(
            $"SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = '{partition}'");
    }

    [Test]
    public async Task Neighbours_in_the_schema_neither_keep_the_migrations_from_running_nor_get_grants()
    {
        await ExecuteAsync("CREATE EXTENSION pg_buffercache; CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw");
        await ExecuteAsync("""
            CREATE TABLE neighbour (secret text);
            CREATE FOREIGN TABLE elsewhere (line text) SERVER files OPTIONS (filename '/dev/null');
            CREATE VIEW seen AS SELECT secret FROM neighbour;
            """);
        await BecomeAsync();
        await ExecuteAsync($"""
            GRANT USAGE, CREATE ON SCHEMA public TO {_role};
            CREATE SCHEMA {_role} AUTHORIZATION {_role};
            ALTER ROLE {_role} SET search_path = {_role};
            """);
        Assert.That(await UpAsync(), Is.EqualTo((ExitCode.Done, "")));
        Assert.That(await QueryAsync<string[]>("""
            SELECT array_agg(relname::text ORDER BY relname)
              FROM pg_class
             WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'f') AND NOT relispartition
               AND NOT has_table_privilege('monitoring_api', oid, 'SELECT') AND relname <> 'pg_buffercache_numa' -- since 18
            """), Is.EqualTo(new[] { "elsewhere", "neighbour", "pg_buffercache", "seen" }));
        Assert.That(await QueryAsync<long>($"SELECT count(*) FROM pg_class WHERE relnamespace = '{_role}'::regnamespace"), Is.Zero,
            "nothing went into the schema of the account's name");
        Assert.That((await UpAsync()).Code, Is.EqualTo(ExitCode.Done), "and again there is nothing to do");
    }

    [Test]
    public async Task Every_table_that_a_migration_makes_is_known_as_ours()
    {
        await UpAsync();
        Assert.That(await QueryAsync<string[]?>("""
            SELECT array_agg(relname::text)
              FROM pg_class
             WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
               AND relname NOT IN (SELECT table_name FROM own_tables)
            """), Is.Null);
    }

    [Test]
    public async Task What_keeps_the_migrations_from_running_is_said_with_its_fix()
    {
        var owner = _connection.ConnectionString;
        await BecomeAsync();
        Assert.That(await UpAsync(), Is.EqualTo((ExitCode.Failed, $"nothing was changed: the account {_role} may not make tables in the "
            + $"schema public: as the owner of the database, GRANT USAGE, CREATE ON SCHEMA public TO {_role}\n")));
        await UpAsync(new NpgsqlConnectionStringBuilder(owner));
        await ExecuteAsync($"GRANT USAGE, CREATE ON SCHEMA public TO {_role}");
        Assert.That((await UpAsync()).Errors, Does.Contain($" and {_role} is no member of that role: run this as "));
        _connection = new NpgsqlConnectionStringBuilder(owner) { Options = "-c default_transaction_read_only=on" };
        Assert.That((await UpAsync()).Errors, Does.Contain("the database is read-only").And.Contains("must lead to the primary"));
        await ExecuteAsync("DROP SCHEMA public CASCADE");
        _connection.Options = null;
        Assert.That((await UpAsync()).Errors, Does.Contain("there is no schema public: CREATE SCHEMA public"));
    }

    [Test]
    public async Task Database_that_cannot_hold_every_text_is_refused()
    {
        var name = $"{_connection.Database}_latin";
        await TestDatabase.ExecuteAsync($"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'");
        var latin = new NpgsqlConnectionStringBuilder(_connection.ConnectionString) { Database = name };
        try
        {
            var up = await UpAsync(latin);
            Assert.That((up.Code, up.Errors), Is.EqualTo((ExitCode.Failed, up.Errors)));
            Assert.That(up.Errors, Does.Contain("the database's encoding is LATIN1, and only UTF8 holds every text").And.Contains(
                "CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"));
            await using var connections = new DatabaseConnections(new DatabaseOptions(latin));
            Assert.That(await new SchemaVersions(connections).FindProblemAsync(default),
                Does.StartWith("the database's encoding is LATIN1"),
                "which is what readiness, --check and the worker's log say");
        }
        finally
        {
            await TestDatabase.ExecuteAsync($"DROP DATABASE {name} WITH (FORCE)");
        }
    }
}
