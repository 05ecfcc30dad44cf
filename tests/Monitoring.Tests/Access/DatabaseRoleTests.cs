using Dapper;
using Monitoring.Data.Access;
using Monitoring.Data.Database;
using Monitoring.Data.Events;
using Npgsql;

namespace Monitoring.Tests.Access;

/// <summary>What an account in the role <c>monitoring_api</c> can do to the database.</summary>
public sealed class DatabaseRoleTests
{
    private const string Denied = PostgresErrorCodes.InsufficientPrivilege;
    private NpgsqlDataSource _db = null!;
    private NpgsqlDataSource _api = null!;
    private string _login = "";

    [SetUp]
    public async Task CreateLogin()
    {
        _db = await TestDatabase.CloneAsync();
        var connection = TestDatabase.ConnectionTo(_db);
        _login = $"login_of_{connection.Database}";
        (connection.Username, connection.Password) = (_login, Guid.NewGuid().ToString("N"));
        await TestDatabase.ExecuteAsync($"CREATE ROLE {_login} LOGIN PASSWORD '{connection.Password}' IN ROLE monitoring_api");
        _api = DataSources.Create(connection);
    }

    [TearDown]
    public async Task DropLogin()
    {
        await _api.DisposeAsync();
        await TestDatabase.DropAsync(_db);
        await TestDatabase.ExecuteAsync($"DROP ROLE {_login}");
    }

    [Test]
    public async Task No_table_can_be_written_or_changed()
    {
        await using var connection = await _api.OpenConnectionAsync();
        var tables = (await connection.QueryAsync<(string Table, string Column)>("""
            SELECT c.relname, (SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 ORDER BY attnum LIMIT 1)
              FROM pg_class AS c
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
            """)).AsList();
        Assert.That(tables.Select(t => t.Table),
            Is.SupersetOf(new[] { "security_events", "audit_log", "audit_log_head", "api_keys", "check_runs", "VersionInfo" }));
        foreach (var (table, column) in tables)
        {
            Assert.That(await connection.QueryAsync<long>($"SELECT count(*) FROM \"{table}\""), Is.Not.Null, table);
            foreach (var sql in new[]
            {
                $"INSERT INTO \"{table}\" DEFAULT VALUES", $"UPDATE \"{table}\" SET \"{column}\" = NULL",
                $"DELETE FROM \"{table}\"", $"TRUNCATE \"{table}\"", $"SELECT 1 FROM \"{table}\" FOR UPDATE",
                $"ALTER TABLE \"{table}\" ADD COLUMN x int", $"ALTER TABLE \"{table}\" DISABLE TRIGGER ALL",
                $"DROP TABLE \"{table}\"", $"CREATE INDEX ON \"{table}\" (\"{column}\")",
                $"CREATE TRIGGER t BEFORE INSERT ON \"{table}\" FOR EACH ROW EXECUTE FUNCTION chain_audit_log()",
                $"ALTER TABLE \"{table}\" OWNER TO {_login}",
            })
                await RefusedAsync(connection, sql);
        }
    }

    [Test]
    public async Task Nothing_else_gives_more_rights()
    {
        await using var connection = await _api.OpenConnectionAsync();
        foreach (var sql in new[]
        {
            "CREATE TABLE t (id int)", "CREATE VIEW v AS SELECT 1", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "CREATE SCHEMA s", "SET ROLE monitoring_worker", "SET ROLE monitoring_owner", "SET session_replication_role = replica",
            "SELECT grant_monitoring_roles()", "SELECT ensure_day_partition('check_runs', '2026-11-21')", "CREATE ROLE r",
            "COPY api_keys TO PROGRAM 'cat'", "SELECT pg_read_file('/etc/passwd')",
        })
            await RefusedAsync(connection, sql);
        var callable = await connection.QueryAsync<string>("""
            SELECT proname FROM pg_proc
             WHERE pronamespace = 'public'::regnamespace AND prosecdef AND has_function_privilege(oid, 'EXECUTE')
            """);
        Assert.That(callable,
            Is.EquivalentTo(new[]
            {
                "acknowledge_event", "resolve_event", "silence_event", "record_key_usage", "record_refusals", "try_pulse_write",
            }));
        Assert.That(
            await connection.QueryAsync<string>("SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef "
                + "AND NOT coalesce(array_to_string(proconfig, ','), '') ~ '^search_path=pg_catalog'"),
            Is.Empty, "functions that run as their owner look nowhere but where their owner meant");
    }

    [Test]
    public async Task What_operators_need_works_and_is_recorded()
    {
        var id = Guid.CreateVersion7();
        await using (var connection = await _db.OpenConnectionAsync())
            await connection.ExecuteAsync(EventSample.InsertSql, new { id, fingerprint = "r:s" });
        var (actions, by) = (new OperatorActions(_api), new Operator("ada", "10.0.0.1"));
        var now = ManualClock.Noon;
        Assert.That(await actions.AcknowledgeAsync(id, by, "mine", now, default), Is.EqualTo(ActionOutcome.Done));
        Assert.That((await actions.SilenceAsync("r:s", now.AddHours(1), by, null, now, default)).Outcome, Is.EqualTo(ActionOutcome.Done));
        Assert.That(await actions.ResolveAsync(id, by, "over", now, default), Is.EqualTo(ActionOutcome.Done));
        await new AuditLog(_api).RecordRefusalsAsync(["10.0.0.9"], ["401 × 3"], default);
        Assert.That(
            (await new SecurityEventChanges(_api).ListAsync(id, default)).Select(change => (change.Kind, change.Actor, change.Note)),
            Is.EqualTo(new[]
            {
                (ChangeKind.Acknowledged, "ada", "mine"), (ChangeKind.Silenced, "ada", "until 2026-11-21T13:00:00Z"),
                (ChangeKind.Resolved, "ada", "over"),
            }));
        await using var audit = await _api.OpenConnectionAsync();
        Assert.That(
            await audit.QueryAsync<string>("SELECT concat_ws(' ', actor, origin, action, subject, detail) FROM audit_log ORDER BY seq"),
            Is.EqualTo(new[]
            {
                $"ada 10.0.0.1 event.acknowledge {id} mine", "ada 10.0.0.1 event.silence r:s until 2026-11-21T13:00:00Z",
                $"ada 10.0.0.1 event.resolve {id} over", "unknown 10.0.0.9 access.refuse api 401 × 3",
            }));
    }

    private static async Task RefusedAsync(NpgsqlConnection connection, string sql) =>
        Assert.That(async () => await connection.ExecuteAsync(sql),
            Throws.TypeOf<PostgresException>().With.Property(nameof(PostgresException.SqlState)).EqualTo(Denied), sql);
}

/// <summary>A stored event for tests that need one and no check.</summary>
internal static class EventSample
{
    public const string InsertSql = """
        INSERT INTO security_events (event_id, fingerprint, monitor, rule_id, rule_version, threat_type, severity, status, subject, title,
                                     description, indicators, related_addresses, occurrences, clean_checks, first_seen_at, last_seen_at,
                                     judged_at)
        VALUES (@id, @fingerprint, 'm', 'r', 1, 't', 'high', 'open', 's', 'title', 'description', '{}', '{}', 1, 0, '2026-11-21T11:00Z',
                '2026-11-21T11:30Z', '2026-11-21T11:30Z')
        """;
}
