using Monitoring.Worker.Notifications;
using Monitoring.Worker.Recording.Journalling;
using Monitoring.Worker.Subjects;

namespace Monitoring.Worker.Hosting;

/// <summary>
/// What <c>--check</c> does: tries every connection once, the engine's and those of the subjects, and says what is wrong.
/// </summary>
internal static class ConfigurationCheck
{
    /// <summary>Answers 0 when all is well but for warnings, 1 otherwise; one line per connection.</summary>
    public static async Task<int> RunAsync(
        WorkerOptions options, TimeProvider clock, TextWriter output, CancellationToken cancellationToken)
    {
        using var host = WorkerHost.Build(options, clock);
        var (probe, well) = (new ConnectionProbe(clock), true);

        async Task WriteAsync(CheckLine line)
        {
            await output.WriteLineAsync(line.ToString());
            well &= line.Problem is null || !line.IsFault;
        }

        await WriteAsync(new CheckLine("configuration"));
        if (!options.WithoutDatabase)
        {
            var database = ActivatorUtilities.CreateInstance<DatabaseCheck>(host.Services);
            await foreach (var line in database.RunAsync(probe, cancellationToken))
                await WriteAsync(line);
            var journal = options.Journal.Path;
            await WriteAsync(new CheckLine($"journal {journal}", new JournalFolder(journal).FindProblem(), IsFault: true));
        }

        foreach (var subject in options.Subjects)
            await foreach (var line in subject.CheckConnectionsAsync(host.Services, probe, cancellationToken))
                await WriteAsync(line);

        var channels = string.Join(", ", host.Services.GetServices<INotificationChannel>().Select(channel => channel.Name));
        await WriteAsync(channels.Length > 0
            ? new CheckLine($"notifications to {channels}; whether they arrive: Monitoring.Worker notify test CHANNEL")
            : new CheckLine("notifications", "no channel is configured, so nobody is notified of an event"));
        return well ? 0 : 1;
    }
}
