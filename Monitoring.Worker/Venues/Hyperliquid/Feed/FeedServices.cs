using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Venues.Hyperliquid.Feed;

/// <summary>Registers the live feed.</summary>
internal static class FeedServices
{
    /// <summary>Adds the feed and what runs the checks that it triggers; nothing starts while it is switched off.</summary>
    public static void AddHyperliquidFeed(this IServiceCollection services, FeedOptions options)
    {
        services.AddSingleton(options).AddSingleton<FeedState>().AddSingleton<FeedWatch>().AddSingleton<FeedPlan>().AddSingleton<HyperliquidFeed>();
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<TriggeredChecks>(provider, options.Spacing));
        if (!options.IsOn)
            return;
        services.AddHostedService(provider => provider.GetRequiredService<TriggeredChecks>());
        services.AddHostedService(provider => provider.GetRequiredService<HyperliquidFeed>());
    }
}
