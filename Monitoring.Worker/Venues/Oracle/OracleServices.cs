using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Http;
using Monitoring.Worker.Venues.Oracle.Sources;

namespace Monitoring.Worker.Venues.Oracle;

/// <summary>Registers what the monitor <c>oracle</c> consists of.</summary>
internal static class OracleServices
{
    /// <summary>Adds the monitor, the sources that are on, and the history; without a database that is what this process saw.</summary>
    public static void AddOracle(this IServiceCollection services, OracleOptions options, TimeSpan? spacing, bool withoutDatabase)
    {
        services.AddSingleton(options).AddSingleton<ReferenceReader>().AddSingleton<ReferenceSelection>().AddTransient<ReferenceCheck>();
        services.AddSingleton(provider => new OracleHistory(options,
            withoutDatabase ? null : provider.GetRequiredService<OracleDeviations>(),
            provider.GetRequiredService<PastReads>(), provider.GetRequiredService<ILogger<OracleHistory>>()));
        AddSource(services, BinanceSource.SourceName, options.BinanceUrl, (http, _) => new BinanceSource(http));
        AddSource(services, OkxSource.SourceName, options.OkxUrl, (http, _) => new OkxSource(http));
        AddSource(services, CoinbaseSource.SourceName, options.CoinbaseUrl, (http, provider) =>
            new CoinbaseSource(http, provider.GetRequiredService<TimeProvider>()));
        AddSource(services, KrakenSource.SourceName, options.KrakenUrl, (http, provider) =>
            ActivatorUtilities.CreateInstance<KrakenSource>(provider, http));
        AddSource(services, PythSource.SourceName, options.PythUrl, (http, _) => new PythSource(http), options.PythKey);
        services.AddMonitor<OracleMonitor>(new MonitorSchedule(OracleMonitor.MonitorName, options.Interval) { TriggerSpacing = spacing });
    }

    private static void AddSource(
        IServiceCollection services, string name, Uri? url, Func<ReferenceHttp, IServiceProvider, IReferenceSource> create,
        string? key = null)
    {
        if (url is null)
            return;
        services.AddSourceClient(name, url, http =>
        {
            http.DefaultRequestHeaders.UserAgent.ParseAdd("Monitoring"); // Coinbase refuses requests without
            if (key is not null)
                http.DefaultRequestHeaders.Authorization = new("Bearer", key);
        }).TellTime(name);
        services.AddSingleton(provider => create(
            new ReferenceHttp(provider.GetRequiredService<IHttpClientFactory>().CreateClient(name)), provider));
    }
}
