using Monitoring.Worker.Recording;
using Monitoring.Worker.Recording.Journalling;

namespace Monitoring.Worker.Notifications;

/// <summary>
/// The outbox of a worker with a database: that of the database while the link to it holds and it answers, and the one of this process for
/// what the database does not have yet. A question that hangs is waited for until the link is lost, and no longer than some seconds; what
/// it may still claim lapses there by itself.
/// </summary>
internal sealed class OutboxSwitch(
    DatabaseLink link, DatabaseOutbox database, OfflineOutbox offline, InFlightClaims claims, UrgentMessages urgent, TimeProvider clock)
    : IOutbox
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5); // a critical message is to be out after 15 s

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ClaimedMessage>> ClaimAsync(
        string channel, int most, IReadOnlyCollection<Guid> inFlight, CancellationToken cancellationToken)
    {
        IReadOnlyList<ClaimedMessage> claimed = [];
        if (!await TryDatabaseAsync(async () => claimed = await database.ClaimAsync(channel, most, inFlight, cancellationToken)))
            return await offline.ClaimAsync(channel, most, inFlight, cancellationToken);
        urgent.Claimed(channel, claimed.SelectMany(message => message.Message.Entries));
        urgent.TakeBack();
        if (claimed.Count == most || offline.ListWaiting(channel) is not { Count: > 0 } waiting)
            return claimed;
        // After an outage: what belongs to results that wait for their turn does not wait with them, unless another worker has stored it.
        if (!await TryDatabaseAsync(async () => offline.Drop(await database.ListStoredAsync(waiting, cancellationToken))))
            return claimed;
        return [.. claimed, .. await offline.ClaimAsync(channel, most - claimed.Count, inFlight, cancellationToken)];
    }

    /// <inheritdoc/>
    public Task RenewAsync(IReadOnlyCollection<Guid> inFlight, CancellationToken cancellationToken) =>
        TryDatabaseAsync(() => database.RenewAsync(inFlight, cancellationToken));

    /// <summary>
    /// Marks where the claim was made. What the database's outbox gave out and nobody can mark there is journalled if it was delivered;
    /// otherwise its claim lapses and it is tried again.
    /// </summary>
    public async Task MarkAsync(string channel, Guid messageId, DeliveryVerdict? verdict, CancellationToken cancellationToken)
    {
        if (offline.Holds(messageId))
            await offline.MarkAsync(channel, messageId, verdict, cancellationToken);
        else if (!await TryDatabaseAsync(() => database.MarkAsync(channel, messageId, verdict, cancellationToken))
            && verdict is DeliveryVerdict.Delivered)
            claims.Add(new DeliveryEntry(messageId, [], channel, clock.GetUtcNow()));
    }

    /// <inheritdoc/>
    public Task RegisterAsync(IReadOnlyList<string> channels, CancellationToken cancellationToken) =>
        database.RegisterAsync(channels, cancellationToken);

    /// <inheritdoc/>
    public Task WatchAsync(Action wake, CancellationToken cancellationToken)
    {
        offline.Wake = wake;
        return database.WatchAsync(wake, cancellationToken);
    }

    /// <summary>The database's alone: while it is away nobody knows, and no letter is reported as if there were none.</summary>
    public Task<IReadOnlyList<DeadLetters>> ListDeadAsync(DateTimeOffset since, CancellationToken cancellationToken) =>
        database.ListDeadAsync(since, cancellationToken);

    // Answers false while the database is away or an earlier question to it hangs, also when it goes away in the middle: nobody waits for
    // that answer any more.
    private async Task<bool> TryDatabaseAsync(Func<Task> ask)
    {
        var lost = link.WaitUntilLostAsync(CancellationToken.None);
        if (lost.IsCompleted || urgent.OutboxHangs)
            return false;
        var asked = ask();
        using var patience = new CancellationTokenSource();
        await Task.WhenAny(asked, lost, Task.Delay(Patience, TimeProvider.System, patience.Token));
        await patience.CancelAsync();
        if (!asked.IsCompleted)
        {
            _ = asked.ContinueWith(ended => ended.Exception, TaskScheduler.Default); // observed: nobody waits for it any more
            if (!lost.IsCompleted)
                urgent.Hangs(asked);
            return false;
        }

        await asked;
        return true;
    }
}
