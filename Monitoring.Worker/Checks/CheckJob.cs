using Monitoring.Data.Checks;
using Quartz;

namespace Monitoring.Worker.Checks;

/// <summary>The one Quartz job: runs the monitor that its key names, for the grid time that it was due at or has just passed. The deadline is the runner's.</summary>
[DisallowConcurrentExecution]
internal sealed class CheckJob(IEnumerable<MonitorSchedule> schedules, CheckRunner runner, StopSignal stop) : IJob
{
    /// <inheritdoc/>
    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        var schedule = schedules.Single(s => s.Monitor.Name == context.JobDetail.Key.Name);
        var firedFor = context.ScheduledFireTimeUtc ?? context.FireTimeUtc;
        await runner.RunAsync(schedule, schedule.GridTime(firedFor), CheckTrigger.Grid, stop.Checks);
    }
}

/// <summary>The name and interval of a monitor, known before any monitor is made.</summary>
internal sealed record ScheduledMonitor(string Name, TimeSpan Interval);

/// <summary>Puts every monitor on its grid.</summary>
internal static class CheckScheduling
{
    /// <summary>Adds Quartz with its in-memory store, and one job and two triggers per monitor that was added before.</summary>
    public static void AddCheckScheduling(this IServiceCollection services, DateTimeOffset now)
    {
        var monitors = services.Select(service => service.ImplementationInstance).OfType<ScheduledMonitor>().ToList();
        services.AddQuartz(quartz =>
        {
            foreach (var (name, interval) in monitors)
            {
                var job = new JobKey(name, "checks");
                var nextGridTime = new DateTimeOffset(now.UtcTicks - ((now.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) % interval.Ticks) + interval.Ticks, TimeSpan.Zero);
                quartz.AddJob<CheckJob>(j => j.WithIdentity(job).DisallowConcurrentExecution());
                // At once, for the grid time that has just passed: an operator who starts a worker waits for no interval.
                quartz.AddTrigger(t => t.ForJob(job).WithIdentity($"{name}-start", "checks").StartNow());
                quartz.AddTrigger(t => t.ForJob(job).WithIdentity($"{name}-grid", "checks").StartAt(nextGridTime).WithSimpleSchedule(s => s
                    .WithInterval(interval).RepeatForever().WithMisfireInstruction(SimpleTriggerMisfireInstruction.NextWithExistingCount)));
            }
        });
        services.AddQuartzHostedService(options => options.WaitForJobsToComplete = true);
    }
}
