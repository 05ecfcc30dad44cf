using Monitoring.Data.Database;
using Monitoring.Data.Notifications;
using Monitoring.Data.Supervision;

namespace Monitoring.Worker.Notifications;

/// <summary>Runs a sender per channel and wakes them when something has come.</summary>
internal sealed partial class Notifier(
    IEnumerable<INotificationChannel> channels, IOutbox outbox, NotificationOptions options, Supervisor supervisor, TimeProvider clock,
    ILoggerFactory loggers)
    : SupervisedService(supervisor)
{
    private static readonly TimeSpan RegisterEvery = TimeSpan.FromMinutes(1);

    private readonly ILogger _logger = loggers.CreateLogger<Notifier>();
    private readonly IReadOnlyList<ChannelSender> _senders =
        [.. channels.Select(channel => new ChannelSender(channel, outbox, options, clock, loggers.CreateLogger<ChannelSender>()))];

    /// <inheritdoc/>
    protected override IEnumerable<ServiceLoop> Loops => _senders.Count == 0 ? [] :
    [
        .. _senders.Select(sender => new ServiceLoop($"sender to {sender.Channel}", sender.RunRoundAsync)),
        new("register of the channels", stopping => TryAsync(
            () => outbox.RegisterAsync([.. _senders.Select(sender => sender.Channel)], stopping), RegisterEvery)),
        new("watch of the outbox", stopping => TryAsync(() => outbox.WatchAsync(WakeAll, stopping), TimeSpan.Zero)),
    ];

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_senders.Count == 0)
            LogNone();
        else
            LogChannels(string.Join(", ", _senders.Select(sender => sender.Channel)), NotificationClaims.AtOncePerMinute,
                options.GroupWindow.TotalSeconds);
        await base.ExecuteAsync(stoppingToken);
        await Task.WhenAll(_senders.Select(sender => sender.FinishAsync()));
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (var sender in _senders)
            sender.Dispose();
        base.Dispose();
    }

    private void WakeAll()
    {
        foreach (var sender in _senders)
            sender.Wake();
    }

    // The senders poll as well, so a fault of the database only costs time here; they say it when it is away.
    private async Task<TimeSpan?> TryAsync(Func<Task> act, TimeSpan every)
    {
        try
        {
            await act();
            return every;
        }
        catch (Exception fault) when (DatabaseFaults.Covers(fault))
        {
            LogFault(fault.Message);
            return ChannelSender.PollEvery;
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
