using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Monitoring.Simulator;
using Monitoring.Simulator.Faults;
using Monitoring.Simulator.Model;
using Monitoring.Simulator.References;
using Npgsql;

namespace Monitoring.Tests.CommandLine;

public sealed class WorkerProgramTests
{
    private NpgsqlDataSource _db = null!;
    private WebApplication _simulator = null!;
    private TcpGate _gate = null!;
    private NpgsqlConnectionStringBuilder _connection = null!;

    [SetUp]
    public async Task Start()
    {
        _db = await TestDatabase.CloneAsync();
        _connection = TestDatabase.ConnectionTo(_db);
        _gate = new TcpGate(_connection.Host!, _connection.Port);
        (_connection.Host, _connection.Port) = ("127.0.0.1", _gate.Port);
        _simulator = SimulatorApp.Build(new SimulatorOptions(ScenarioLoader.Load("calm")));
        await _simulator.StartAsync();
    }

    [TearDown]
    public async Task Stop()
    {
        await _simulator.StopAsync();
        await _simulator.DisposeAsync();
        await _gate.DisposeAsync();
        await TestDatabase.DropAsync(_db);
    }

    private (string, string)[] Settings(params (string, string)[] more) =>
        [("DATABASE_URL", _connection.ConnectionString), ("HYPERLIQUID_API_URL", _simulator.Urls.First()),
            ("Venues__Hyperliquid__WeightPerMinute", "1000000"),
            .. WorkerUnderTest.PriceSources.Select(source => (source, _simulator.Urls.First())), .. more];

    [Test]
    public async Task Bad_configuration_stops_the_start_with_one_line_per_fault()
    {
        var (code, output, errors) = await ProgramUnderTest.RunAsync(
            "Monitoring.Worker", "--hlp-interval 0", ("DATABASE_URL", "postgresql://u:hunter2@h:x/d"),
            ("ALERT_MIN_SEVERITY", "awful"), ("HLP_VAULT_ADDRESS", "0x1"), ("HYPERLIQUID_API_URL", "nonsense"));
        Assert.That((code, output), Is.EqualTo((1, "")));
        Assert.That(errors.TrimEnd().Split('\n').Select(line => line[..line.IndexOf(':')]),
            Is.EquivalentTo(
                new[] { "DATABASE_URL", "ALERT_MIN_SEVERITY", "HLP_VAULT_ADDRESS", "HYPERLIQUID_API_URL", "HLP_CHECK_INTERVAL" }));
        Assert.That(errors, Does.Not.Contain("hunter2"));
    }

    [Test]
    public async Task Unknown_option_is_a_usage_fault()
    {
        var (code, _, errors) = await ProgramUnderTest.RunAsync("Monitoring.Worker", "--frobnicate");
        Assert.That((code, errors.Split('\n')[0]), Is.EqualTo((2, "Unrecognized command or argument '--frobnicate'.")));
    }

    [Test]
    public async Task Check_says_that_all_is_well()
    {
        var (code, output, _) = await ProgramUnderTest.RunAsync(
            "Monitoring.Worker", "--check", Settings(("WEBHOOK_URL", "http://127.0.0.1:9/")));
        Assert.That(code, Is.Zero, output);
        Assert.That(output.TrimEnd().Split('\n'),
            Has.All.StartsWith("ok ").And.One.StartsWith("ok     live feed ws://").And.One.EqualTo("ok     price source okx")
                .And.One.StartsWith("ok     journal /").And.One.StartsWith("ok     notifications to webhook;")
                .And.Some.Match("symbol table: 3 of [0-9]+ assets are listed, 3 can be judged"));
    }

    [Test]
    public async Task Check_warns_of_a_price_source_that_fails_and_is_content()
    {
        var venue = _simulator.Services.GetRequiredService<Venue>();
        venue.Faults.Add(new Fault(FaultKind.Http500, "kraken"));
        venue.Faults.Add(new Fault(FaultKind.Html, "pyth"));
        var (code, output, _) = await ProgramUnderTest.RunAsync("Monitoring.Worker", "--check", Settings());
        Assert.That(code, Is.Zero, output);
        Assert.That(output.Split('\n'),
            Has.One.EqualTo("WARN   price source kraken: HTTP 500").And.One.StartsWith("WARN   price source pyth: the answer is no JSON")
                .And.One.StartsWith("WARN   notifications: no channel").And.None.StartsWith("FAULT"));
    }

