using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Monitoring.Data.Supervision;
using Monitoring.Data.Workers;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Recording;
using Monitoring.Worker.Watching;

namespace Monitoring.Tests.Workers;

/// <summary>The worker's own pulse: it waits for nothing that the checks wait for, and nothing waits for it.</summary>
public sealed class PulseSenderTests
{
    private readonly TestLogs _logs = new();
    private readonly ManualClock _clock = new(ManualClock.Noon);

    private static int Count(WorkerUnderTest worker, string condition) => WorkerPulsesTests.Count(worker.Db, condition);

    private Task AdvanceUntilAsync(WorkerUnderTest worker, string condition, string what) => TestWait.UntilAsync(() =>
    {
        if (Count(worker, condition) == 1)
            return true;
        _clock.Advance(TimeSpan.FromMilliseconds(100));
        return false;
    }, what);

    [Test]
    public async Task Pulses_have_the_databases_time_whatever_the_workers_clock_says_and_a_stop_is_marked()
    {
        // This machine's clock is days away from the database's.
        await using var worker = await WorkerUnderTest.CreateAsync(_clock);
        await worker.StartAsync();
        await AdvanceUntilAsync(worker, "pulsed_at BETWEEN now() - interval '30 s' AND now() AND stopped_at IS NULL "
            + "AND started_at BETWEEN now() - interval '1 hour' AND now()", "the first pulse is there");
        await using var connection = await worker.Db.OpenConnectionAsync();
        await connection.ExecuteAsync("UPDATE worker_pulses SET pulsed_at = now() - interval '1 hour'");
        await AdvanceUntilAsync(worker, "pulsed_at > now() - interval '30 s'", "it pulses again");
        await connection.ExecuteAsync("DELETE FROM worker_pulses");
        await AdvanceUntilAsync(worker, "true", "a row that was removed is written again");
        Assert.That(Count(worker, "stopped_at IS NULL"), Is.EqualTo(1));
        await worker.StopAsync();
        Assert.That(Count(worker, "stopped_at > now() - interval '30 s'"), Is.EqualTo(1));
        Assert.That(worker.Logs.Lines.Select(line => line.Text), Has.None.Contains("pulse"));
    }

