using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Monitoring.Data.Database;
using Monitoring.Data.Supervision;
using Monitoring.Simulator.Model;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Recording;
using Monitoring.Worker.Recording.Journalling;
using Monitoring.Worker.Venues.Hyperliquid.Feed;
using Npgsql;

namespace Monitoring.Tests.Supervision;

/// <summary>
/// The whole worker, on its schedule, while every kind of call that its services make fails in ways that nobody expects: it goes on, and
/// when the calls go well again everything works again.
/// </summary>
public sealed class WorkerFaultTests
{
    private static readonly string[] AllLoops =
    [
        "clock comparison", "clock watch", "database watch", "heartbeat", "live feed", "partition maintenance", "pulse",
        "recording", "register of the channels", "removal of old pulses", "sender to webhook", "the event snapshot",
        "the recorder's health", "triggered checks of inventory", "triggered checks of liquidations", "triggered checks of oracle",
        "watch of the outbox",
    ];

    private readonly InjectedFaults _faults = new();
    private readonly List<IAsyncDisposable> _owned = [];
    private ReceiverUnderTest _receiver = null!;
    private WorkerUnderTest _worker = null!;

    [SetUp]
    public async Task Start() => _receiver = await ReceiverUnderTest.StartAsync();

    [TearDown]
    public async Task Stop()
    {
        _faults.IsOn = false;
        await _worker.StopAsync();
        await _worker.DisposeAsync();
        foreach (var owned in _owned)
            await owned.DisposeAsync();
        await _receiver.DisposeAsync();
    }

    private Supervisor Supervisor => _worker.Services.GetRequiredService<Supervisor>();

    private async Task CreateAsync(TimeProvider clock, Action<IServiceCollection>? change = null, params (string, string)[] settings) =>
        _worker = await WorkerUnderTest.CreateAsync(TimeProvider.System, ScenarioLoader.Load("calm"), "hlp-vault", null, clock,
            change ?? (_ => { }),
            [("INVENTORY_CHECK_INTERVAL", "6"), ("LIQUIDATION_CHECK_INTERVAL", "6"), ("ORACLE_CHECK_INTERVAL", "6"),
                ("WEBHOOK_URL", _receiver.Url), ("HEARTBEAT_URL", _receiver.Url), .. settings]);