    [Test]
    public async Task Check_fails_when_every_price_source_fails()
    {
        foreach (var source in ReferenceSources.All)
            _simulator.Services.GetRequiredService<Venue>().Faults.Add(new Fault(FaultKind.Http500, source));
        var (code, output, _) = await ProgramUnderTest.RunAsync("Monitoring.Worker", "--check", Settings());
        Assert.That(code, Is.EqualTo(1));
        Assert.That(output.Split('\n'), Has.One.EqualTo("FAULT  price sources: fewer than 2 answer, so no oracle price can be judged")
            .And.One.EqualTo("WARN   symbol table: fewer than 2 references for BTC, ETH, SOL").And.Exactly(5)
            .StartsWith("WARN   price source "));
    }

    [Test]
    public async Task Check_names_every_connection_that_fails()
    {
        _gate.Close();
        await _simulator.StopAsync();
        var (code, output, _) = await ProgramUnderTest.RunAsync("Monitoring.Worker", "--check", Settings());
        Assert.That(code, Is.EqualTo(1));
        Assert.That(output.TrimEnd().Split('\n'),
            Has.One.StartsWith("FAULT  database 127.0.0.1:").And.One.StartsWith("WARN   live feed ws://127.0.0.1:")
                .And.One.StartsWith("FAULT  venue http://127.0.0.1:").And.Some.Contains("Connection refused"));
    }

    [Test]
    public async Task Check_names_a_journal_that_cannot_be_written()
    {
        var file = Path.Combine(TestFolder.Create(), "no-folder");
        await File.WriteAllTextAsync(file, "");
        var (code, output, _) = await ProgramUnderTest.RunAsync(
            "Monitoring.Worker", "--check", Settings(("JOURNAL_PATH", $"{file}/journal")));
        Assert.That((code, output), Is.EqualTo((1, output)));
        Assert.That(output.Split('\n'), Has.One.StartsWith($"FAULT  journal {file}/journal: "));
        TestFolder.Delete(Path.GetDirectoryName(file)!);
    }

    [Test]
    public async Task Check_compares_what_the_programs_may_use_with_what_the_server_gives()
    {
        var role = $"login_of_{_connection.Database}";
        await TestDatabase.ExecuteAsync($"CREATE ROLE {role} LOGIN PASSWORD 'x' IN ROLE monitoring_worker CONNECTION LIMIT 5");
        (_connection.Username, _connection.Password) = (role, "x");
        var (_, output, _) = await ProgramUnderTest.RunAsync("Monitoring.Worker", "--check", Settings());
        await TestDatabase.ExecuteAsync($"DROP ROLE {role}");
        Assert.That(output.Split('\n'), Has.One.StartsWith("WARN   connections: a worker and a read service may use 33, and the server "
            + "gives 5 to this account: lower DATABASE_POOL_SIZE"));
    }

    [Test]
    public async Task Check_says_which_command_makes_the_schema()
    {
        await TestDatabase.Commands(_db).ToAsync(0, default);
        var (code, output, _) = await ProgramUnderTest.RunAsync("Monitoring.Worker", "--check", Settings());
        Assert.That((code, output), Is.EqualTo((1, output)));
        Assert.That(output, Does.Contain("run Monitoring.Migrations up"));
    }

    [Test]
    public async Task Worker_without_its_database_says_so_goes_on_and_stores_all_when_it_comes()
    {
        _gate.Close();
        using var worker = ProgramUnderTest.Start("Monitoring.Worker", "--hlp-interval 1", Settings());
        await worker.WaitForLineAsync("is not ready");
        await worker.WaitForLineAsync("the database does not take results");
        _gate.Open();
        await worker.WaitForLineAsync("the database takes results again");
        Assert.That(await worker.TerminateAsync(), Is.Zero);
        Assert.That(worker.Said, Does.Contain("worker stopped: up").And.Contains("0 failed"));
        await using var runs = _db.CreateCommand("SELECT count(*) FROM check_runs");
        Assert.That(worker.Said, Does.Contain($" {await runs.ExecuteScalarAsync()} results stored, "));
    }

