using Monitoring.Data.Database;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Recording.Journalling;
using Monitoring.Worker.Venues;
using Monitoring.Worker.Venues.Hyperliquid;
using Monitoring.Worker.Venues.Hyperliquid.Feed;
using Monitoring.Worker.Venues.Oracle;

namespace Monitoring.Worker.Hosting;

/// <summary>What <c>--check</c> does: tries every connection once and says what is wrong. A price source alone may fail, and the live feed: that is a warning.</summary>
internal static class ConfigurationCheck
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(15);

    /// <summary>Answers 0 when all is well, 1 otherwise; one line per connection.</summary>
    public static async Task<int> RunAsync(WorkerOptions options, TimeProvider clock, TextWriter output, CancellationToken cancellationToken)
    {
        using var host = WorkerHost.Build(options, clock);
        await output.WriteLineAsync("ok     configuration");
        var well = true;
        if (!options.WithoutDatabase)
        {
            well &= await TryAsync("FAULT", $"database {options.Database.Display}", host.Services.GetRequiredService<SchemaVersions>().FindProblemAsync, output, clock, cancellationToken);
            well &= await TryAsync("FAULT", $"journal {options.Journal.Path}", _ => Task.FromResult(new JournalFolder(options.Journal.Path).FindProblem()), output, clock, cancellationToken);
        }

        well &= await TryAsync("FAULT", $"venue {options.HyperliquidUrl}", token => AskVenueAsync(host, options, token), output, clock, cancellationToken);
        if (options.Feed.IsOn)
            await TryAsync("WARN ", $"live feed {options.Feed.Url}", host.Services.GetRequiredService<HyperliquidFeed>().FindProblemAsync, output, clock, cancellationToken);
        foreach (var line in await host.Services.GetRequiredService<ReferenceCheck>().RunAsync(cancellationToken))
        {
            await output.WriteLineAsync(line.Problem is null ? $"ok     {line.What}" : $"{(line.IsFault ? "FAULT" : "WARN ")}  {line.What}: {line.Problem}");
            well &= !line.IsFault;
        }

        var channels = string.Join(", ", host.Services.GetServices<INotificationChannel>().Select(channel => channel.Name));
        await output.WriteLineAsync(channels.Length > 0 ? $"ok     notifications to {channels}; whether they arrive: Monitoring.Worker notify test CHANNEL"
            : "WARN   notifications: no channel is configured, so nobody is told of an event");
        return well ? 0 : 1;
    }

    private static async Task<string?> AskVenueAsync(IHost host, WorkerOptions options, CancellationToken cancellationToken)
    {
        await host.Services.GetRequiredService<HyperliquidClient>().GetVaultDetailsAsync(options.HlpVault.VaultAddress, cancellationToken);
        return null;
    }

    private static async Task<bool> TryAsync(string ifNot, string what, Func<CancellationToken, Task<string?>> findProblem, TextWriter output, TimeProvider clock, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(Deadline, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        string? problem;
        try
        {
            problem = await findProblem(either.Token);
        }
        catch (Exception fault) when (DatabaseFaults.Covers(fault))
        {
            problem = DatabaseFaults.Describe(fault);
        }
        catch (Exception fault) when (fault is SourceUnavailableException or MissingDataException)
        {
            problem = fault.Message;
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            problem = $"no answer within {Deadline.TotalSeconds:0} s";
        }

        await output.WriteLineAsync(problem is null ? $"ok     {what}" : $"{ifNot}  {what}: {problem}");
        return problem is null;
    }
}
