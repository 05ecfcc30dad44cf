namespace Monitoring.Worker.Notifications.Channels;

/// <summary>Registers the channels that are on.</summary>
internal static class ChannelServices
{
    /// <summary>Adds each channel whose settings are there as an <see cref="INotificationChannel"/>.</summary>
    public static IServiceCollection AddChannels(this IServiceCollection services, ChannelOptions options)
    {
        services.AddSingleton(options).AddSingleton<ChannelHttp>();
        services.AddHttpClient(ChannelHttp.ClientName, http =>
        {
            http.Timeout = Timeout.InfiniteTimeSpan; // the attempt holds its own deadline
            http.DefaultRequestHeaders.UserAgent.ParseAdd("Monitoring");
        }).ConfigurePrimaryHttpMessageHandler(() =>
            new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
            .RemoveAllLoggers(); // they write addresses, which are secrets here

        Add<WebhookChannel>(services, options.Webhook);
        Add<SlackChannel>(services, options.SlackUrl);
        Add<DiscordChannel>(services, options.DiscordUrl);
        Add<TelegramChannel>(services, options.Telegram);
        Add<PagerDutyChannel>(services, options.PagerDuty);
        Add<EmailChannel>(services, options.Email);
        return services;
    }

    private static void Add<T>(IServiceCollection services, object? settings) where T : class, INotificationChannel
    {
        if (settings is not null)
            services.AddSingleton<INotificationChannel>(provider => ActivatorUtilities.CreateInstance<T>(provider, settings));
    }
}