    [Test]
    public async Task Worker_killed_while_its_database_is_away_leaves_every_result_to_the_next_one()
    {
        var journal = TestFolder.Create();
        try
        {
            Assert.That((await ProgramUnderTest.RunAsync("Monitoring.Worker", "journal status", ("JOURNAL_PATH", journal))).ExitCode,
                Is.Zero);
            _gate.Close();
            using (var worker = ProgramUnderTest.Start("Monitoring.Worker", "--hlp-interval 1", Settings(("JOURNAL_PATH", journal))))
            {
                await worker.WaitForLineAsync("the database does not take results");
                var (refused, _, errors) = await ProgramUnderTest.RunAsync("Monitoring.Worker", "", Settings(("JOURNAL_PATH", journal)));
                Assert.That((refused, errors), Is.EqualTo(
                    (1, $"JOURNAL_PATH: the journal {journal} is in use by another worker; give each worker a JOURNAL_PATH of its own\n")));
                var running = await ProgramUnderTest.RunAsync("Monitoring.Worker", "journal status", ("JOURNAL_PATH", journal));
                Assert.That((running.ExitCode, running.Output), Is.EqualTo((3, running.Output)));
                Assert.That(running.Output, Does.Contain("in use     by a worker").And.Contain($"path       {journal}\n"));
            } // Dispose kills it

            var status = await ProgramUnderTest.RunAsync("Monitoring.Worker", "journal status", ("JOURNAL_PATH", journal));
            var waiting = int.Parse(status.Output.Split('\n')
                .Single(line => line.StartsWith("records ", StringComparison.Ordinal))["records ".Length..]);
            Assert.That((status.ExitCode, waiting), Is.EqualTo((3, waiting)));
            Assert.That(waiting, Is.GreaterThanOrEqualTo(2));
            _gate.Open();
            using var next = ProgramUnderTest.Start("Monitoring.Worker", "--hlp-interval 86400", Settings(("JOURNAL_PATH", journal)));
            await next.WaitForLineAsync($"{waiting} records of an earlier run wait in the journal");
            Assert.That(await next.TerminateAsync(), Is.Zero);
            await using var stored = _db.CreateCommand($"SELECT count(*) FROM check_runs WHERE worker NOT LIKE '%/{next.Id}'");
            Assert.That(await stored.ExecuteScalarAsync(), Is.EqualTo(waiting - 1), "all but the record that says which events were open");
            Assert.That((await ProgramUnderTest.RunAsync("Monitoring.Worker", "journal status", ("JOURNAL_PATH", journal))).ExitCode,
                Is.Zero);
        }
        finally
        {
            TestFolder.Delete(journal);
        }
    }

    [Test]
    public async Task Without_database_it_watches_and_stores_nothing()
    {
        using var worker = ProgramUnderTest.Start("Monitoring.Worker", "--no-database --hlp-interval 1", [.. Settings().Skip(1)]);
        await worker.WaitForLineAsync("without a database: nothing is stored");
        await worker.WaitForLineAsync("hlp-vault: check of");
        Assert.That(await worker.TerminateAsync(), Is.Zero);
    }

    [Test]
    public async Task Killed_worker_loses_no_stored_check_and_doubles_none()
    {
        for (var life = 0; life < 2; life++)
        {
            using var worker = ProgramUnderTest.Start("Monitoring.Worker", "--hlp-interval 1", Settings());
            await worker.WaitForLineAsync("hlp-vault: check of");
        } // Dispose kills it

        await using var connection = await _db.OpenConnectionAsync();
        await using var command = new NpgsqlCommand(
            "SELECT count(*) FILTER (WHERE s.vault_address IS NULL) FROM check_runs AS r LEFT JOIN hlp_vault_snapshots AS s "
            + "ON s.observed_at = r.scheduled_at WHERE r.outcome = 'succeeded' AND r.monitor = 'hlp-vault'", connection);
        Assert.That(await command.ExecuteScalarAsync(), Is.Zero, "a run and its snapshot are one transaction");
    }
}
