using System.Globalization;
using Monitoring.Simulator.Faults;
using Monitoring.Simulator.Feed;
using Monitoring.Simulator.Info;
using Monitoring.Simulator.References;

namespace Monitoring.Simulator;

/// <summary>Puts the simulator together: one venue behind one web program on the loopback address.</summary>
internal static class SimulatorApp
{
    /// <summary>A simulator that is not yet started; its <see cref="Venue"/> is among the services.</summary>
    public static WebApplication Build(SimulatorOptions options)
    {
        // The empty builder reads no files and no environment: a simulator inside a test answers the same everywhere.
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseUrls($"http://127.0.0.1:{options.Port}");
        builder.Services.AddRoutingCore();
        builder.Services.ConfigureHttpJsonOptions(json => Wire.Apply(json.SerializerOptions));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(2));
        builder.Services.AddSingleton(new Venue(options)).AddSingleton(options.Clock).AddSingleton<ReferenceMarket>();

        var app = builder.Build();
        // The venue's clock is the scenario's.
        app.Use((context, next) =>
        {
            context.Response.Headers.Date = options.Clock.GetUtcNow().ToString("R", CultureInfo.InvariantCulture);
            return next(context);
        });
        app.MapFeed();
        app.MapInfo();
        app.MapReferences();
        app.MapFaults();
        app.MapGet("/scenario", (Venue venue) => TypedResults.Ok(ScenarioView.Of(venue)));
        app.MapGet("/stats", (Venue venue) => TypedResults.Ok(StatsView.Of(venue)));
        // Where the demo's worker sends its messages: a webhook that takes every one.
        app.MapPost("/messages", async (HttpRequest message) =>
        {
            await message.Body.CopyToAsync(Stream.Null, message.HttpContext.RequestAborted);
            return Results.NoContent();
        });
        // Requests that hang would hold up the end.
        app.Lifetime.ApplicationStopping.Register(app.Services.GetRequiredService<Venue>().Faults.Clear);
        return app;
    }
}
