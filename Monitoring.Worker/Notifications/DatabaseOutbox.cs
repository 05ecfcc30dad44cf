using Monitoring.Data.Database;
using Monitoring.Data.Notifications;
using Monitoring.Data.Rules;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Notifications.Channels;

namespace Monitoring.Worker.Notifications;

/// <summary>
/// The outbox in the database: rows become messages here. A claim lasts <see cref="Lease"/> unless it is renewed, so a worker that dies
/// holds nothing up for long.
/// </summary>
internal sealed class DatabaseOutbox(
    NotificationClaims claims, NotificationChannelTable table, ChannelListener listener, InFlightClaims inFlightClaims,
    NotificationOptions options, ChannelOptions channels, RuleCatalog rules, WorkerIdentity identity, TimeProvider clock) : IOutbox
{
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ClaimedMessage>> ClaimAsync(
        string channel, int most, IReadOnlyCollection<Guid> inFlight, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var terms = new ClaimTerms(identity.Name, now, now + Lease, now + DeliveryRules.LongestPause, options.GroupWindow,
            options.UrgentWindow, rules.NeverHeld);
        var offline = inFlightClaims.Ids;
        var rows = await claims.ClaimAsync(channel, terms, most, [.. inFlight, .. offline], offline, cancellationToken);
        return [.. rows.GroupBy(row => row.MessageId)
            .Select(same => new ClaimedMessage(
                new NotificationMessage(same.Key, [.. same.Select(ToEntry)]), same.First().Attempts, same.First().GiveUpAt))];
    }

    /// <summary>Those of these notifications that are stored, by whichever worker.</summary>
    public Task<IReadOnlyList<Guid>> ListStoredAsync(IReadOnlyCollection<Guid> notificationIds, CancellationToken cancellationToken) =>
        claims.ListStoredAsync(notificationIds, cancellationToken);

    /// <inheritdoc/>
    public Task RenewAsync(IReadOnlyCollection<Guid> inFlight, CancellationToken cancellationToken) =>
        claims.RenewAsync(inFlight, identity.Name, clock.GetUtcNow() + Lease, cancellationToken);

    /// <inheritdoc/>
    public Task MarkAsync(string channel, Guid messageId, DeliveryVerdict? verdict, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        return verdict switch
        {
            DeliveryVerdict.Delivered =>
                claims.MarkDeliveredAsync(channel, messageId, now, now + DeliveryRules.AfterSuccess, cancellationToken),
            DeliveryVerdict.Dead dead => claims.MarkDeadAsync(channel, messageId, now, dead.Error, cancellationToken),
            DeliveryVerdict.Again again => claims.MarkForRetryAsync(
                channel, messageId, identity.Name, now, again.At, again.PausedUntil, again.GiveUpAt, again.Error, cancellationToken),
            _ => claims.ReleaseAsync(messageId, identity.Name, cancellationToken),
        };
    }

    /// <inheritdoc/>
    public Task RegisterAsync(IReadOnlyList<string> channels, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var error = $"no worker had this channel for {options.Deadline.TotalHours:0.#} h";
        return table.RegisterAsync([.. channels], now, now - options.Deadline, error, cancellationToken);
    }

    /// <inheritdoc/>
    public Task WatchAsync(Action wake, CancellationToken cancellationToken) =>
        listener.ListenAsync("notifications", wake, cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<DeadLetters>> ListDeadAsync(DateTimeOffset since, CancellationToken cancellationToken) =>
        [.. (await table.ListAsync(clock.GetUtcNow(), since, NotificationRouting.UndeliveredRule, cancellationToken))
            .Where(state => state.NewestDeadAt is not null)
            .Select(state => new DeadLetters(state.Channel, state.Dead, state.NewestDeadAt!.Value, state.DeadError ?? ""))];

    private NotificationEntry ToEntry(ClaimedNotification row) => new(
        row.EventId, row.Kind, row.Severity, row.RuleId, row.ThreatType, row.Subject, row.Title, row.Description,
        row.FirstSeenAt, row.ChangedAt, row.Indicators, row.RelatedAddresses, row.Note, channels.LinkTo(row.EventId));
}
