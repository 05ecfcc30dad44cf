using Monitoring.Data.Events;
using Monitoring.Worker.Notifications.Channels;
using Monitoring.Worker.Recording;

namespace Monitoring.Worker.Notifications;

/// <summary>What notifying consists of.</summary>
internal static class NotificationServices
{
    /// <summary>Adds the channels, which of them is notified of what, the outbox, and the notifier that empties it.</summary>
    public static IServiceCollection AddNotifications(
        this IServiceCollection services, ChannelOptions channels, NotificationOptions options, Severity minSeverity, bool withoutDatabase)
    {
        services.AddChannels(channels).AddSingleton(options).AddOutbox(withoutDatabase);
        services.AddSingleton(provider => new NotificationRouting(
            provider.GetServices<INotificationChannel>().Select(channel => channel.Name), minSeverity, options.Routes));
        return services.AddHostedService<Notifier>();
    }

    /// <summary>Adds the outbox alone: that of this process, or the switch between it and the database's.</summary>
    public static IServiceCollection AddOutbox(this IServiceCollection services, bool withoutDatabase)
    {
        services.AddSingleton<OfflineOutbox>();
        return withoutDatabase
            ? services.AddSingleton<IOutbox>(provider => provider.GetRequiredService<OfflineOutbox>())
            : services.AddSingleton<InFlightClaims>().AddSingleton<DatabaseOutbox>().AddSingleton<UrgentMessages>()
                .AddSingleton<IOutbox, OutboxSwitch>();
    }
}