    private static async Task UntilAsync(Func<Task<bool>> isSo, string what)
    {
        using var giveUp = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        while (!await isSo())
        {
            Assert.That(giveUp.IsCancellationRequested, Is.False, $"waited in vain: {what}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, default);
        }
    }

    private static Task UntilAsync(Func<bool> isSo, string what) => UntilAsync(() => Task.FromResult(isSo()), what);

    // Every monitor succeeds and is stored; the feed is up, no service has ended and no loop fails.
    private async Task AssertWorksAsync()
    {
        var since = TimeProvider.System.GetUtcNow();
        await UntilAsync(async () =>
        {
            await using var connection = await _worker.Db.OpenConnectionAsync();
            return await connection.QuerySingleAsync<int>("SELECT count(DISTINCT monitor)::int FROM check_runs WHERE started_at >= @since "
                + "AND outcome = 'succeeded' AND monitor <> 'recorder'", new { since }) == 5;
        }, "every monitor is checked and stored again");
        await AssertLoopsWorkAsync();
    }

    private async Task AssertLoopsWorkAsync()
    {
        await UntilAsync(() => _worker.Services.GetRequiredService<FeedState>().IsUp, "the live feed is up");
        // Who listens says that it works when it ends.
        await UntilAsync(() => Supervisor.Failing.All(loop => loop.Name is "live feed" or "watch of the outbox"), "no loop fails");
        Assert.That(Services().Select(service => service.ExecuteTask!.IsFaulted || service.ExecuteTask!.IsCanceled), Is.All.False);
        Assert.That(Services().Where(service => service.ExecuteTask is { IsCompleted: true }).Select(service => service.GetType().Name),
            Is.SubsetOf(new[] { "DatabaseWatch" }), "which has done its work");
    }

    private IEnumerable<BackgroundService> Services() => _worker.Services.GetServices<IHostedService>().OfType<BackgroundService>();

    [Test]
    public async Task Clock_that_throws_now_and_then_stops_no_service()
    {
        await CreateAsync(new FaultyClock(_faults));
        var services = Services().ToList(); // made on a clock that works; the scheduler is not ours, and has no faults to bear
        _faults.IsOn = true;
        foreach (var service in services)
            await service.StartAsync(default);
        await UntilAsync(() => AllLoops.All(loop => Supervisor.Failed.GetValueOrDefault(loop) > 0), "every loop has failed");
        Assert.That(Supervisor.Failed.Keys, Is.EquivalentTo(AllLoops));
        var thrown = _faults.Thrown;
        _faults.SparesSome = true;
        await UntilAsync(() => _faults.Thrown > thrown + 100, "their calls fail here and there");
        _faults.IsOn = false;
        string[] triggered = ["inventory", "liquidations", "oracle"];
        foreach (var monitor in triggered)
            _worker.Services.GetRequiredService<TriggeredChecks>().Request(monitor);
        await UntilAsync(async () =>
        {
            await using var connection = await _worker.Db.OpenConnectionAsync();
            return await connection.QuerySingleAsync<int>("SELECT count(DISTINCT monitor)::int FROM check_runs WHERE trigger = 'feed' "
                + "AND outcome = 'succeeded' AND monitor = ANY (@triggered)", new { triggered }) == triggered.Length;
        }, "checks are triggered and stored");
        await AssertLoopsWorkAsync();
        foreach (var service in services.AsEnumerable().Reverse())
            await service.StopAsync(default);
    }

    [Test]
    public async Task Requests_that_throw_stop_no_service()
    {
        await CreateAsync(TimeProvider.System,
            services => services.ConfigureHttpClientDefaults(http => http.AddHttpMessageHandler(() => new FaultyHandler(_faults))));
        _faults.IsOn = true;
        await _worker.StartAsync();
        await UntilAsync(() => _faults.Thrown > 20, "requests throw");
        _faults.IsOn = false;
        await AssertWorksAsync();
    }

    [Test]
    public async Task Socket_that_throws_stops_no_service()
    {
        await CreateAsync(TimeProvider.System, services => services.AddTransient<FeedSocket>(_ => new FaultySocket(_faults)));
        await _worker.StartAsync();
        await AssertWorksAsync();
        _faults.IsOn = true;
        await UntilAsync(() => _faults.Thrown >= 6, "its calls throw");
        _faults.IsOn = false;
        await AssertWorksAsync();
        Assert.That(_worker.Logs.Lines.Select(line => line.Text), Has.Some.StartsWith("live feed is down, polling goes on: "));
    }

    [Test]
    public async Task Database_calls_that_throw_what_nobody_expects_stop_no_service()
    {
        var gone = NpgsqlDataSource.Create("Host=127.0.0.1");
        await gone.DisposeAsync();
        await CreateAsync(TimeProvider.System, services => services.AddSingleton<DatabaseConnections>(_ => gone));
        await _worker.StartAsync();
        string[] loops = ["database watch", "partition maintenance", "register of the channels"];
        await UntilAsync(() => loops.All(loop => Supervisor.Failed.GetValueOrDefault(loop) > 1), "the loops that use it fail");
        var waiting = _worker.Services.GetRequiredService<RecordingPipeline>().Waiting;
        await UntilAsync(() => _worker.Services.GetRequiredService<RecordingPipeline>().Waiting > waiting + 2, "checks go on");
        Assert.That(Services().Select(service => service.ExecuteTask!.IsCompleted), Is.All.False);
    }

    [Test]
    public async Task Database_that_ends_its_connections_goes_away_and_hangs_stops_no_service()
    {
        TcpGate gate = null!;
        await CreateAsync(TimeProvider.System, services =>
        {
            var to = services.Select(service => service.ImplementationInstance)
                .OfType<Monitoring.Data.Configuration.DatabaseOptions>().Single().Connection!;
            gate = new TcpGate(to.Host!, to.Port);
            _owned.Add(gate);
            (to.Host, to.Port) = ("127.0.0.1", gate.Port);
        });
        var link = _worker.Services.GetRequiredService<DatabaseLink>();
        await _worker.StartAsync();
        await AssertWorksAsync();
        foreach (var (begin, end) in new (Action, Action)[] { (gate.Close, gate.Open), (gate.Freeze, gate.Thaw) })
        {
            gate.ResetAll();
            begin();
            await UntilAsync(() => link.IsAway, "it is noticed");
            end();
            await UntilAsync(() => !link.IsAway, "it is used again");
            await AssertWorksAsync();
        }
    }

    [Test]
    public async Task Files_that_cannot_be_written_stop_no_service()
    {
        await CreateAsync(TimeProvider.System);
        var folder = new JournalFolder(_worker.Services.GetRequiredService<JournalOptions>().Path);
        string[] obstacles = [folder.Segment(1), folder.EventSnapshotFile + ".new"];
        foreach (var obstacle in obstacles)
            Directory.CreateDirectory(obstacle);
        await _worker.StartAsync();
        await UntilAsync(() => _worker.Services.GetRequiredService<RecordingQueue>().Fault is not null, "the journal takes nothing");
        await AssertWorksAsync();
        foreach (var obstacle in obstacles)
            Directory.Delete(obstacle);
        await UntilAsync(() => _worker.Services.GetRequiredService<RecordingQueue>().Fault is null, "the journal is written again");
        await AssertWorksAsync();
    }
}
