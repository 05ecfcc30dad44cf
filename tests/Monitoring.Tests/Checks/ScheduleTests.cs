using Microsoft.Extensions.DependencyInjection;
using Monitoring.Data.Checks;
using Monitoring.Simulator.Faults;
using Monitoring.Worker.Checks;

namespace Monitoring.Tests.Checks;

public sealed class ScheduleTests
{
    [TestCase(300, "2026-11-21T12:04:59.999Z", "2026-11-21T12:00:00Z")]
    [TestCase(300, "2026-11-21T12:05:00Z", "2026-11-21T12:05:00Z")]
    [TestCase(7, "1970-01-01T00:00:13Z", "1970-01-01T00:00:07Z")]
    [TestCase(86400, "2026-11-21T23:59:59Z", "2026-11-21T00:00:00Z")]
    public void Grid_is_whole_multiples_of_the_interval_since_the_epoch(int seconds, string at, string expected) =>
        Assert.That(new MonitorSchedule("m", TimeSpan.FromSeconds(seconds)).GridTime(DateTimeOffset.Parse(at)),
            Is.EqualTo(DateTimeOffset.Parse(expected)));

    [TestCase("2026-11-21T12:00:00Z", "2026-11-21T12:00:00Z", 0)]
    [TestCase("2026-11-21T12:00:00Z", "2026-11-21T12:00:01Z", 1)]
    [TestCase("2026-11-21T12:00:01Z", "2026-11-21T12:05:00Z", 0)]
    [TestCase("2026-11-21T12:00:01Z", "2026-11-21T12:05:00.001Z", 1)]
    [TestCase("2026-11-20T12:00:00Z", "2026-11-21T13:00:00Z", 12)]
    public void Grid_times_are_counted_from_when_the_interval_took_effect(string from, string until, long expected)
    {
        var monitor = new RegisteredMonitor("m", 300, DateTimeOffset.Parse("2026-11-21T12:00:00Z"), 60);
        Assert.That(monitor.CountGridTimes(DateTimeOffset.Parse(from), DateTimeOffset.Parse(until)), Is.EqualTo(expected));
    }

    [Test]
    public async Task Started_worker_checks_at_once_then_on_the_grid_and_stops_with_its_statistics()
    {
        // A channel, because a worker without one warns.
        await using var worker = await WorkerUnderTest.CreateAsync(
            TimeProvider.System, settings: [("HLP_CHECK_INTERVAL", "1"), ("WEBHOOK_URL", "http://127.0.0.1:9/")]);
        var host = worker.Services.GetRequiredService<Microsoft.Extensions.Hosting.IHostApplicationLifetime>();
        await worker.StartAsync();
        IReadOnlyList<DateTimeOffset> stored;
        do
        {
            stored = [.. (await new Monitoring.Data.Venues.HlpVaultSnapshots(worker.Db).ListAsync(
                Venues.Sample.Vault, DateTimeOffset.UnixEpoch, ListEnd.Before(DateTimeOffset.MaxValue), 100, default))
                .Select(s => s.ObservedAt)];
        } while (stored.Count < 3);
        await worker.StopAsync();

        Assert.That(stored, Has.All.Matches<DateTimeOffset>(at => at.Ticks % TimeSpan.TicksPerSecond == 0));
        Assert.That(stored.Zip(stored.Skip(1), (later, earlier) => later - earlier), Has.All.EqualTo(TimeSpan.FromSeconds(1)));
        Assert.That(host.ApplicationStopped.IsCancellationRequested, Is.True);
        var monitor = (await new MonitorTable(worker.Db).ListAsync(default)).Single(registered => registered.Monitor == "hlp-vault");
        Assert.That((monitor.Monitor, monitor.IntervalSeconds), Is.EqualTo(("hlp-vault", 1)));
        Assert.That(worker.Logs.Lines.Select(line => line.Text),
            Has.One.Matches<string>(text => text.StartsWith("worker stopped: up") && text.Contains("0 failed")));
        Assert.That(worker.Logs.Lines.Where(line => line.Level >= Microsoft.Extensions.Logging.LogLevel.Warning), Is.Empty);
    }

    [Test]
    public async Task Monitor_whose_checks_take_longer_than_its_interval_leaves_times_out_instead_of_falling_behind()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(
            TimeProvider.System, settings: [("HLP_CHECK_INTERVAL", "1"), ("WEBHOOK_URL", "http://127.0.0.1:9/")]);
        worker.Venue.Faults.Add(new Fault(FaultKind.Slow, "vaultDetails", Seconds: 1.4m));
        await worker.StartAsync();
        IReadOnlyList<CheckRun> stored;
        do
        {
            stored = await new CheckRuns(worker.Db).ListAsync("hlp-vault", DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue, 100, default);
        } while (stored.Count < 5);
        await worker.StopAsync();
        Assert.That(stored.Select(run => run.ScheduledAt), Is.Unique);
        Assert.That(stored.Select(run => (run.StartedAt - run.ScheduledAt).TotalSeconds), Is.All.LessThan(1));
    }
}
