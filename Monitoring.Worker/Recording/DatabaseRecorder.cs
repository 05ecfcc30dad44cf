using Monitoring.Data.Checks;
using Monitoring.Data.Database;
using Monitoring.Data.Events;
using Monitoring.Data.Notifications;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Events;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Recording.Journalling;
using Npgsql;

namespace Monitoring.Worker.Recording;

/// <summary>Writes one result in one transaction: ledger row, observations, events, their changes and the notifications of them. A result that is there already changes nothing.</summary>
internal sealed class DatabaseRecorder(
    NpgsqlDataSource db, DayPartitions partitions, CheckRuns runs, IEnumerable<IObservationTable> tables, SecurityEvents events, SecurityEventChanges changes,
    NotificationTable notifications, NotificationRouting routing, EventOptions options, TimeProvider clock)
{
    private DateOnly _partitionsUntil = DateOnly.MinValue;

    /// <summary>
    /// Stores what an entry of the journal says; answers what became of the events where that is a result. Rows that were stored just before the database went away, by a commit whose answer
    /// was lost, wait in the outbox: the entries of what was tried and sent without it give them their message.
    /// </summary>
    public async Task<EventUpdate?> StoreAsync(JournalEntry entry, Func<NewNotification, NewNotification> mark, CancellationToken cancellationToken)
    {
        if (entry is ResultEntry { Result: var result })
            return await WriteAsync(result, mark, cancellationToken);
        if (entry is AttemptEntry attempt)
            await notifications.MarkBegunAsync(attempt.NotificationIds, attempt.MessageId, cancellationToken);
        else if (entry is DeliveryEntry delivery)
            await notifications.MarkSentAsync(delivery.NotificationIds, delivery.MessageId, delivery.DeliveredAt, cancellationToken);
        return null;
    }

    /// <summary>Answers the events' update, or null when the result was there already. Throws what the database throws.</summary>
    public Task<EventUpdate?> WriteAsync(CheckResult result, CancellationToken cancellationToken) => WriteAsync(result, row => row, cancellationToken);

    // The same; mark says of each row of the outbox whether it was tried or sent already.
    private async Task<EventUpdate?> WriteAsync(CheckResult result, Func<NewNotification, NewNotification> mark, CancellationToken cancellationToken)
    {
        try
        {
            return await WriteOnceAsync(result, mark, cancellationToken);
        }
        catch (PostgresException missing) when (missing is { SqlState: PostgresErrorCodes.CheckViolation, ConstraintName: null or "" }) // a partition that was there: another database, restored
        {
            _partitionsUntil = DateOnly.MinValue;
            return await WriteOnceAsync(result, mark, cancellationToken);
        }
    }

    private async Task<EventUpdate?> WriteOnceAsync(CheckResult result, Func<NewNotification, NewNotification> mark, CancellationToken cancellationToken)
    {
        await EnsurePartitionsAsync(DateOnly.FromDateTime(result.Run.ScheduledAt.UtcDateTime), cancellationToken);
        await EnsureOtherPartitionsAsync(result, cancellationToken);
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await runs.LockMonitorAsync(result.Run.Monitor, transaction, cancellationToken);
        if (!await runs.RecordAsync(result.Run, transaction, cancellationToken))
        {
            // Another worker checked at the same moment. What has its time from the venue, this one may be the only one to have seen.
            foreach (var table in tables)
                await table.InsertAsync([.. result.Observations.Where(row => row.PartitionTime is not null)], transaction, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return null;
        }

        foreach (var table in tables)
            await table.InsertAsync(result.Observations, transaction, cancellationToken);

        var known = await events.LockRelevantAsync(result.Run.Monitor, [.. result.Findings.Select(f => f.Fingerprint).Distinct()], transaction, cancellationToken);
        var update = EventLifecycle.Apply(known, result, options.ResolveAfter, clock.GetUtcNow());
        foreach (var changed in update.Events)
            await events.UpsertAsync(changed, transaction, cancellationToken);
        var messages = new List<NewNotification>();
        foreach (var change in update.Changes) // last: it numbers the changes under a lock that every writer shares
            messages.AddRange(routing.For(update.Events.First(e => e.EventId == change.EventId), change with { Seq = await changes.AppendAsync(change, transaction, cancellationToken) }));
        await notifications.AddAsync([.. messages.Select(mark)], transaction, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return update;
    }

    /// <summary>Forgets the connections to a server that can no longer be written to, so that the next ones look for the one that can.</summary>
    public void LeaveServer() => db.Clear();

    // In a transaction of its own, because a new partition locks its table; a day ahead, so that midnight finds it there.
    private async Task EnsurePartitionsAsync(DateOnly day, CancellationToken cancellationToken)
    {
        if (day < _partitionsUntil && day >= _partitionsUntil.AddDays(-2))
            return;
        await partitions.EnsureAsync([day, day.AddDays(1)], cancellationToken);
        _partitionsUntil = day.AddDays(1);
    }

    // What the venue did before or around midnight belongs to days of its own.
    private async Task EnsureOtherPartitionsAsync(CheckResult result, CancellationToken cancellationToken)
    {
        var days = result.Observations.Select(row => row.PartitionTime).OfType<DateTimeOffset>().Select(at => DateOnly.FromDateTime(at.UtcDateTime))
            .Where(day => day > _partitionsUntil || day < _partitionsUntil.AddDays(-1)).Distinct().ToList();
        if (days.Count > 0)
            await partitions.EnsureAsync(days, cancellationToken);
    }
}
