using Dapper;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Monitoring.Data.Checks;
using Monitoring.Data.Configuration;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Hosting;
using Monitoring.Worker.Recording;
using Monitoring.Worker.Subjects;
using Monitoring.Worker.Watching;
using Npgsql;

namespace Monitoring.Tests.Checks;

/// <summary>A subject that watches several networks with one type of monitor, in the real worker on a real database.</summary>
public sealed class MonitorInstancesTests
{
    private readonly ManualClock _clock = new(ManualClock.Noon);
    private readonly TestLogs _logs = new();
    private readonly string _journal = TestFolder.Create();
    private NpgsqlDataSource _db = null!;
    private IHost _host = null!;

    [SetUp]
    public async Task Build()
    {
        _db = await TestDatabase.CloneAsync();
        var options = Read(
            ("Networks:ethereum:Height", "100"), ("Networks:ethereum:Deadline", "90"),
            ("Networks:base:Height", "7"), ("Networks:base:Interval", "2"), ("Networks:base:Essential", "off"));
        _host = WorkerHost.Build(
            options, _clock, logging => logging.AddProvider(_logs), databaseTime: _ => Task.FromResult(_clock.GetUtcNow()));
    }

    [TearDown]
    public async Task Drop()
    {
        _host.Dispose();
        await TestDatabase.DropAsync(_db);
        TestFolder.Delete(_journal);
    }

