using System.CommandLine;
using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Monitoring.Data.Events;
using Monitoring.Data.Notifications;
using Monitoring.Worker.Hosting;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Notifications.Channels;

namespace Monitoring.Worker.Operating;

/// <summary>
/// <c>notify test</c>: proves a channel, from the settings to the person. Exit codes: 0 delivered, 1 not delivered
/// or not recorded, 2 usage.
/// </summary>
internal static class NotifyCommands
{
    private static readonly Argument<string> Channel =
        new("channel") { Description = "webhook, slack, discord, telegram, pagerduty or email." };

    public static Command Create()
    {
        var test = new Command(
            "test", "Send a message marked as a test through one channel, say what came of it, and record it where there is a database.")
        {
            Channel,
        };
        test.SetAction((parsed, cancellationToken) => TestAsync(parsed.GetValue(Channel)!, cancellationToken));
        return new Command("notify", "Notification channels.") { test };
    }

    private static async Task<int> TestAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            var options = WorkerOptions.Read(new SettingsReader(new ConfigurationBuilder()
                .AddJsonFile(Path.Combine(AppContext.BaseDirectory, "appsettings.json"), optional: true).AddEnvironmentVariables().Build()),
                withoutDatabase: true);
            var services = new ServiceCollection().AddLogging().AddSingleton(TimeProvider.System).AddChannels(options.Channels);
            if (options.Database.Connection is not null)
                services.AddMonitoringData(options.Database);
            await using var provider = services.BuildServiceProvider();
            var channels = provider.GetServices<INotificationChannel>().ToList();
            if (channels.Find(channel => channel.Name == name) is { } found)
                return await TestAsync(found, options.Channels, provider.GetService<ChannelTests>(), cancellationToken);
            var configured = channels.Count == 0 ? "none" : string.Join(", ", channels.Select(channel => channel.Name));
            await Console.Error.WriteLineAsync($"channel '{name}' is not configured; configured: {configured}");
            return 2;
        }
        catch (ConfigurationFaultException faults)
        {
            foreach (var fault in faults.Faults)
                await Console.Error.WriteLineAsync(fault);
            return 1;
        }
    }

    private static async Task<int> TestAsync(
        INotificationChannel channel, ChannelOptions options, ChannelTests? tests, CancellationToken cancellationToken)
    {
        var now = TimeProvider.System.GetUtcNow();
        var message = Write(channel.Name, options, now);
        var outcome = await channel.SendAsync(message, cancellationToken);
        var (word, reason) = outcome switch
        {
            DeliveryOutcome.Delivered => ("delivered", null),
            DeliveryOutcome.Retry retry =>
                ("retry", retry.After is { } after ? $"{retry.Reason} (not before {after.TotalSeconds:0.#} s)" : retry.Reason),
            DeliveryOutcome.Dead dead => ("dead", dead.Reason),
            _ => throw new InvalidOperationException($"unknown outcome {outcome}"),
        };
        var said =
            word switch { "delivered" => "delivered", "retry" => $"not delivered, may work later: {reason}", _ => $"refused: {reason}" };
        await (reason is null ? Console.Out : Console.Error).WriteLineAsync(
            $"{channel.Name}: test message {message.NotificationId} {said}");
        if (tests is null)
            return reason is null ? 0 : 1;
        try
        {
            await tests.RecordAsync(new ChannelTest(message.NotificationId, channel.Name, now, word, reason), cancellationToken);
            return reason is null ? 0 : 1;
        }
        catch (Exception fault) when (DatabaseFaults.Covers(fault))
        {
            await Console.Error.WriteLineAsync($"the result is not recorded: {DatabaseFaults.Describe(fault)}");
            return 1;
        }
    }

    private static NotificationMessage Write(string channel, ChannelOptions options, DateTimeOffset now)
    {
        var id = Guid.CreateVersion7(now);
        var entry = new NotificationEntry(
            id, ChangeKind.Opened, Severity.Info, "notify.test", "test", channel, $"Test message to {channel}: nothing has happened",
            $"Somebody ran 'notify test {channel}' on {Environment.MachineName}. If you can read this, alarms reach you here.",
            now, now, "{}", [], Note: null, options.PublicUrl);
        return new NotificationMessage(id, [entry], IsTest: true);
    }
}
