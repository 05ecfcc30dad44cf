using Monitoring.Data.Checks;
using Quartz;

namespace Monitoring.Worker.Checks;

/// <summary>
/// The one Quartz job: runs the monitor that its key names, for the grid time that it was due at or has just passed. The deadline is the
/// runner's. A grid time that was checked already, or that is over because the check before it took so long, is left out.
/// </summary>
[DisallowConcurrentExecution]
internal sealed partial class CheckJob(
    IEnumerable<MonitorSchedule> schedules, CheckRunner runner, StopSignal stop, TimeProvider clock, ILogger<CheckJob> logger)
    : IJob
{
    /// <inheritdoc/>
    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        var schedule = schedules.Single(s => s.Name == context.JobDetail.Key.Name);
        var scheduledAt = schedule.GridTime(context.ScheduledFireTimeUtc ?? context.FireTimeUtc);
        try
        {
            if (scheduledAt >= schedule.GridTime(clock.GetUtcNow()) && !runner.HasRun(schedule.Name, scheduledAt))
                await runner.RunAsync(schedule, scheduledAt, CheckTrigger.Grid, stop.Checks);
        }
        catch (Exception fault) // no reason to leave the grid
        {
            LogDefect(fault, schedule.Name, scheduledAt);
        }
    }

    [LoggerMessage(LogLevel.Error, "{Monitor}: the check of {ScheduledAt:HH:mm:ss} could not be run to its end, or its result not be kept")]
    private partial void LogDefect(Exception fault, string monitor, DateTimeOffset scheduledAt);
}

/// <summary>Puts every monitor on its grid.</summary>
internal static class CheckScheduling
{
    private const string Group = "checks";

    private static DateTimeOffset NextGridTime(MonitorSchedule monitor, DateTimeOffset now) => monitor.GridTime(now) + monitor.Interval;

    private static TriggerKey GridOf(string monitor) => new($"{monitor}-grid", Group);

    private static void Repeat(SimpleScheduleBuilder schedule, TimeSpan interval) =>
        schedule.WithInterval(interval).RepeatForever().WithMisfireInstruction(SimpleTriggerMisfireInstruction.NextWithExistingCount);

    /// <summary>Puts a monitor on the grid anew, from <paramref name="now"/> on.</summary>
    public static async Task RestartAsync(
        IScheduler scheduler, MonitorSchedule monitor, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var (job, grid) = (new JobKey(monitor.Name, Group), GridOf(monitor.Name));
        await scheduler.RescheduleJob(grid, TriggerBuilder.Create().ForJob(job).WithIdentity(grid).StartAt(NextGridTime(monitor, now))
            .WithSimpleSchedule(schedule => Repeat(schedule, monitor.Interval)).Build(), cancellationToken);
    }

    /// <summary>Adds Quartz with its in-memory store, and one job and two triggers per monitor that was added before.</summary>
    public static void AddCheckScheduling(this IServiceCollection services, DateTimeOffset now)
    {
        var monitors = services.Select(service => service.ImplementationInstance).OfType<MonitorSchedule>().ToList();
        services.AddQuartz(quartz =>
        {
            foreach (var monitor in monitors)
            {
                var job = new JobKey(monitor.Name, Group);
                quartz.AddJob<CheckJob>(j => j.WithIdentity(job).DisallowConcurrentExecution());
                // At once, for the grid time that has just passed: an operator who starts a worker waits for no interval.
                quartz.AddTrigger(t => t.ForJob(job).WithIdentity($"{monitor.Name}-start", Group).StartNow());
                quartz.AddTrigger(t => t.ForJob(job).WithIdentity(GridOf(monitor.Name)).StartAt(NextGridTime(monitor, now))
                    .WithSimpleSchedule(schedule => Repeat(schedule, monitor.Interval)));
            }
        });
        services.AddQuartzHostedService(options => options.WaitForJobsToComplete = true);
        services.AddHostedService<ClockWatch>();
    }
}
