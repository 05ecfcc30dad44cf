using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.HttpOverrides;
using Monitoring.Data.Events;

namespace Monitoring.Api.Access;

/// <summary>Registers and installs what decides who may ask.</summary>
internal static class AccessServices
{
    public static IServiceCollection AddAccess(this IServiceCollection services, AccessOptions options)
    {
        services.AddSingleton(options).AddSingleton<KeyCache>().AddSingleton<AccessLedger>().AddSingleton<OpenRequests>()
            .AddSingleton<AccessGate>();
        services.AddHostedService(provider => provider.GetRequiredService<AccessLedger>());
        if (options.Auth == ApiAuth.Keys || options.IsAuthImplied)
            services.AddHostedService(provider => provider.GetRequiredService<OpenRequests>());
        return services;
    }

    /// <summary>
    /// Takes the caller's address, scheme and host from the headers of the proxies that are trusted, and from nobody else.
    /// </summary>
    public static void UseTrustedProxies(this IApplicationBuilder app, AccessOptions options)
    {
        app.Use((context, next) =>
        {
            context.Features.Set(Forwarding.Read(context));
            return next(context);
        });
        if (options.TrustedProxies.Count == 0)
            return;
        var forwarded = new ForwardedHeadersOptions
        {
            ForwardedHeaders = ForwardedHeaders.All & ~ForwardedHeaders.XForwardedPrefix, ForwardLimit = null,
        };
        forwarded.KnownProxies.Clear();
        forwarded.KnownIPNetworks.Clear();
        foreach (var network in options.TrustedProxies)
            forwarded.KnownIPNetworks.Add(network);
        app.UseForwardedHeaders(forwarded);
    }

    /// <summary>Refuses whoever may not ask.</summary>
    public static void UseAccess(this IApplicationBuilder app) => app.UseMiddleware<AccessGate>();

    /// <summary>Who makes this request.</summary>
    public static Operator Caller(this HttpContext context) => context.Features.GetRequiredFeature<Operator>();
}
