using Monitoring.Worker.Watching;

namespace Monitoring.Worker.Venues.Hyperliquid.Feed;

/// <summary>Registers the live feed.</summary>
internal static class FeedServices
{
    /// <summary>Adds the feed, and lets the watchdog look at it; nothing starts while it is switched off.</summary>
    public static void AddHyperliquidFeed(this IServiceCollection services, FeedOptions options)
    {
        services.AddSingleton(options).AddSingleton<FeedState>().AddSingleton<FeedWatch>().AddSingleton<FeedPlan>()
            .AddTransient<FeedSocket>().AddSingleton<HyperliquidFeed>();
        services.AddSingleton<IWatchdogSource, FeedHealth>();
        if (options.IsOn)
            services.AddHostedService(provider => provider.GetRequiredService<HyperliquidFeed>());
    }
}
