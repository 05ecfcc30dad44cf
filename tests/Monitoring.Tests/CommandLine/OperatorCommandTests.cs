using Dapper;
using Monitoring.Data.Access;
using Monitoring.Tests.Access;
using Npgsql;

namespace Monitoring.Tests.CommandLine;

/// <summary>The commands for operators, as processes.</summary>
public sealed class OperatorCommandTests
{
    private NpgsqlDataSource _db = null!;

    [SetUp]
    public async Task CloneDatabase() => _db = await TestDatabase.CloneAsync();

    [TearDown]
    public Task DropDatabase() => TestDatabase.DropAsync(_db);

    private Task<(int ExitCode, string Output, string Errors)> RunAsync(string arguments) =>
        ProgramUnderTest.RunAsync("Monitoring.Worker", arguments, ("DATABASE_URL", TestDatabase.ConnectionTo(_db).ConnectionString));

    [Test]
    public async Task Key_is_shown_once_stored_as_its_hash_and_revoked()
    {
        var (code, key, said) = await RunAsync("keys create --name ops --scope operate read --expires 90d --rate 50 --as ada");
        Assert.That((code, ApiKeyText.IsWellFormed(key.TrimEnd('\n'))), Is.EqualTo((0, true)), said);
        Assert.That(said,
            Does.Contain("scope read, operate, 50 requests a minute").And.Contain("shown this once").And.Not.Contain(key.TrimEnd('\n')));
        await using var connection = await _db.OpenConnectionAsync();
        var row = await connection.QuerySingleAsync<string>("SELECT k::text FROM api_keys AS k");
        Assert.That(row,
            Does.Contain(Convert.ToHexStringLower(ApiKeyText.Hash(key.TrimEnd('\n')))).And.Contain(key[..11]).And.Not.Contain(key[..12]));

        var (again, _, fault) = await RunAsync("keys create --name ops");
        Assert.That((again, fault),
            Is.EqualTo((1, "there is a key 'ops' already (or 10000 keys in all); choose another name, or revoke it first\n")));
        Assert.That((await RunAsync("keys list")).Output.Split('\n')[1],
            Does.Match($"^ops +{key[..11]} +read,operate +50 +valid .* never +0 .* by ada$"));

        Assert.That((await RunAsync("keys revoke ops --as bob")).Output, Does.StartWith("key 'ops' mk_").And.Contain("is revoked"));
        Assert.That((await RunAsync("keys revoke ops")).ExitCode, Is.EqualTo(1));
        Assert.That((await RunAsync("keys list")).Output, Does.Contain(" revoked "));
        Assert.That(await connection.QueryAsync<string>("SELECT concat_ws(' ', actor, action, subject) FROM audit_log ORDER BY seq"),
            Is.EqualTo(new[] { "ada key.create ops", "bob key.revoke ops" }));
    }

    [TestCase("keys create", "--name")]
    [TestCase("keys create --name a/b", "--name takes")]
    [TestCase("keys create --name anonymous", "--name takes")]
    [TestCase("keys create --name a --scope admin", "admin")]
    [TestCase("keys create --name a --rate 0", "--rate takes")]
    [TestCase("keys create --name a --expires yesterday", "--expires takes a time to come")]
    [TestCase("keys create --name a --expires 2020-01-01", "--expires takes a time to come")]
    [TestCase("events ack nonsense", "nonsense")]
    [TestCase("events resolve 00000000-0000-0000-0000-000000000000", "--note")]
    [TestCase("events silence f", "--until")]
    [TestCase("audit verify --head 12", "--head takes")]
    [TestCase("audit verify --as", "--as")]
    public async Task Misuse_is_named_and_exits_with_2(string arguments, string fault)
    {
        var (code, output, errors) = await RunAsync(arguments);
        Assert.That((code, output), Is.EqualTo((2, "")), errors);
        Assert.That(errors, Does.Contain(fault));
    }

