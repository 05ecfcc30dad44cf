using Dapper;
using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Npgsql;

namespace Monitoring.Tests.Database;

/// <summary>How the programs come by a connection, on servers and accounts as they are.</summary>
public sealed class DatabaseConnectionsTests
{
    private readonly ManualClock _clock = new(ManualClock.Noon);
    private readonly TestLogs _logs = new();
    private NpgsqlDataSource _db = null!;
    private NpgsqlConnectionStringBuilder _connection = null!;
    private string? _role;

    [SetUp]
    public async Task Clone()
    {
        _db = await TestDatabase.CloneAsync();
        _connection = TestDatabase.ConnectionTo(_db);
    }

    [TearDown]
    public async Task Drop()
    {
        await TestDatabase.DropAsync(_db);
        if (_role is not null)
            await TestDatabase.ExecuteAsync($"DROP ROLE {_role}");
    }

    private DatabaseConnections Connections(PoolerMode pooler = PoolerMode.Auto) =>
        new(new DatabaseOptions(_connection, Pooler: pooler), _logs.For<DatabaseConnectionsTests>(), _clock);

    private async Task BecomeAsync(string attributes)
    {
        (_connection.Username, _connection.Password) = (_role = $"login_of_{_connection.Database}", Guid.NewGuid().ToString("N"));
        await TestDatabase.ExecuteAsync(
            $"CREATE ROLE {_role} LOGIN PASSWORD '{_connection.Password}' IN ROLE monitoring_worker {attributes}");
    }

    private static async Task<int> ProcessAsync(DatabaseConnections connections)
    {
        await using var connection = await connections.OpenConnectionAsync(default);
        return await connection.QuerySingleAsync<int>("SELECT pg_backend_pid()");
    }

    [Test]
    public async Task Program_that_starts_while_the_database_is_away_looks_for_a_pooler_on_the_first_connection_that_works()
    {
        await using var gate = new TcpGate(_connection.Host!, _connection.Port);
        (_connection.Host, _connection.Port) = ("127.0.0.1", gate.Port);
        gate.Close();
        await using var connections = Connections();
        Assert.That(async () => await connections.OpenConnectionAsync(default), Throws.InstanceOf<NpgsqlException>());
        Assert.That(connections.HasPooler, Is.Null);
        gate.Open();
        await ProcessAsync(connections);
        Assert.That((connections.HasPooler, connections.Settings.MaxAutoPrepare), Is.EqualTo((false, 100)));
        Assert.That(_logs.Lines, Is.Empty);
    }

    [Test]
    public async Task Connection_that_the_server_ended_while_it_was_idle_costs_nobody_an_answer()
    {
        await using var connections = Connections();
        var first = await ProcessAsync(connections);
        Assert.That(await ProcessAsync(connections), Is.EqualTo(first), "the same one is used again");
        await using (var end = _db.CreateCommand($"SELECT pg_terminate_backend({first}, 5000)"))
            await end.ExecuteNonQueryAsync();
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.That(await ProcessAsync(connections), Is.Not.EqualTo(first));
    }

    [Test]
    public async Task Where_the_server_gives_no_further_connection_one_of_ours_is_waited_for()
    {
        await BecomeAsync("CONNECTION LIMIT 2");
        (_connection.MaxPoolSize, _connection.Timeout) = (15, 60);
        await using var connections = new DatabaseConnections(new DatabaseOptions(_connection));
        await Task.WhenAll(Enumerable.Range(0, 100).Select(async _ =>
        {
            await using var connection = await connections.OpenConnectionAsync(default);
            await connection.ExecuteAsync("SELECT pg_sleep(0.001)");
        }));
    }

    [Test]
    public async Task Server_that_gives_no_connection_at_all_is_said_to_be_full_at_once()
    {
        await BecomeAsync("CONNECTION LIMIT 0");
        await using var connections = Connections();
        var fault = Assert.CatchAsync(async () => await connections.OpenConnectionAsync(default))!;
        Assert.That(DatabaseFaults.Describe(fault),
            Does.StartWith("too many connections for role").And.Contains("lower DATABASE_POOL_SIZE").And.Contains("max_connections"));
    }

    [Test]
    public async Task Statement_that_failed_when_it_was_prepared_makes_no_later_one_a_defect_of_ours()
    {
        await using var connections = Connections();
        for (var n = 0; n < 6; n++)
            try
            {
                await using var connection = await connections.OpenConnectionAsync(default);
                await connection.QuerySingleAsync<string>("SELECT @text::text", new { text = n < 2 ? "\0" : "fine" });
            }
            catch (Exception fault)
            {
                Assert.That(DatabaseFaults.Covers(fault), Is.True, $"{n}: {fault}");
                Assert.That(n < 2 || (n == 2 && DatabaseFaults.IsTransient(fault)), Is.True, $"{n}: {fault}");
            }
    }

    [TestCase("read-write", null)]
    [TestCase("any", null)]
    [TestCase("primary", null)]
    [TestCase("standby", "no host that DATABASE_URL names takes sessions of the kind that its target_session_attrs asks for")]
    public async Task Single_host_may_be_asked_for_a_kind_of_session(string attribute, string? fault)
    {
        _connection.TargetSessionAttributes = attribute;
        await using var connections = Connections();
        if (fault is null)
            Assert.That(await ProcessAsync(connections), Is.Positive);
        else
            Assert.That(DatabaseFaults.Describe(Assert.CatchAsync(() => ProcessAsync(connections))!), Is.EqualTo(fault));
        using var output = new StringWriter();
        Assert.DoesNotThrow(() => new Monitoring.Migrations.SchemaRunner(_connection).WriteScript([], output));
    }

    [Test]
    public async Task Account_with_a_search_path_of_its_own_finds_our_tables_or_is_told_what_to_do()
    {
        await BecomeAsync("");
        await using (var owner = await _db.OpenConnectionAsync())
            await owner.ExecuteAsync($"ALTER ROLE {_role} SET search_path = elsewhere");
        await using (var direct = Connections())
            Assert.That(await new SchemaVersions(direct).FindProblemAsync(default), Is.Null);
        await using var pooled = Connections(PoolerMode.Yes);
        Assert.That(await new SchemaVersions(pooled).FindProblemAsync(default), Is.EqualTo(
            $"the search_path of this session does not lead to the schema public: ALTER ROLE {_role} SET search_path = public"));
    }

    [Test]
    public async Task Session_that_listens_outlives_the_servers_limit_for_idle_ones()
    {
        _connection.Options = "-c idle_session_timeout=1000";
        using var stop = new CancellationTokenSource();
        using var heard = new SemaphoreSlim(0);
        var listening = new ChannelListener(new DatabaseOptions(_connection)).ListenAsync("a_channel", () => heard.Release(), stop.Token);
        await heard.WaitAsync();
        await using (var outlive = _db.CreateCommand("SELECT pg_sleep(1.5)")) // the server's own time, which this is about
            await outlive.ExecuteNonQueryAsync();
        await using (var notify = _db.CreateCommand("NOTIFY a_channel"))
            await notify.ExecuteNonQueryAsync();
        Assert.That(await heard.WaitAsync(TimeSpan.FromSeconds(30)), Is.True);
        await stop.CancelAsync();
        Assert.That(async () => await listening, Throws.InstanceOf<OperationCanceledException>());
    }
}
