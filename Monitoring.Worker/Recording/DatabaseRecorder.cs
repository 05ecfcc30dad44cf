using Monitoring.Data.Checks;
using Monitoring.Data.Database;
using Monitoring.Data.Events;
using Monitoring.Data.Notifications;
using Monitoring.Data.Rules;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Events;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Recording.Journalling;
using Npgsql;

namespace Monitoring.Worker.Recording;

/// <summary>
/// Writes one result in one transaction: ledger row, observations, events, their changes and the notifications of them.
/// A result that is there already changes nothing.
/// </summary>
internal sealed class DatabaseRecorder(
    NpgsqlDataSource db, DayPartitions partitions, CheckRuns runs, IEnumerable<IObservationTable> tables, SecurityEventChanges changes,
    NotificationTable notifications, NotificationRouting routing, RuleCatalog rules, EventOptions options, TimeProvider clock,
    UnreadableRows unreadable)
{
    private DateOnly _partitionsUntil = DateOnly.MinValue;

    /// <summary>
    /// Stores what an entry of the journal says; answers what became of the events where that is a result. Rows that
    /// were stored just before the database went away, by a commit whose answer was lost, wait in the outbox: the
    /// entries of what was tried and sent without it give them their message.
    /// </summary>
    public async Task<EventUpdate?> StoreAsync(
        JournalEntry entry, Func<NewNotification, NewNotification> mark, CancellationToken cancellationToken)
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
    public Task<EventUpdate?> WriteAsync(CheckResult result, CancellationToken cancellationToken) =>
        WriteAsync(result, row => row, cancellationToken);

    // The same; mark says of each row of the outbox whether it was tried or sent already.
    private async Task<EventUpdate?> WriteAsync(
        CheckResult result, Func<NewNotification, NewNotification> mark, CancellationToken cancellationToken)
    {
        try
        {
            return await WriteOnceAsync(result, mark, cancellationToken);
        }
        // a partition that was there: another database, restored
        catch (PostgresException missing) when (missing is { SqlState: PostgresErrorCodes.CheckViolation, ConstraintName: null or "" })
        {
            _partitionsUntil = DateOnly.MinValue;
            return await WriteOnceAsync(result, mark, cancellationToken);
        }
    }

    private async Task<EventUpdate?> WriteOnceAsync(
        CheckResult result, Func<NewNotification, NewNotification> mark, CancellationToken cancellationToken)
    {
        await EnsurePartitionsAsync(DateOnly.FromDateTime(result.Run.ScheduledAt.UtcDateTime), cancellationToken);
        await EnsureOtherPartitionsAsync(result, cancellationToken);
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        // What another worker's failed run of the same time has left; null where its success is there already.
        var leftByFailure = await runs.RecordAsync(result.Run, transaction, cancellationToken);
        // Where another worker checked at the same moment, its rows are those of the check. What has its key from the source, this one
        // may be the only one to have seen.
        foreach (var table in tables.Where(table => leftByFailure is not null || table.KeyedBy == KeyedBy.Source))
            await table.InsertAsync(result.Observations, someAreThere: leftByFailure > 0, transaction, cancellationToken);
        await SourceCursors.AddAsync(result.Run.Monitor, result.Readings, transaction, cancellationToken);
        var update = leftByFailure is null ? null : await UpdateEventsAsync(result, mark, transaction, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return update;
    }

    private async Task<EventUpdate> UpdateEventsAsync(
        CheckResult result, Func<NewNotification, NewNotification> mark, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        if (result.Run.Outcome != CheckOutcome.Succeeded)
            return EventUpdate.None;
        var fingerprints = result.Findings.Select(finding => finding.Fingerprint);
        var known = await SecurityEventUpdates.LockRelevantAsync(
            result.Run.Monitor, fingerprints, unreadable, transaction, cancellationToken);
        var update = EventLifecycle.Apply(known, result, options.ResolveAfter, rules, clock.GetUtcNow());
        await SecurityEventUpdates.MoveAsync(update.Moved, transaction, cancellationToken);
        await SecurityEventUpdates.UpsertAsync(update.Rewritten, transaction, cancellationToken);
        // Last: it numbers the changes under a lock that every writer shares.
        var appended = await changes.AppendAsync(update.Changes, transaction, cancellationToken);
        var messages = appended.SelectMany(change => routing.For(update.EventOf(change), change)).Select(mark);
        await notifications.AddAsync([.. messages], transaction, cancellationToken);
        return update;
    }

    /// <summary>
    /// Forgets the connections to a server that can no longer be written to, so that the next ones look for the one that can.
    /// </summary>
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
        var days = result.Observations.Select(row => row.PartitionTime).OfType<DateTimeOffset>()
            .Select(at => DateOnly.FromDateTime(at.UtcDateTime))
            .Where(day => day > _partitionsUntil || day < _partitionsUntil.AddDays(-1)).Distinct().ToList();
        if (days.Count > 0)
            await partitions.EnsureAsync(days, cancellationToken);
    }
}
