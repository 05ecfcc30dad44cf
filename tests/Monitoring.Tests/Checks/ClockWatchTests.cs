using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Monitoring.Data.Supervision;
using Monitoring.Worker.Checks;
using Quartz;

namespace Monitoring.Tests.Checks;

/// <summary>A time of day that is set while the worker runs.</summary>
public sealed class ClockWatchTests
{
    private static readonly DateTimeOffset Noon = ManualClock.Noon;

    /// <summary>Its time of day can be set; the time that passes is another matter.</summary>
    private sealed class SetClock : TimeProvider
    {
        public DateTimeOffset Time { get; set; } = Noon;

        public TimeSpan Passed { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => Time;

        public override long GetTimestamp() => Passed.Ticks;
    }

    [TestCase(1, "12:05:00", false, Description = "time passes")]
    [TestCase(0.1, "12:05:00", false, Description = "a clock that is slowed down")]
    [TestCase(3600, "12:05:00", false, Description = "set forward: Quartz fires late triggers by itself")]
    [TestCase(-1, "12:00:00", true)]
    [TestCase(-3600, "11:05:00", true)]
    [TestCase(-90000, "11:05:00", true, Description = "yesterday")]
    public async Task Clock_that_is_set_back_does_not_make_checks_wait_for_it(double seconds, string next, bool said)
    {
        var (clock, logs) = (new SetClock(), new TestLogs());
        var collection = new ServiceCollection().AddSingleton<TimeProvider>(clock).AddLogging(logging => logging.AddProvider(logs))
            .AddSingleton(new MonitorSchedule("m", TimeSpan.FromMinutes(5))).AddSingleton<Supervisor>().AddSingleton<ClockWatch>();
        collection.AddCheckScheduling(Noon);
        await using var services = collection.BuildServiceProvider();
        var scheduler = await services.GetRequiredService<ISchedulerFactory>().GetScheduler();
        var watch = services.GetRequiredService<ClockWatch>();
        (clock.Time, clock.Passed) = (Noon.AddSeconds(seconds), TimeSpan.FromSeconds(1));
        await watch.LookAsync(default);
        var trigger = await scheduler.GetTrigger(new TriggerKey("m-grid", "checks"));
        Assert.That(trigger!.StartTimeUtc.ToString("HH:mm:ss"), Is.EqualTo(next));
        Assert.That(logs.Lines.Any(line => line.Text.Contains("the clock was set back by")), Is.EqualTo(said));
        Assert.That((await scheduler.GetTriggersOfJob(new JobKey("m", "checks"))).Count, Is.EqualTo(2));
    }
}
