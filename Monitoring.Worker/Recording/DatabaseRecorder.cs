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
    DatabaseConnections db, DayPartitions partitions, CheckRuns runs, IEnumerable<IObservationTable> tables,
    NotificationTable notifications, NotificationRouting routing, RuleCatalog rules, EventOptions options, TimeProvider clock,
    UnreadableRows unreadable, ResultTimes? times = null)
{
    private readonly EventPolicy _policy = new(options, rules, routing);
    private DateOnly _partitionsUntil = DateOnly.MinValue;

    /// <summary>
    /// Stores what an entry of the journal says; answers what became of the events where that is a result. Rows that
    /// were stored just before the database went away, by a commit whose answer was lost, wait in the outbox: the
    /// entries of what was tried and sent without it give them their message.
    /// </summary>
    public async Task<EventUpdate?> StoreAsync(
        JournalEntry entry, Func<NewNotification, NewNotification> mark, TimeSpan? lockTimeout, CancellationToken cancellationToken)
    {
        if (entry is ResultEntry { Result: var result })
            return await WriteAsync(
                times is null ? result : await times.SettleAsync(result, cancellationToken), mark, lockTimeout, isTrial: false,
                cancellationToken);
        if (entry is AttemptEntry attempt)
            await notifications.MarkBegunAsync(attempt.NotificationIds, attempt.MessageId, cancellationToken);
        else if (entry is DeliveryEntry delivery)
            await notifications.MarkSentAsync(delivery.NotificationIds, delivery.MessageId, delivery.DeliveredAt, cancellationToken);
        return null;
    }

    /// <summary>Answers the events' update, or null when the result was there already. Throws what the database throws.</summary>
    public Task<EventUpdate?> WriteAsync(CheckResult result, CancellationToken cancellationToken) =>
        WriteAsync(result, row => row, lockTimeout: null, isTrial: false, cancellationToken);

    /// <summary>Whether the database would take this result. Nothing is stored.</summary>
    public async Task<bool> TakesAsync(CheckResult result, CancellationToken cancellationToken)
    {
        try
        {
            await WriteAsync(result, row => row, lockTimeout: null, isTrial: true, cancellationToken);
            return true;
        }
        catch (Exception fault) when (IsRefusal(fault))
        {
            return false;
        }
    }

    /// <summary>
    /// Whether a result is never accepted, for what is in it: a data exception, a constraint, or what cannot even be sent.
    /// </summary>
    public static bool IsRefusal(Exception fault) => DatabaseFaults.IsRefusedValue(fault)
        || !(DatabaseFaults.Covers(fault) || fault is OperationCanceledException or ObjectDisposedException);

    // The same; mark says of each row of the outbox whether it was tried or sent already, lockTimeout how long to wait for a lock.
    private async Task<EventUpdate?> WriteAsync(
        CheckResult result, Func<NewNotification, NewNotification> mark, TimeSpan? lockTimeout, bool isTrial,
        CancellationToken cancellationToken)
    {
        try
        {
            return await WriteOnceAsync(result, mark, lockTimeout, isTrial, cancellationToken);
        }
        // a partition that was there: another database, restored
        catch (PostgresException missing) when (missing is { SqlState: PostgresErrorCodes.CheckViolation, ConstraintName: null or "" })
        {
            _partitionsUntil = DateOnly.MinValue;
            return await WriteOnceAsync(result, mark, lockTimeout, isTrial, cancellationToken);
        }
    }

    private async Task<EventUpdate?> WriteOnceAsync(
        CheckResult result, Func<NewNotification, NewNotification> mark, TimeSpan? lockTimeout, bool isTrial,
        CancellationToken cancellationToken)
    {
        await EnsurePartitionsAsync(DateOnly.FromDateTime(result.Run.ScheduledAt.UtcDateTime), cancellationToken);
        await EnsureOtherPartitionsAsync(result, cancellationToken);
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        try
        {
            if (lockTimeout is { } most)
                await LockTimeouts.SetAsync(most, transaction, cancellationToken);
            var update = await WriteRowsAsync(result, mark, transaction, cancellationToken);
            if (!isTrial)
                await transaction.CommitAsync(cancellationToken);
            return update;
        }
        catch (PostgresException)
        {
            // Npgsql takes a statement that fails in the run that prepares it for prepared: its next run there reads another's answer.
            db.Clear();
            throw;
        }
    }

    private async Task<EventUpdate?> WriteRowsAsync(
        CheckResult result, Func<NewNotification, NewNotification> mark, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        // What another worker's failed run of the same time has left; null where its success is there already.
        var leftByFailure = await runs.RecordAsync(result.Run, transaction, cancellationToken);
        // Where another worker checked at the same moment, its rows are those of the check. What has its key from the source, this one
        // may be the only one to have seen.
        foreach (var table in tables.Where(table => leftByFailure is not null || table.KeyedBy == KeyedBy.Source))
            await table.InsertAsync(result.Observations, someAreThere: leftByFailure > 0, transaction, cancellationToken);
        await SourceCursors.AddAsync(result.Run.Monitor, result.Readings, transaction, cancellationToken);
        return leftByFailure is null ? null : await UpdateEventsAsync(result, mark, transaction, cancellationToken);
    }

    private async Task<EventUpdate> UpdateEventsAsync(
        CheckResult result, Func<NewNotification, NewNotification> mark, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        if (result.Run.Outcome != CheckOutcome.Succeeded)
            return EventUpdate.None;
        var now = clock.GetUtcNow();
        var (inhibits, reminds) = (_policy.Inhibits(result), EventPolicy.Reminds(result.Run));
        if (inhibits || reminds)
            await RelatedEvents.LockAsync(transaction, cancellationToken);
        var fingerprints = result.Findings.Select(finding => finding.Fingerprint);
        var known = await SecurityEventUpdates.LockRelevantAsync(
            result.Run.Monitor, fingerprints, unreadable, transaction, cancellationToken);
        IReadOnlyList<SecurityEvent> inhibition = inhibits
            ? await RelatedEvents.ListInhibitionAsync([.. _policy.Covered(result)], unreadable, transaction, cancellationToken) : [];
        var (due, held) = reminds ? await FindDueAsync(result.Run.ScheduledAt, now, transaction, cancellationToken) : Nothing;
        if (inhibition.Count + due.Count > 0)
            known = [.. known.Concat(due).Concat(inhibition).DistinctBy(e => e.EventId)];
        var update = _policy.Decide(known, result, e => held.Contains(e.EventId), now);
        var batch = new DatabaseBatch();
        SecurityEventUpdates.Move(batch, update.Moved);
        SecurityEventUpdates.Upsert(batch, update.Rewritten);
        RelatedEvents.Inhibit(batch, update.Inhibited);
        RelatedEvents.Remind(batch, update.Reminded);
        // Last: it numbers the changes under a lock that every writer shares.
        var appended = SecurityEventChanges.Append(batch, update.Changes);
        await batch.SendAsync(transaction, cancellationToken);
        var messages = appended().SelectMany(change => routing.For(update.EventOf(change), change)).Select(mark);
        await notifications.AddAsync([.. messages], transaction, cancellationToken);
        return update;
    }

    private static readonly (IReadOnlyList<SecurityEvent>, IReadOnlySet<Guid>) Nothing = ([], new HashSet<Guid>());

    private async Task<(IReadOnlyList<SecurityEvent> Due, IReadOnlySet<Guid> Held)> FindDueAsync(
        DateTimeOffset at, DateTimeOffset now, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        var due = await RelatedEvents.LockDueAsync(
            _policy.Due(at), at.AddSeconds(-routing.ShortestAfter), routing.LongestAfter, unreadable, transaction, cancellationToken);
        return due.Count == 0 ? Nothing
            : (due, await RelatedEvents.ListHeldAsync([.. due.Select(e => e.EventId)], now, transaction, cancellationToken));
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
