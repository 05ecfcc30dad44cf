using Monitoring.Data.Configuration;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Http;

namespace Monitoring.Worker.Venues.Hyperliquid;

/// <summary>Where the venue is, and what weight of requests it takes in a minute.</summary>
internal sealed record HyperliquidOptions(Uri Url, int WeightPerMinute)
{
    /// <summary>What the venue takes in a minute.</summary>
    public const string WeightSetting = "Venues:Hyperliquid:WeightPerMinute";

    /// <summary>Reads the settings.</summary>
    public static HyperliquidOptions Read(SettingsReader settings) => new(
        settings.BaseAddress("Venues:Hyperliquid:Url", "HYPERLIQUID_API_URL", "https://api.hyperliquid.xyz"),
        settings.Whole(WeightSetting, null, WeightBudget.VenueLimit, 120, 1_000_000));
}

/// <summary>Registers the venue's client.</summary>
internal static class HyperliquidServices
{
    /// <summary>Adds the client, and the weight budget that all its callers share.</summary>
    public static void AddHyperliquid(this IServiceCollection services, HyperliquidOptions options)
    {
        services.AddSourceClient(HyperliquidClient.Name, options.Url).TellTime(HyperliquidClient.Name);
        services.AddSingleton(provider => new WeightBudget(provider.GetRequiredService<TimeProvider>(), options.WeightPerMinute));
        services.AddSingleton<HyperliquidPipeline>().AddSingleton<LeftOutParts>();
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<HyperliquidClient>(provider,
            provider.GetRequiredService<IHttpClientFactory>().CreateClient(HyperliquidClient.Name)));
    }
}