    private WorkerOptions Read(params (string Key, string Value)[] settings)
    {
        (string Key, string Value)[] all =
        [
            .. settings, ("DATABASE_URL", TestDatabase.ConnectionTo(_db).ConnectionString), ("JOURNAL_PATH", _journal),
            ("HEARTBEAT_URL", "http://127.0.0.1:9/"), // nobody listens there
        ];
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(all.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)));
        return WorkerOptions.Read(new SettingsReader(configuration.Build()), withoutDatabase: false, [new NetworksWorker()]);
    }

    private T Get<T>() where T : notnull => _host.Services.GetRequiredService<T>();

    private Task<CheckResult> CheckAsync(string monitor) => Get<CheckRunner>().RunAsync(
        _host.Services.GetServices<MonitorSchedule>().Single(schedule => schedule.Name == monitor), _clock.GetUtcNow(), CheckTrigger.Grid,
            default);

    [Test]
    public async Task Two_instances_of_one_type_have_names_intervals_ledgers_and_gaps_of_their_own()
    {
        var recorder = (IHostedService)Get<IRecorder>();
        await recorder.StartAsync(default);
        foreach (var schedule in _host.Services.GetServices<MonitorSchedule>())
            await Get<MonitorTable>().RegisterAsync(schedule.Name, schedule.Interval, schedule.Deadline, _clock.GetUtcNow(), default);
        foreach (var second in new[] { 0, 2, 6, 12 })
        {
            _clock.Advance(ManualClock.Noon.AddSeconds(second) - _clock.GetUtcNow());
            await CheckAsync("chain-base");
            if (second % 12 == 0)
                await CheckAsync("chain-ethereum");
        }

        await recorder.StopAsync(default);
        await using var connection = await _db.OpenConnectionAsync();
        Assert.That(
            await connection.QueryAsync<(string, int)>("SELECT monitor, interval_seconds FROM monitors ORDER BY monitor LIMIT 2"),
            Is.EqualTo(new[] { ("chain-base", 2), ("chain-ethereum", 12) }));
        Assert.That(await connection.QueryAsync<(string, long)>(
                "SELECT monitor, count(*) FROM check_runs WHERE outcome = 'succeeded' AND monitor LIKE 'chain-%' GROUP BY 1 ORDER BY 1"),
            Is.EqualTo(new[] { ("chain-base", 4L), ("chain-ethereum", 2L) }));
        Assert.That((await GapsAsync("chain-base")).Select(gap => (gap.FromAt, gap.Count)),
            Is.EqualTo(new[] { (ManualClock.Noon.AddSeconds(8), 2L), (ManualClock.Noon.AddSeconds(4), 1L) }));
        Assert.That(await GapsAsync("chain-ethereum"), Is.Empty);
        Assert.That(await connection.QueryAsync<int>("SELECT deadline_seconds FROM monitors WHERE monitor = 'chain-ethereum'"),
            Is.EqualTo(new[] { 90 }), "twelve seconds and no check is no gap yet where one may take ninety");
    }

    // The first twelve seconds, when every check of them has to be over. The test's clock is not the database's, which therefore takes
    // every result for one that came late.
    private async Task<IEnumerable<GapSpan>> GapsAsync(string monitor)
    {
        var schedule = _host.Services.GetServices<MonitorSchedule>().Single(schedule => schedule.Name == monitor);
        var now = ManualClock.Noon.AddSeconds(12) + schedule.Deadline;
        return (await _db.ReadAsync(batch => MonitorLedger.ListGaps(batch, ManualClock.Noon, now, 10)))
            .Where(gap => gap.Monitor == monitor && gap.Reason == GapReason.WorkerDown);
    }

    [Test]
    public async Task Each_instance_has_its_own_settings_deadline_and_failures()
    {
        var schedules = _host.Services.GetServices<MonitorSchedule>().ToDictionary(schedule => schedule.Name);
        Assert.That((schedules["chain-ethereum"].Deadline, schedules["chain-base"].Deadline),
            Is.EqualTo((TimeSpan.FromSeconds(90), TimeSpan.FromSeconds(5))));
        Assert.That((await CheckAsync("chain-ethereum")).Run.Error, Is.Null);
        Assert.That((await CheckAsync("chain-base")).Run.Error, Is.Null);
        Assert.That((Network("chain-ethereum").SawHeight, Network("chain-base").SawHeight), Is.EqualTo((100, 7)));

        Network("chain-base").Fails = true;
        _clock.Advance(TimeSpan.FromSeconds(60));
        Assert.That((await CheckAsync("chain-base")).Run.Error, Is.EqualTo("chain-base: no block"));
        Assert.That((await CheckAsync("chain-ethereum")).Run.Outcome, Is.EqualTo(CheckOutcome.Succeeded));
        Assert.That((await CheckAsync(WatchdogMonitor.MonitorName)).Findings.Select(finding => finding.Subject.Text),
            Is.EqualTo(new[] { "chain-base" }), "it is shown");
        var states = await Get<MonitorHealth>().ReadAsync(_clock.GetUtcNow(), default);
        Assert.That(states.Where(state => WatchdogRules.IsStale(state, _clock.GetUtcNow())).Select(state => state.Monitor.IsEssential),
            Is.EqualTo(new[] { false }));
    }

    [Test]
    public async Task Heartbeat_waits_for_essential_instances_alone()
    {
        await CheckAsync(WatchdogMonitor.MonitorName);
        await Get<Heartbeat>().TryBeatAsync(default);
        Assert.That(_logs.Lines[^1].Text, Is.EqualTo("no heartbeat is sent: no recent successful check of chain-ethereum"));
        await CheckAsync("chain-ethereum");
        await Get<Heartbeat>().TryBeatAsync(default);
        Assert.That(_logs.Lines[^1].Text, Does.StartWith("the heartbeat's address could not be reached"), "chain-base was never checked");
    }

    private NetworkMonitor Network(string name) => (NetworkMonitor)_host.Services.GetRequiredKeyedService<IMonitor>(name);

    [Test]
    public void Two_monitors_of_one_name_are_refused() => Assert.That(
        () => new ServiceCollection().AddMonitor<NetworkMonitor>(new("chain-a", TimeSpan.FromSeconds(1)), 1)
            .AddMonitor<NetworkMonitor>(new("chain-a", TimeSpan.FromSeconds(2)), 2),
        Throws.ArgumentException.With.Message.StartsWith("two monitors are named 'chain-a'"));

    [Test]
    public void Subjects_settings_are_checked_like_all_others() =>
        Assert.That(
            Assert.Throws<ConfigurationFaultException>(() => Read(("Networks:base:Height", "no"), ("Networks:base:Colour", "red")))!.Faults,
            Has.Some.StartsWith("Networks:base:Height: 'no' is not allowed").And.Some.StartsWith("Networks:base:Colour: no such setting"));

    private sealed class NetworkMonitor(int height) : IMonitor
    {
        public int SawHeight { get; private set; }

        public bool Fails { get; set; }

        public Task<CheckReport> CheckAsync(CheckContext context)
        {
            SawHeight = height;
            return Fails ? throw new MissingDataException($"{context.Schedule.Name}: no block")
                : Task.FromResult(new CheckReport([], [], []));
        }
    }

    private sealed class NetworksWorker : IWorkerSubject
    {
        public IReadOnlyList<string> Sections { get; } = ["Networks"];

        public IReadOnlyList<SettingOption> Options => [];

        public ISubjectSetup Read(SettingsReader settings) =>
            new NetworksSetup([.. settings.Children("Networks").Select(name => ReadNetwork(settings, name))]);

        private static (MonitorSchedule Schedule, int Height) ReadNetwork(SettingsReader settings, string name)
        {
            var key = $"Networks:{name}";
            return (new MonitorSchedule($"chain-{name}", settings.Seconds($"{key}:Interval", null, 12, 1, 3600))
            {
                Deadline = settings.Seconds($"{key}:Deadline", null, 5, 1, 300),
                IsEssential = settings.IsOn($"{key}:Essential", null, fallback: true),
            }, settings.Whole($"{key}:Height", null, 0, 0, 1000));
        }
    }

    private sealed class NetworksSetup(IReadOnlyList<(MonitorSchedule Schedule, int Height)> networks) : ISubjectSetup
    {
        public string Summary => $"{networks.Count} networks";

        public void AddServices(IServiceCollection services, bool withoutDatabase)
        {
            foreach (var (schedule, height) in networks)
                services.AddMonitor<NetworkMonitor>(schedule, height);
        }

        public async IAsyncEnumerable<CheckLine> CheckConnectionsAsync(
            IServiceProvider services, ConnectionProbe probe,
            [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            foreach (var (schedule, _) in networks)
                yield return await probe.TryAsync(schedule.Name, isFault: true, _ => Task.FromResult<string?>(null), cancellationToken);
        }
    }
}
