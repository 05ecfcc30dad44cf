using Monitoring.Data.Checks;

namespace Monitoring.Worker.Checks;

/// <summary>
/// One instance of a monitor, known before it is made: its name in the ledger, such as <c>watchdog</c>, and how often it runs.
/// </summary>
internal sealed record MonitorSchedule(string Name, TimeSpan Interval)
{
    /// <summary>How long one check may take: the interval, but between 5 s and 60 s, where nothing else is said.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(Math.Clamp(Interval.TotalSeconds, 5, 60));

    /// <summary>Whether the heartbeat needs its data to be fresh. Others are shown and reported, and hold nothing back.</summary>
    public bool IsEssential { get; init; } = true;

    /// <summary>How long after a triggered check the next one may begin; null where nothing may trigger it between grid times.</summary>
    public TimeSpan? TriggerSpacing { get; init; }

    /// <summary>The grid that it is checked on.</summary>
    public CheckGrid Grid => new(Interval);

    /// <summary>The newest grid time at or before a moment.</summary>
    public DateTimeOffset GridTime(DateTimeOffset at) => Grid.AtOrBefore(at);
}

/// <summary>Registers monitors.</summary>
internal static class MonitorServices
{
    /// <summary>
    /// Adds one instance of a monitor; that also schedules it, registers it in the database and lets the watchdog watch it.
    /// <paramref name="settings"/> are the constructor's arguments that are this instance's own; the rest comes from the container.
    /// </summary>
    /// <exception cref="ArgumentException">There is a monitor of this name.</exception>
    public static IServiceCollection AddMonitor<T>(
        this IServiceCollection services, MonitorSchedule schedule, params object[] settings) where T : class, IMonitor
    {
        if (services.Any(service => service.ImplementationInstance is MonitorSchedule other && other.Name == schedule.Name))
            throw new ArgumentException($"two monitors are named '{schedule.Name}'", nameof(schedule));
        return services.AddSingleton(schedule)
            .AddKeyedSingleton<IMonitor>(schedule.Name, (provider, _) => ActivatorUtilities.CreateInstance<T>(provider, settings));
    }
}
