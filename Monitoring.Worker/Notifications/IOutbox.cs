namespace Monitoring.Worker.Notifications;

/// <summary>
/// A message that is this worker's to send. <paramref name="Attempts"/> counts the one to come; <paramref name="GiveUpAt"/> is null before
/// the first has failed.
/// </summary>
internal sealed record ClaimedMessage(NotificationMessage Message, int Attempts, DateTimeOffset? GiveUpAt);

/// <summary>How many notifications a channel has lost for good since the moment asked for, and why it lost the newest.</summary>
internal sealed record DeadLetters(string Channel, long Count, DateTimeOffset NewestAt, string Error);

/// <summary>
/// What waits to be sent. Each message is one sender's at a time, and comes after the earlier ones of its events on the same channel.
/// </summary>
internal interface IOutbox
{
    /// <summary>Claims at most <paramref name="most"/> messages that are due on a channel, none of <paramref name="inFlight"/>.</summary>
    Task<IReadOnlyList<ClaimedMessage>> ClaimAsync(
        string channel, int most, IReadOnlyCollection<Guid> inFlight, CancellationToken cancellationToken);

    /// <summary>Keeps claims while their attempts go on, where they would lapse.</summary>
    Task RenewAsync(IReadOnlyCollection<Guid> inFlight, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Notes what became of an attempt; null gives the message back at once.</summary>
    Task MarkAsync(string channel, Guid messageId, DeliveryVerdict? verdict, CancellationToken cancellationToken);

    /// <summary>Says which channels this worker sends through. To be repeated, or what waits for a channel is given up one day.</summary>
    Task RegisterAsync(IReadOnlyList<string> channels, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Calls <paramref name="wake"/> whenever something may have come, until it is cancelled or cannot hear any more.</summary>
    Task WatchAsync(Action wake, CancellationToken cancellationToken);

    /// <summary>
    /// The channels with letters that died since a moment. Those that reported dead letters do not count, or one would lead to the next.
    /// </summary>
    Task<IReadOnlyList<DeadLetters>> ListDeadAsync(DateTimeOffset since, CancellationToken cancellationToken);
}
