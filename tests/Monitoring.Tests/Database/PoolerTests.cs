using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Monitoring.Api;
using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Monitoring.Worker.Notifications;
using Npgsql;

namespace Monitoring.Tests.Database;

/// <summary>The programs behind a PgBouncer that gives each transaction another session.</summary>
public sealed class PoolerTests
{
    private NpgsqlDataSource _db = null!;
    private NpgsqlConnectionStringBuilder _direct = null!;
    private NpgsqlConnectionStringBuilder _pooled = null!;
    private Process _pooler = null!;

    [SetUp]
    public async Task StartPooler()
    {
        _db = await TestDatabase.CloneAsync();
        _direct = TestDatabase.ConnectionTo(_db);
        var start = new ProcessStartInfo("bash")
        {
            ArgumentList = { Repository.File("deploy/local/pgbouncer.sh"), "serve" },
            Environment =
            {
                ["DATABASE_URL"] = $"postgresql://{_direct.Username}:{_direct.Password}@{_direct.Host}:{_direct.Port}/{_direct.Database}",
            },
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        _pooler = Process.Start(start)!;
        if (await _pooler.StandardOutput.ReadLineAsync() is not { } line)
            Assert.Ignore("deploy/local/pgbouncer.sh found no PgBouncer; its message is above");
        else
            _pooled = DatabaseUrl.Parse(line["DATABASE_URL=".Length..]);
    }

    [TearDown]
    public async Task StopPooler()
    {
        _pooler.StandardInput.Close();
        await _pooler.WaitForExitAsync();
        _pooler.Dispose();
        await TestDatabase.DropAsync(_db);
    }

    [Test]
    public async Task Statements_are_prepared_and_settings_given_at_the_start_only_without_a_pooler()
    {
        var limit = TimeSpan.FromSeconds(5);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(await DescribeAsync(new DatabaseOptions(_direct) { StatementTimeout = limit }), Is.EqualTo((100, "5s")));
            Assert.That(await DescribeAsync(new DatabaseOptions(_pooled) { StatementTimeout = limit }), Is.EqualTo((0, "0")));
            Assert.That(await DescribeAsync(new DatabaseOptions(_pooled, _direct) { StatementTimeout = limit }), Is.EqualTo((0, "0")));
            Assert.That(await DescribeAsync(new DatabaseOptions(_direct, null, PoolerMode.Yes) { StatementTimeout = limit }),
                Is.EqualTo((0, "0")));
            Assert.That(await DescribeAsync(new DatabaseOptions(_pooled, null, PoolerMode.No)), Is.EqualTo((100, "0")));
        }
    }

    [Test]
    public async Task Without_an_answer_at_the_start_nothing_is_prepared()
    {
        var logs = new TestLogs();
        _direct.Port = 1;
        await using var source = DataSources.Create(new DatabaseOptions(_direct), logs.For<PoolerTests>());
        Assert.That(new NpgsqlConnectionStringBuilder(source.ConnectionString).MaxAutoPrepare, Is.Zero);
        Assert.That(logs.Lines.Single().Text, Does.StartWith("whether a pooler stands in front of the database 127.0.0.1:1/"));
    }

    [Test]
    public async Task Statement_that_takes_too_long_ends_in_the_server_too()
    {
        await using var source = DataSources.Create(new DatabaseOptions(_pooled));
        await using var slow = source.CreateCommand("SELECT pg_sleep(600)");
        slow.CommandTimeout = 1;
        Assert.That(async () => await slow.ExecuteNonQueryAsync(),
            Throws.InstanceOf<NpgsqlException>().With.InnerException.TypeOf<TimeoutException>());
        await using var running = _db.CreateCommand("""
            SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'SELECT pg_sleep%' AND state = 'active'
            """);
        while ((long)(await running.ExecuteScalarAsync())! > 0)
            await Task.Yield();
    }

    [Test]
    public async Task Listener_hears_past_the_pooler_and_asks_again_and_again_without_that()
    {
        var logs = new TestLogs();
        using var stop = new CancellationTokenSource();
        using var past = new SemaphoreSlim(0);
        using var polled = new SemaphoreSlim(0);
        var polling = new ChannelListener(new DatabaseOptions(_pooled), logs.For<ChannelListener>());
        Task[] listening =
        [
            new ChannelListener(new DatabaseOptions(_pooled, _direct)).ListenAsync("a_channel", () => past.Release(), stop.Token),
            polling.ListenAsync("a_channel", () => polled.Release(), stop.Token),
            polling.ListenAsync("another", () => polled.Release(), stop.Token),
        ];
        await past.WaitAsync();
        await using (var notify = _db.CreateCommand("NOTIFY a_channel"))
            await notify.ExecuteNonQueryAsync();
        await past.WaitAsync();
        for (var i = 0; i < 4; i++)
            await polled.WaitAsync();
        await stop.CancelAsync();
        Assert.That(async () => await Task.WhenAll(listening), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(logs.Lines.Single().Text, Does.Contain("it is asked every 1 s; set DATABASE_DIRECT_URL"));
    }

    [Test]
    public async Task Results_are_recorded_messages_delivered_and_questions_answered_through_it()
    {
        var clock = new ManualClock(ManualClock.Noon);
        await using var receiver = await ReceiverUnderTest.StartAsync();
        await using var worker = await WorkerUnderTest.CreateAsync(clock, "whale-liquidation", settings:
        [
            ("DATABASE_URL", _pooled.ConnectionString), ("WEBHOOK_URL", $"{receiver.Url}/hook"),
            ("WEBHOOK_SECRET", "a secret of this test alone"),
        ]);
        for (var second = 0; second <= 60; second += 2)
        {
            await worker.CheckAsync(ManualClock.Noon.AddSeconds(second));
            clock.Advance(TimeSpan.FromSeconds(2));
        }

        var notifier = worker.Services.GetServices<IHostedService>().OfType<Notifier>().Single();
        await notifier.StartAsync(default);
        await receiver.WaitForNextAsync();
        await notifier.StopAsync(default);
        Assert.That(receiver.Received[0].Text, Does.Contain("hlp."));

        await using var api = await StartApiAsync(clock);
        using var handler = new SocketsHttpHandler();
        using var http = new HttpClient(handler) { BaseAddress = new Uri(api.Urls.First()) };
        Assert.That(await http.GetStringAsync("/health/ready"), Does.Contain("ready"));
        string[] paths = ["/security/dashboard", "/security/hlp-vault/history", "/security/events", "/security/monitors"];
        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(n => http.GetStringAsync(paths[n % 4])));
        Assert.That(answers[1], Does.Contain("\"count\":31"));
        Assert.That(answers[2], Does.Contain("hlp.loss"));
        await api.StopAsync();
    }

    private static async Task<(int Prepared, string StatementTimeout)> DescribeAsync(DatabaseOptions options)
    {
        await using var source = DataSources.Create(options);
        await using var ask = source.CreateCommand("SHOW statement_timeout");
        return (new NpgsqlConnectionStringBuilder(source.ConnectionString).MaxAutoPrepare, (string)(await ask.ExecuteScalarAsync())!);
    }

    private async Task<WebApplication> StartApiAsync(TimeProvider clock)
    {
        var values = new Dictionary<string, string?> { ["DATABASE_URL"] = _pooled.ConnectionString, ["API_PORT"] = "0" };
        var settings = new SettingsReader(new ConfigurationBuilder().AddInMemoryCollection(values).Build());
        var api = ApiHost.Build(ApiOptions.Read(settings), clock, Repository.File("Monitoring.Api/wwwroot"), _ => { });
        await api.StartAsync();
        return api;
    }
}
