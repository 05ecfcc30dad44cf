using Monitoring.Data.Configuration;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Venues.Hyperliquid;

/// <summary>Where the venue is, and what weight of requests it takes in a minute.</summary>
internal sealed record HyperliquidOptions(Uri Url, int WeightPerMinute)
{
    /// <summary>Reads the settings.</summary>
    public static HyperliquidOptions Read(SettingsReader settings) => new(
        settings.BaseAddress("Venues:Hyperliquid:Url", "HYPERLIQUID_API_URL", "https://api.hyperliquid.xyz"),
        settings.Whole("Venues:Hyperliquid:WeightPerMinute", null, WeightBudget.VenueLimit, 120, 1_000_000));
}

/// <summary>Registers the venue's client.</summary>
internal static class HyperliquidServices
{
    private const int LargestAnswer = 16 << 20;

    /// <summary>Adds the client, and the weight budget that all its callers share.</summary>
    public static void AddHyperliquid(this IServiceCollection services, HyperliquidOptions options)
    {
        services.AddHttpClient(HyperliquidClient.Name, http =>
        {
            http.BaseAddress = options.Url;
            http.Timeout = Timeout.InfiniteTimeSpan; // the pipeline holds the deadline of each attempt
            http.MaxResponseContentBufferSize = LargestAnswer;
        }).TellTime(HyperliquidClient.Name);
        services.AddSingleton(provider => new WeightBudget(provider.GetRequiredService<TimeProvider>(), options.WeightPerMinute));
        services.AddSingleton<HyperliquidPipeline>();
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<HyperliquidClient>(provider,
            provider.GetRequiredService<IHttpClientFactory>().CreateClient(HyperliquidClient.Name)));
    }
}
