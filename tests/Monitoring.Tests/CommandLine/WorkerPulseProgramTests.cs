using System.Diagnostics;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Monitoring.Simulator;
using Monitoring.Simulator.Model;
using Monitoring.Tests.Api;
using Npgsql;

namespace Monitoring.Tests.CommandLine;

/// <summary>The worker's program killed, frozen, stopped and cut off: the read service says within 15 s that nobody watches.</summary>
public sealed class WorkerPulseProgramTests
{
    private static readonly TimeSpan InTime = TimeSpan.FromSeconds(15);

    private NpgsqlDataSource _db = null!;
    private WebApplication _simulator = null!;
    private TcpGate _gate = null!;
    private ApiUnderTest _api = null!;
    private (string, string)[] _settings = [];

    [SetUp]
    public async Task Start()
    {
        _db = await TestDatabase.CloneAsync();
        var connection = TestDatabase.ConnectionTo(_db);
        _gate = new TcpGate(connection.Host!, connection.Port);
        (connection.Host, connection.Port) = ("127.0.0.1", _gate.Port);
        _simulator = SimulatorApp.Build(new SimulatorOptions(ScenarioLoader.Load("calm")));
        await _simulator.StartAsync();
        _settings = [("DATABASE_URL", connection.ConnectionString), ("HYPERLIQUID_API_URL", _simulator.Urls.First()),
            ("Venues__Hyperliquid__WeightPerMinute", "1000000"),
            .. WorkerUnderTest.PriceSources.Select(source => (source, _simulator.Urls.First()))];
        _api = await ApiUnderTest.StartAsync(_db, TimeProvider.System);
    }

    [TearDown]
    public async Task Stop()
    {
        await _api.DisposeAsync();
        await _simulator.StopAsync();
        await _simulator.DisposeAsync();
        await _gate.DisposeAsync();
        await TestDatabase.DropAsync(_db);
    }

    private async Task<ProgramUnderTest> StartWorkerAsync()
    {
        var worker = ProgramUnderTest.Start("Monitoring.Worker", "", _settings);
        await worker.WaitForLineAsync(" started: ");
        return worker;
    }

    private static async Task SignalAsync(ProgramUnderTest program, string signal)
    {
        using var kill = Process.Start("kill", $"-{signal} {program.Id}");
        await kill.WaitForExitAsync();
    }

    // Asks as a page or a watcher does, until it says so; answers after how long, and what was said then.
    private async Task<(TimeSpan After, JsonNode Workers)> UntilAsync(string state, int? count = null)
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            var workers = (await _api.GetAsync("/health"))["workers"]!;
            if ((string)workers["state"]! == state && (count is null || (int)workers["count"]! == count))
                return (Stopwatch.GetElapsedTime(began), workers);
            Assert.That(Stopwatch.GetElapsedTime(began), Is.LessThan(TimeSpan.FromSeconds(60)), $"waited in vain for {state}: {workers}");
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, default);
        }
    }

    private async Task AssertSilentInTimeAsync()
    {
        var (after, workers) = await UntilAsync("silent");
        TestContext.Out.WriteLine($"silent after {after.TotalSeconds:0.0} s: {workers.ToJsonString()}");
        Assert.That(after, Is.LessThan(InTime));
        Assert.That((string)workers["detail"]!, Does.Match("^No worker has reported for 1[2-5] s$"));
        Assert.That((int)workers["count"]!, Is.Zero);
        var dashboard = await _api.GetAsync("/security/dashboard");
        Assert.That((string)dashboard["workers"]!["state"]!, Is.EqualTo("silent"));
        Assert.That(dashboard["overall_risk"]!["parts"]!.AsArray().Select(part => (string)part!["detail"]!),
            Has.Some.StartsWith("blind: No worker has reported for "));
    }

    [Test]
    public async Task Worker_that_is_killed_is_missed_and_its_successor_takes_its_place()
    {
        using (var worker = await StartWorkerAsync())
        {
            await UntilAsync("alive");
            await SignalAsync(worker, "KILL");
            await AssertSilentInTimeAsync();
        }

        using var next = await StartWorkerAsync();
        var (_, workers) = await UntilAsync("alive");
        Assert.That((workers["vanished"]!.AsArray().Count, (string)workers["detail"]!), Is.EqualTo((0, "One worker reports")));
        Assert.That(await next.TerminateAsync(), Is.Zero);
        var stopped = (await UntilAsync("stopped")).Workers;
        Assert.That((string)stopped["detail"]!, Does.Match("^The last worker was stopped [0-9] s ago$"));
    }

    [Test]
    public async Task Worker_that_stands_still_is_missed_and_is_seen_again_when_it_goes_on()
    {
        using var worker = await StartWorkerAsync();
        await UntilAsync("alive");
        await SignalAsync(worker, "STOP");
        await AssertSilentInTimeAsync();
        await SignalAsync(worker, "CONT");
        Assert.That((await UntilAsync("alive")).After, Is.LessThan(InTime));
        Assert.That(await worker.TerminateAsync(), Is.Zero);
    }

    [Test]
    public async Task Worker_that_does_not_reach_the_database_is_missed_and_goes_on()
    {
        using var worker = await StartWorkerAsync();
        await UntilAsync("alive");
        _gate.Close();
        await AssertSilentInTimeAsync();
        _gate.Open();
        Assert.That((await UntilAsync("alive")).After, Is.LessThan(InTime));
        Assert.That(await worker.TerminateAsync(), Is.Zero);
        Assert.That(worker.Said, Does.Not.Contain("pulse"), "the outage is said by those who lose results by it");
    }

    [Test]
    public async Task Of_two_workers_the_one_that_vanishes_is_named()
    {
        using var stays = await StartWorkerAsync();
        using var vanishes = await StartWorkerAsync();
        await UntilAsync("alive", count: 2);
        await SignalAsync(vanishes, "KILL");
        var workers = (await UntilAsync("alive", count: 1)).Workers;
        Assert.That(workers["vanished"]!.AsArray().Select(name => (string)name!), Is.EqualTo(
            new[] { $"{Environment.MachineName}/{vanishes.Id}" }));
        Assert.That((string)workers["detail"]!, Does.Match($"^One worker reports; .*/{vanishes.Id} has not for 1[2-5] s$"));
        Assert.That(await stays.TerminateAsync(), Is.Zero);
    }
}
