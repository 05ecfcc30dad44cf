using Monitoring.Data.Database;
using Monitoring.Data.Notifications;

namespace Monitoring.Worker.Notifications;

/// <summary>Runs a sender per channel and wakes them when something has come.</summary>
internal sealed partial class Notifier(
    IEnumerable<INotificationChannel> channels, IOutbox outbox, NotificationOptions options, TimeProvider clock, ILoggerFactory loggers)
    : BackgroundService
{
    private static readonly TimeSpan RegisterEvery = TimeSpan.FromMinutes(1);

    private readonly ILogger _logger = loggers.CreateLogger<Notifier>();

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var names = channels.Select(channel => channel.Name).ToList();
        if (names.Count == 0)
        {
            LogNone();
            return;
        }

        LogChannels(string.Join(", ", names), NotificationClaims.AtOncePerMinute, options.GroupWindow.TotalSeconds);
        var senders = channels
            .Select(channel => new ChannelSender(channel, outbox, options, clock, loggers.CreateLogger<ChannelSender>())).ToList();
        await Task.WhenAll([
            .. senders.Select(sender => sender.RunAsync(stoppingToken)),
            RepeatAsync(() => outbox.RegisterAsync(names, stoppingToken), RegisterEvery, stoppingToken),
            RepeatAsync(
                () => outbox.WatchAsync(() => senders.ForEach(sender => sender.Wake()), stoppingToken), TimeSpan.Zero, stoppingToken),
        ]);
    }

    // The senders poll as well, so a fault here only costs time; they say it when the database is away.
    private async Task RepeatAsync(Func<Task> act, TimeSpan every, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            var pause = every;
            try
            {
                await act();
            }
            catch (Exception fault)
                when (DatabaseFaults.Covers(fault) || (fault is OperationCanceledException && stopping.IsCancellationRequested))
            {
                LogFault(fault.Message);
                pause = ChannelSender.PollEvery;
            }

            await Task.WhenAny(Task.Delay(pause, clock, stopping));
        }
    }

    [LoggerMessage(LogLevel.Information,
        "notifications go to {Channels}; after {AtOnce} messages in a minute, what comes waits for up to {Seconds:0} s and goes as one")]
    private partial void LogChannels(string channels, int atOnce, double seconds);

    [LoggerMessage(LogLevel.Warning, "no notification channel is configured: events are stored and logged, and nobody is notified")]
    private partial void LogNone();

    [LoggerMessage(LogLevel.Debug, "the outbox is away: {Error}")]
    private partial void LogFault(string error);
}
