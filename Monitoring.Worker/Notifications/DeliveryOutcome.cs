namespace Monitoring.Worker.Notifications;

/// <summary>
/// What one attempt to deliver came to: <see cref="Delivered"/>, <see cref="Retry"/> or <see cref="Dead"/>. Reasons hold no secret.
/// </summary>
internal abstract record DeliveryOutcome
{
    private DeliveryOutcome()
    {
    }

    /// <summary>The service took the message.</summary>
    public sealed record Delivered : DeliveryOutcome;

    /// <summary>It may work later; where the service said so, not before <paramref name="After"/> from now.</summary>
    public sealed record Retry(string Reason, TimeSpan? After = null) : DeliveryOutcome;

    /// <summary>The service refused the message, and would refuse it again.</summary>
    public sealed record Dead(string Reason) : DeliveryOutcome;
}
