using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Monitoring.Api;
using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Monitoring.Tests.CommandLine;
using Monitoring.Worker.Notifications;
using Npgsql;

namespace Monitoring.Tests.Database;

/// <summary>The programs behind a PgBouncer that gives each transaction another session.</summary>
public sealed class PoolerTests
{
    private NpgsqlDataSource _db = null!;
    private NpgsqlConnectionStringBuilder _direct = null!;
    private NpgsqlConnectionStringBuilder _pooled = null!;
    private PoolerUnderTest? _pooler;
    private readonly TestLogs _logs = new();

    [SetUp]
    public async Task StartPooler()
    {
        _db = await TestDatabase.CloneAsync();
        _direct = TestDatabase.ConnectionTo(_db);
        _pooler = await PoolerUnderTest.StartAsync(_direct);
        _pooled = _pooler.Connection;
    }

    [TearDown]
    public async Task StopPooler()
    {
        if (_pooler is not null)
            await _pooler.DisposeAsync();
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
    public async Task Statement_that_takes_too_long_ends_in_the_server_too()
    {
        await using var connections = new DatabaseConnections(new DatabaseOptions(_pooled));
        await using var connection = await connections.OpenConnectionAsync(default);
        await using var slow = new NpgsqlCommand("SELECT pg_sleep(600)", connection);
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
            Assert.That(await polled.WaitAsync(TimeSpan.FromSeconds(60)), Is.True, "it is asked again and again");
        await stop.CancelAsync();
        Assert.That(async () => await Task.WhenAll(listening), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(logs.Lines.Single().Text, Does.Contain("it is asked every 1 s; set DATABASE_DIRECT_URL"));
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Scenario_is_recorded_told_shown_and_acknowledged_through_it(bool pastIt)
    {
        var clock = new ManualClock(ManualClock.Noon);
        await using var receiver = await ReceiverUnderTest.StartAsync();
        await using var worker = await StartWorkerAsync(clock, receiver, pastIt);
        for (var second = 0; second <= 100; second += 2)
        {
            await worker.CheckAsync(ManualClock.Noon.AddSeconds(second));
            clock.Advance(TimeSpan.FromSeconds(2));
        }

        var notifier = worker.Services.GetServices<IHostedService>().OfType<Notifier>().Single();
        await notifier.StartAsync(default);
        // The clock stands still: a claim that came before the channel was registered is made again when it goes on.
        var received = receiver.WaitForNextAsync();
        for (; !received.IsCompleted; clock.Advance(ChannelSender.PollEvery))
            await Task.WhenAny(received, Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System, default));
        await received;
        await notifier.StopAsync(default);
        Assert.That(receiver.Received[0].Text, Does.Contain("hlp."));

        await using var api = await StartApiAsync(clock, pastIt);
        using var handler = new SocketsHttpHandler();
        using var http = new HttpClient(handler) { BaseAddress = new Uri(api.Urls.First()) };
        Assert.That(await http.GetStringAsync("/health/ready"), Does.Contain("ready"));
        string[] paths = ["/security/dashboard", "/security/hlp-vault/history", "/security/events", "/security/monitors"];
        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(n => http.GetStringAsync(paths[n % 4])));
        Assert.That(answers[1], Does.Contain("\"count\":51"));
        var events = JsonNode.Parse(answers[2])!["events"]!.AsArray();
        Assert.That(events.Select(e => ((string)e!["rule_id"]!, (string)e["severity"]!)), Is.EquivalentTo(new[]
        {
            ("hlp.loss", "critical"), ("hlp.anomaly", "critical"), ("hlp.sigma", "high"), ("hlp.outflow", "critical"),
        }));
        using var acknowledged = await http.PostAsync($"/security/events/{events[0]!["id"]}/acknowledge",
            new StringContent("{}", Encoding.UTF8, "application/json"));
        Assert.That(acknowledged.IsSuccessStatusCode, Is.True, await acknowledged.Content.ReadAsStringAsync());
        await api.StopAsync();
        Assert.That(_logs.Lines.Where(line => line.Level >= LogLevel.Warning && !line.Text.Contains("set DATABASE_DIRECT_URL")), Is.Empty);
        Assert.That(_logs.Lines.Count(line => line.Text.StartsWith("a pooler stands in front of the database", StringComparison.Ordinal)
            && line.Level == LogLevel.Information), Is.EqualTo(1), "said once");
    }

    [Test]
    public async Task With_a_way_past_it_a_change_is_heard_as_fast_as_without_it()
    {
        var through = await MedianTimeToHearAsync(new DatabaseOptions(_pooled, _direct));
        var without = await MedianTimeToHearAsync(new DatabaseOptions(_direct));
        Assert.That(
            through, Is.LessThan(without + TimeSpan.FromMilliseconds(250)), $"without it {without}; asking each second takes 500 ms");
    }

    private async Task<TimeSpan> MedianTimeToHearAsync(DatabaseOptions database)
    {
        using var stop = new CancellationTokenSource();
        using var heard = new SemaphoreSlim(0);
        var listening = new ChannelListener(database).ListenAsync("a_channel", () => heard.Release(), stop.Token);
        await using var connections = new DatabaseConnections(database);
        var took = new List<TimeSpan>();
        for (var n = 0; n < 11; n++)
        {
            await heard.WaitAsync(); // nothing can be missed any more
            var began = TimeProvider.System.GetTimestamp();
            await using (var connection = await connections.OpenConnectionAsync(default))
            await using (var notify = new NpgsqlCommand("NOTIFY a_channel", connection))
                await notify.ExecuteNonQueryAsync();
            await heard.WaitAsync();
            took.Add(TimeProvider.System.GetElapsedTime(began));
            heard.Release();
        }

        await stop.CancelAsync();
        Assert.That(async () => await listening, Throws.InstanceOf<OperationCanceledException>());
        return took.Order().ElementAt(5);
    }

    [Test]
    public async Task Check_tells_a_pooler_and_where_the_way_past_it_leads()
    {
        await using var other = await TestDatabase.CloneAsync();
        try
        {
            var alone = await CheckAsync(null);
            Assert.That(alone, Has.One.EqualTo($"ok     database {_pooled.Host}:{_pooled.Port}/{_pooled.Database}"));
            Assert.That(alone, Has.One.StartsWith("WARN   pooler: one stands before the database").And.One.Contains("DATABASE_DIRECT_URL"));
            var past = $"database {_direct.Host}:{_direct.Port}/{_direct.Database} (DATABASE_DIRECT_URL)";
            Assert.That(await CheckAsync(_direct), Has.One.EqualTo($"ok     {past}").And.None.StartsWith("WARN   pooler"));
            Assert.That(await CheckAsync(_pooled), Has.One.Contains("(DATABASE_DIRECT_URL): a pooler stands there too"));
            Assert.That(await CheckAsync(TestDatabase.ConnectionTo(other)),
                Has.One.Contains("(DATABASE_DIRECT_URL): this is another database than the one that DATABASE_URL leads to"));
        }
        finally
        {
            await TestDatabase.DropAsync(other);
        }
    }

    private async Task<string[]> CheckAsync(NpgsqlConnectionStringBuilder? direct)
    {
        List<(string, string)> settings =
            [("DATABASE_URL", PoolerUnderTest.UrlOf(_pooled)), ("HYPERLIQUID_API_URL", "http://127.0.0.1:1"), ("HYPERLIQUID_FEED", "off")];
        if (direct is not null)
            settings.Add(("DATABASE_DIRECT_URL", PoolerUnderTest.UrlOf(direct)));
        return (await ProgramUnderTest.RunAsync("Monitoring.Worker", "--check", [.. settings])).Output.Split('\n');
    }

    private Task<WorkerUnderTest> StartWorkerAsync(TimeProvider clock, ReceiverUnderTest receiver, bool pastIt) =>
        WorkerUnderTest.CreateAsync(clock, "whale-liquidation", settings:
        [
            ("DATABASE_URL", _pooled.ConnectionString),
            .. pastIt ? [("DATABASE_DIRECT_URL", _direct.ConnectionString)] : Array.Empty<(string, string)>(),
            ("WEBHOOK_URL", $"{receiver.Url}/hook"), ("WEBHOOK_SECRET", "a secret of this test alone"),
        ]);

    private static async Task<(int Prepared, string StatementTimeout)> DescribeAsync(DatabaseOptions options)
    {
        await using var connections = new DatabaseConnections(options);
        await using var connection = await connections.OpenConnectionAsync(default);
        await using var ask = new NpgsqlCommand("SHOW statement_timeout", connection);
        return (connections.Settings.MaxAutoPrepare, (string)(await ask.ExecuteScalarAsync())!);
    }

    private async Task<WebApplication> StartApiAsync(TimeProvider clock, bool pastIt)
    {
        var values = new Dictionary<string, string?> { ["DATABASE_URL"] = _pooled.ConnectionString, ["API_PORT"] = "0" };
        if (pastIt)
            values["DATABASE_DIRECT_URL"] = _direct.ConnectionString;
        var settings = new SettingsReader(new ConfigurationBuilder().AddInMemoryCollection(values).Build());
        var api = ApiHost.Build(ApiOptions.Read(settings), clock, Repository.File("Monitoring.Api/wwwroot"),
            logging => logging.AddProvider(_logs));
        await api.StartAsync();
        return api;
    }
}
