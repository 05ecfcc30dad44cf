namespace Monitoring.Worker.Notifications;

/// <summary>One way to people: it turns a message into the bytes of its service, sends them once, and says what the answer means.</summary>
internal interface INotificationChannel
{
    /// <summary>
    /// The name in configuration, routes and tables: <c>webhook</c>, <c>slack</c>, <c>discord</c>, <c>telegram</c>,
    /// <c>pagerduty</c>, <c>email</c>.
    /// </summary>
    string Name { get; }

    /// <summary>
    /// Makes one attempt, with its own deadline. Whatever the service or the network does is an outcome;
    /// only the cancellation of <paramref name="cancellationToken"/> is thrown.
    /// </summary>
    Task<DeliveryOutcome> SendAsync(NotificationMessage message, CancellationToken cancellationToken);
}
