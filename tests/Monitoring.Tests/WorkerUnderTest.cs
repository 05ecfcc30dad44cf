using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Monitoring.Data.Checks;
using Monitoring.Data.Configuration;
using Monitoring.Simulator;
using Monitoring.Simulator.Model;
using Monitoring.Simulator.References;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Hosting;
using Monitoring.Worker.Recording;
using Monitoring.Worker.Subjects;
using Monitoring.Worker.Venues;
using Npgsql;

namespace Monitoring.Tests;

/// <summary>
/// The real worker on a database of its own, watching the simulator over real HTTP; its checks are run one by one, by hand.
/// </summary>
internal sealed class WorkerUnderTest : IAsyncDisposable
{
    /// <summary>The setting that says how much the venue takes in a minute.</summary>
    public const string WeightSetting = "Venues:Hyperliquid:WeightPerMinute";

    /// <summary>The settings that say where the price sources are.</summary>
    public static IEnumerable<string> PriceSources => ReferenceSources.All.Select(source => $"{source.ToUpperInvariant()}_API_URL");

    private readonly WebApplication _simulator;
    private readonly Func<IHost> _build;
    private readonly string _monitor;
    private readonly string _journal;
    private IHost _host;

    private WorkerUnderTest(WebApplication simulator, Func<IHost> build, NpgsqlDataSource db, TestLogs logs, string monitor, string journal)
    {
        (_simulator, _build, _host, Db, Logs, _monitor, _journal) = (simulator, build, build(), db, logs, monitor, journal);
        Venue = simulator.Services.GetRequiredService<Venue>();
    }

    public NpgsqlDataSource Db { get; }

    public TestLogs Logs { get; }

    public Venue Venue { get; }

    /// <summary>The monitor that is meant where none is named.</summary>
    public MonitorSchedule Schedule => Find(_monitor);

    public IServiceProvider Services => _host.Services;

    public static Task<WorkerUnderTest> CreateAsync(TimeProvider clock, string scenario = "calm",
        DateTimeOffset? start = null, string monitor = "hlp-vault", params (string Key, string Value)[] settings) =>
        CreateAsync(clock, ScenarioLoader.Load(scenario), monitor, start, settings);

    /// <summary>As above, with a scenario of the test's own and the monitor that <see cref="Schedule"/> is to run.</summary>
    public static Task<WorkerUnderTest> CreateAsync(
        TimeProvider clock, Scenario scenario, string monitor, DateTimeOffset? start = null,
        params (string Key, string Value)[] settings) =>
        CreateAsync(clock, scenario, monitor, start, clock, _ => { }, settings);

    /// <summary>As above, on a machine whose clock is another than that of the venue and of the database.</summary>
    public static Task<WorkerUnderTest> CreateAsync(TimeProvider clock, TimeProvider machine, Scenario scenario, string monitor,
        DateTimeOffset? start = null, params (string Key, string Value)[] settings) =>
        CreateAsync(clock, scenario, monitor, start, machine, _ => { }, settings);

    /// <summary>As above; the worker has a clock of its own, and others of its services are changed.</summary>
    public static async Task<WorkerUnderTest> CreateAsync(
        TimeProvider clock, Scenario scenario, string monitor, DateTimeOffset? start, TimeProvider machine,
        Action<IServiceCollection> change, params (string Key, string Value)[] settings)
    {
        // Tests check far more often than a worker does; those of the weight limit ask for the real one.
        var weight = settings.FirstOrDefault(setting => setting.Key == WeightSetting).Value ?? "1000000";
        var simulator = SimulatorApp.Build(
            new SimulatorOptions(scenario) { Clock = clock, Start = start, WeightLimit = int.Parse(weight) });
        await simulator.StartAsync();
        var db = await TestDatabase.CloneAsync();
        var values = new Dictionary<string, string?>
        {
            ["DATABASE_URL"] = TestDatabase.ConnectionTo(db).ConnectionString,
            ["HYPERLIQUID_API_URL"] = simulator.Urls.First(),
            ["HLP_CHECK_INTERVAL"] = "2",
            ["ORACLE_CHECK_INTERVAL"] = "2",
            ["JOURNAL_PATH"] = TestFolder.Create(),
        };
        foreach (var source in PriceSources)
            values[source] = simulator.Urls.First();
        foreach (var (key, value) in settings)
            values[key] = value;
        // What the monitors need at these intervals is more than the venue takes, which a start refuses; how they wait for it is tested.
        values[WeightSetting] = "1000000";
        var options = WorkerOptions.Read(
            new SettingsReader(new ConfigurationBuilder().AddInMemoryCollection(values).Build()), withoutDatabase: false);
        options = options with { Subjects = [.. options.Subjects.Select(subject => WithWeight(subject, int.Parse(weight)))] };
        var logs = new TestLogs();
        return new WorkerUnderTest(
            simulator, () => Begin(options, machine, clock, logs, change), db, logs, monitor, options.Journal.Path);
    }