    [Test]
    public async Task Events_are_acknowledged_silenced_and_resolved()
    {
        var id = Guid.CreateVersion7();
        await using var connection = await _db.OpenConnectionAsync();
        await connection.ExecuteAsync(EventSample.InsertSql, new { id, fingerprint = "r:s" });

        Assert.That(await RunAsync($"events ack {id} --as ada"), Is.EqualTo((0, $"event {id} is acknowledged\n", "")));
        Assert.That(await RunAsync($"events ack {id} --as bob"), Is.EqualTo((0, $"event {id} was acknowledged already\n", "")));
        Assert.That((await RunAsync($"events silence {id} --until 2h --note noise")).Output,
            Does.StartWith("finding r:s is silenced until 2"));
        Assert.That(await RunAsync("events silence r:misspelt --until 2h"), Is.EqualTo((1, "", "there is no finding r:misspelt\n")));
        Assert.That(await RunAsync($"events resolve {id} --note \"false alarm\" --as ada"),
            Is.EqualTo((0, $"event {id} is resolved\n", "")));
        Assert.That(await RunAsync($"events resolve {id} --note \"false alarm\" --as ada"),
            Is.EqualTo((0, $"event {id} was resolved already\n", "")));
        Assert.That(await RunAsync($"events resolve {id} --note other"), Is.EqualTo((1, "", $"event {id} is resolved already\n")));
        Assert.That(await RunAsync($"events ack {id}"), Is.EqualTo((1, "", $"event {id} is resolved already\n")));
        Assert.That(await RunAsync($"events ack {Guid.Empty}"), Is.EqualTo((1, "", $"there is no event {Guid.Empty}\n")));
        Assert.That(
            await connection.QuerySingleAsync<string>("SELECT concat_ws(' ', status, acknowledged_by, resolution) FROM security_events"),
            Is.EqualTo("resolved ada false alarm"));
        Assert.That(await connection.QuerySingleAsync<string>("SELECT concat_ws(' ', fingerprint, note, created_by) FROM silences"),
            Is.EqualTo($"r:s noise {Environment.UserName}"));
    }

    [Test]
    public async Task Audit_log_is_verified()
    {
        await RunAsync("keys create --name a");
        await RunAsync("keys create --name b");
        var (code, said, _) = await RunAsync("audit verify");
        Assert.That((code, said), Is.EqualTo((0, said)));
        Assert.That(said, Does.Match("^the audit log is whole: 2 rows, head 2:[0-9a-f]{64}\n$"));
        var head = said.TrimEnd().Split(' ')[^1];
        Assert.That((await RunAsync($"audit verify --head {head}")).ExitCode, Is.Zero);

        await using (var connection = await _db.OpenConnectionAsync())
            await connection.ExecuteAsync("SET session_replication_role = replica; UPDATE audit_log SET subject = 'c' WHERE seq = 2");
        Assert.That(await RunAsync("audit verify"),
            Is.EqualTo((1, "", "the audit log was tampered with: row 2 was changed or put in: its hash is not that of its content\n")));
    }

    [Test]
    public async Task Database_that_is_away_or_too_old_is_said()
    {
        var (code, _, errors) = await ProgramUnderTest.RunAsync(
            "Monitoring.Worker", "keys list", ("DATABASE_URL", "Host=127.0.0.1;Port=1;Database=d;Username=u;Password=hunter2"));
        Assert.That((code, errors), Is.EqualTo((1, errors)));
        Assert.That(errors, Does.StartWith("the database cannot be used: ").And.Not.Contain("hunter2"));
        Assert.That((await ProgramUnderTest.RunAsync("Monitoring.Worker", "keys list")).Errors, Does.StartWith("DATABASE_URL: is not set"));
        await TestDatabase.Commands(_db).ToAsync(0, default);
        Assert.That((await RunAsync("keys list")).Errors, Does.Contain("run Monitoring.Migrations up"));
    }
}