    [Test]
    public async Task Pool_that_is_used_up_and_other_locked_tables_do_not_hold_it_up()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(TimeProvider.System, settings:
            [("DATABASE_POOL_SIZE", "1"), ("DATABASE_MAX_OVERFLOW", "0")]);
        await using var connection = await worker.Db.OpenConnectionAsync();
        await worker.StartAsync();
        await TestWait.UntilAsync(() => Count(worker, "true") == 1, "it is seen");
        await connection.ExecuteAsync("BEGIN; LOCK TABLE check_runs, monitors, security_events IN ACCESS EXCLUSIVE MODE");
        var link = worker.Services.GetRequiredService<DatabaseLink>();
        await TestWait.UntilAsync(() => link.IsAway, "its results cannot be stored");
        await using (var other = await worker.Db.OpenConnectionAsync())
            await other.ExecuteAsync("UPDATE worker_pulses SET pulsed_at = now() - interval '1 hour'");
        await TestWait.UntilAsync(() => Count(worker, "pulsed_at > now() - interval '12 s'") == 1, "it is seen all the same");
        await connection.ExecuteAsync("ROLLBACK");
        await worker.StopAsync();
    }

    [Test]
    public async Task Locked_pulses_hold_up_no_check_and_are_said_once()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(TimeProvider.System,
            settings: [("HLP_CHECK_INTERVAL", "1"), ("WEBHOOK_URL", "http://127.0.0.1:9/")]);
        await worker.StartAsync();
        await TestWait.UntilAsync(() => Count(worker, "true") == 1, "it is seen");
        await using var connection = await worker.Db.OpenConnectionAsync();
        await connection.ExecuteAsync("BEGIN; LOCK TABLE worker_pulses IN EXCLUSIVE MODE");
        var since = await connection.QuerySingleAsync<DateTimeOffset>("SELECT clock_timestamp()");
        await TestWait.UntilAsync(() => worker.Logs.Lines.Any(line => line.Text.StartsWith("the pulse of this worker cannot be written")),
            "after half a minute it is said");
        var stored = await connection.QuerySingleAsync<long>(
            "SELECT count(*) FROM check_runs WHERE monitor = 'hlp-vault' AND outcome = 'succeeded' AND scheduled_at >= @since",
            new { since });
        Assert.That(stored, Is.GreaterThan(20), "each second's check was done and stored");
        await connection.ExecuteAsync("ROLLBACK");
        await TestWait.UntilAsync(() => worker.Logs.Lines.Any(line => line.Text == "the pulse of this worker is written again"),
            "and its end");
        await worker.StopAsync();
        Assert.That(worker.Logs.Lines.Count(line => line.Text.Contains("pulse")), Is.EqualTo(2));
        Assert.That(worker.Logs.Lines.Where(line => line.Level >= LogLevel.Warning).Select(line => line.Text),
            Has.Exactly(1).Items.And.All.StartsWith("the pulse of this worker cannot be written"), "no loop counts as failing for it");
    }

    // The sender alone, on this database, with a host that it belongs to.
    private async Task<(PulseSender Sender, IHost Host)> CreateAsync(DatabaseOptions database, DatabaseLink link, BackgroundService? other)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        if (other is not null)
            builder.Services.AddSingleton<IHostedService>(other);
        var clock = new WorkerClock(_clock);
        builder.Services.AddSingleton(provider => new PulseSender(
            new WorkerPulses(new DatabaseConnections(database)), new WorkerIdentity("host/1"), link, HostEnd.Of(provider),
            new Supervisor(clock, _logs.For<Supervisor>()), clock, _logs.For<PulseSender>()));
        builder.Services.AddHostedService(provider => provider.GetRequiredService<PulseSender>());
        var host = builder.Build();
        await host.StartAsync();
        return (host.Services.GetRequiredService<PulseSender>(), host);
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private sealed class Failing(Task until) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await until.WaitAsync(stoppingToken);
            throw new InvalidOperationException("thrown on purpose");
        }
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Program_that_ends_by_a_fault_has_not_stopped_in_good_order(bool fails)
    {
        var db = await TestDatabase.CloneAsync();
        var end = new TaskCompletionSource();
        var (_, host) = await CreateAsync(
            new DatabaseOptions(TestDatabase.ConnectionTo(db)).WithOneConnection(TimeSpan.FromSeconds(2)), new DatabaseLink(),
            new Failing(end.Task));
        await TestWait.UntilAsync(() => WorkerPulsesTests.Count(db, "worker = 'host/1'") == 1, "it pulses");
        if (fails)
        {
            var stopping = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
            end.SetResult();
            await TestWait.UntilAsync(() => stopping.IsCancellationRequested, "the host ends");
        }

        await host.StopAsync();
        Assert.That(WorkerPulsesTests.Count(db, "stopped_at IS NULL"), Is.EqualTo(fails ? 1 : 0));
        host.Dispose();
        await TestDatabase.DropAsync(db);
    }

    [Test]
    public async Task Database_that_is_away_or_has_no_such_table_yet_is_left_to_others_to_say()
    {
        var db = await TestDatabase.CloneAsync();
        var connection = TestDatabase.ConnectionTo(db);
        await using var gate = new TcpGate(connection.Host!, connection.Port);
        (connection.Host, connection.Port) = ("127.0.0.1", gate.Port);
        var link = new DatabaseLink();
        gate.Close();
        link.Lose(new DatabaseOutage(ManualClock.Noon, "away"));
        var (_, host) = await CreateAsync(new DatabaseOptions(connection).WithOneConnection(TimeSpan.FromSeconds(2)), link, null);
        await PassAsync(minutes: 2);
        await TestDatabase.Commands(db).ToAsync(202611291370, default); // from before there was one
        gate.Open();
        link.Restore();
        await PassAsync(minutes: 2);
        Assert.That(_logs.Lines.Where(line => line.Level > LogLevel.Debug).Select(line => line.Text), Is.Empty);
        Assert.That(_logs.Lines.Select(line => line.Text), Has.Some.Contains("\"worker_pulses\" does not exist"));
        await TestDatabase.Commands(db).UpAsync(default);
        while (WorkerPulsesTests.Count(db, "true") == 0)
            _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.That(WorkerPulsesTests.Count(db, "now() - started_at > interval '4 minutes'"), Is.EqualTo(1), "it began before");
        await host.StopAsync();
        host.Dispose();
        await TestDatabase.DropAsync(db);
    }

    // Lets so much time pass in which it fails again and again.
    private async Task PassAsync(int minutes)
    {
        for (var until = _clock.GetUtcNow().AddMinutes(minutes); _clock.GetUtcNow() < until; _clock.Advance(TimeSpan.FromSeconds(20)))
        {
            var said = _logs.Lines.Count;
            await TestWait.UntilAsync(() => _logs.Lines.Count > said || _clock.Waiting > 0, "it has tried");
            await TestWait.UntilAsync(() => _clock.Waiting > 0, "it waits for the next trial");
        }
    }
}