    private static ISubjectSetup WithWeight(ISubjectSetup subject, int perMinute) => subject is VenuesSetup { Options: var venues }
        ? new VenuesSetup(venues with { Hyperliquid = venues.Hyperliquid with { WeightPerMinute = perMinute } }) : subject;

    // Its session begins now, as that of a started worker does.
    private static IHost Begin(
        WorkerOptions options, TimeProvider machine, TimeProvider clock, TestLogs logs, Action<IServiceCollection> change)
    {
        // What the database's own clock says is the test's, as the simulator's is.
        var host = WorkerHost.Build(
            options, machine, logging => logging.AddProvider(logs), change, _ => Task.FromResult(clock.GetUtcNow()));
        host.Services.GetRequiredService<SessionStatistics>();
        return host;
    }

    /// <summary>Runs the check of one grid time to its end, recorded.</summary>
    public async Task<CheckResult> CheckAsync(DateTimeOffset scheduledAt, string? monitor = null)
    {
        var result = await Services.GetRequiredService<CheckRunner>().RunAsync(
            Find(monitor ?? _monitor), scheduledAt, CheckTrigger.Grid, CancellationToken.None);
        await Services.GetRequiredService<RecordingPipeline>().DrainAsync(CancellationToken.None);
        return result;
    }

    /// <summary>Runs a check of any monitor, and moves the clock on whenever the check waits for the venue's weight limit.</summary>
    public async Task<CheckResult> CheckAsync(string monitor, DateTimeOffset scheduledAt, ManualClock clock)
    {
        var schedule = Services.GetServices<MonitorSchedule>().Single(s => s.Name == monitor);
        var budget = Services.GetRequiredService<Worker.Venues.Hyperliquid.WeightBudget>();
        var check = Services.GetRequiredService<CheckRunner>().RunAsync(schedule, scheduledAt, CheckTrigger.Grid, CancellationToken.None);
        while (!check.IsCompleted)
        {
            if (budget.WaitsUntil - clock.GetUtcNow() is { Ticks: > 0 } wait)
                clock.Advance(wait);
            await Task.Yield();
        }

        await Services.GetRequiredService<RecordingPipeline>().DrainAsync(CancellationToken.None);
        return await check;
    }

    /// <summary>Registers the monitor, as a started worker does.</summary>
    public Task RegisterAsync(string? monitor = null) => Services.GetRequiredService<MonitorTable>()
        .RegisterAsync(monitor ?? _monitor, Find(monitor ?? _monitor).Interval, Find(monitor ?? _monitor).Deadline,
            Services.GetRequiredService<TimeProvider>().GetUtcNow(), CancellationToken.None);

    private MonitorSchedule Find(string monitor) =>
        _host.Services.GetServices<MonitorSchedule>().Single(schedule => schedule.Name == monitor);

    /// <summary>Another worker in place of this one, on the same database: it remembers nothing.</summary>
    public void Restart()
    {
        _host.Dispose();
        _host = _build();
    }

    /// <summary>Lets the worker run by itself, on its schedule.</summary>
    public Task StartAsync() => _host.StartAsync();

    public Task StopAsync() => _host.StopAsync();

    public async ValueTask DisposeAsync()
    {
        _host.Dispose();
        await _simulator.StopAsync();
        await _simulator.DisposeAsync();
        await TestDatabase.DropAsync(Db);
        TestFolder.Delete(_journal);
        Assert.That(Logs.Lines.Select(line => line.Text), Has.None.Contains("the rule catalogue has no"));
    }
}
