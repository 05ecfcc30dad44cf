using System.Text;
using Monitoring.Data.Database;
using Monitoring.Data.Notifications;
using Monitoring.Data.Supervision;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Events;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Recording.Journalling;
using Npgsql;

namespace Monitoring.Worker.Recording;

/// <summary>
/// Passes results to the database in the order in which they came. Each is in the journal before it is written to the database, so that
/// neither an outage nor the end of this process loses it; a result that the database refuses for its content is set aside, so that it does
/// not hold up the others. It alone sees whether the database takes results, so it alone changes the <see cref="DatabaseLink"/>.
/// </summary>
internal sealed partial class RecordingPipeline(
    DatabaseRecorder database, SchemaVersions schema, DatabaseLink link, RecordingQueue queue, RecordingHealth health,
    EventSnapshot snapshot, EventSnapshotRefresh refresh, OutageNotifier outageNotifier, OfflineOutbox offline, InFlightClaims claims,
    UrgentMessages urgent, EventLog log, SessionStatistics statistics, Supervisor supervisor, TimeProvider clock,
    ILogger<RecordingPipeline> logger)
    : SupervisedService(supervisor), IRecorder
{
    private static readonly TimeSpan RetryEvery = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan WriteTimeout = TimeSpan.FromSeconds(6); // all attempts: a critical finding is to be out after 15 s
    private static readonly TimeSpan LongWriteTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(2); // while it is away: no message leaves meanwhile
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);

    private const int Attempts = 5;
    private const int LongTryEvery = 10;
    private const int LongBacklog = 100; // more than this takes longer than somebody who waits for an alarm should wait
    private const int Defects = 3; // so often an entry is tried that meets a defect of this program

    private readonly SemaphoreSlim _writing = new(1); // held by whoever drains
    private readonly Lock _adding = new(); // a result comes before a change of the link or after it, and is followed once
    private volatile TaskCompletionSource _added = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isCatchingUp; // a long backlog is written: results that come now are followed as in the outage, under _adding
    private bool _hasLooked; // at what an earlier run left
    private int _triesWhileAway;
    private int _defects;

    /// <summary>How many results the database does not have yet, those of its own health included.</summary>
    public int Waiting => queue.Waiting;

    /// <inheritdoc/>
    public void Record(CheckResult result)
    {
        lock (_adding)
        {
            queue.Add(new ResultEntry(result));
            if (link.IsAway || _isCatchingUp)
                outageNotifier.Follow(result);
        }

        Interlocked.Exchange(ref _added, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }

    /// <summary>Records the pipeline's own health, when there is something to record.</summary>
    public void Look()
    {
        if (health.LookIfDue() is { } look)
            Record(look);
    }

    /// <summary>Writes what waits, oldest first, until nothing does or the database does not take it.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            if (link.IsAway && !await AnswersAsync(cancellationToken))
                return;
            await FollowWhatWasLeftAsync(cancellationToken);
            while (queue.Oldest() is { } entry && await HoldAndWriteAsync(entry, cancellationToken))
            {
            }
        }
        finally
        {
            lock (_adding)
                _isCatchingUp &= Waiting > 0;
            _writing.Release();
        }
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await DrainAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // No time left: what waits is named below.
        }
        catch (Exception fault)
        {
            LogNotDrained(fault);
        }

        if (queue.InMemory is var lost and > 0)
            LogLost(lost);
        else if (Waiting > 0)
            LogKept(Waiting, offline.Undelivered);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _writing.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override IEnumerable<ServiceLoop> Loops =>
    [
        new("recording", WriteWhatWaitsAsync), new("the event snapshot", RefreshAsync), new("the recorder's health", LookAsync),
    ];

    // Woken by each result while the database takes them, else now and then. What waits at a stop is written by StopAsync.
    private async Task<TimeSpan?> WriteWhatWaitsAsync(CancellationToken stopping)
    {
        var added = _added.Task; // before the look, so that nothing falls between
        if (Waiting > 0)
            await DrainAsync(stopping);
        if (link.IsAway)
            return RetryEvery;
        await Task.WhenAny(added, Task.Delay(RetryEvery, clock, stopping));
        return TimeSpan.Zero;
    }

    private Task<TimeSpan?> LookAsync(CancellationToken stopping)
    {
        Look();
        return Task.FromResult<TimeSpan?>(RetryEvery);
    }

    // Nothing is written meanwhile: what is read is never older than what this worker wrote.
    private async Task<TimeSpan?> RefreshAsync(CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            if (!link.IsAway)
                await refresh.RefreshIfDueAsync(cancellationToken);
            return RetryEvery;
        }
        finally
        {
            _writing.Release();
        }
    }

    // Once, at the beginning: a long backlog of an earlier run must not keep people waiting either.
    private async Task FollowWhatWasLeftAsync(CancellationToken cancellationToken)
    {
        if (_hasLooked || link.IsAway)
            return;
        _hasLooked = true;
        if (Waiting <= LongBacklog)
            return;
        await refresh.RefreshIfDueAsync(cancellationToken);
        lock (_adding)
        {
            outageNotifier.Begin(outage: null);
            _isCatchingUp = true;
        }
    }

    // No message is under way while its notifications are stored: each is stored as delivered, as begun or as new. Between two entries
    // messages may leave.
    private async Task<bool> HoldAndWriteAsync(JournalEntry entry, CancellationToken cancellationToken)
    {
        await offline.HoldAsync(cancellationToken);
        try
        {
            return await TryWriteAsync(entry, cancellationToken);
        }
        finally
        {
            offline.Release();
        }
    }

    // Answers whether to go on with the next one.
    private async Task<bool> TryWriteAsync(JournalEntry entry, CancellationToken cancellationToken)
    {
        // Now and then with more time: a large result that never fits would hold up all others. Meanwhile nothing is sent.
        var time = link.IsAway && ++_triesWhileAway % LongTryEvery == 0 ? LongWriteTimeout : WriteTimeout;
        try
        {
            await WriteOldestAsync(entry, time, cancellationToken);
            _defects = 0;
            return true;
        }
        catch (PostgresException fault) when (DatabaseFaults.IsRefusedValue(fault))
        {
            LogRefused(entry, fault.MessageText, JsonOf(entry));
            queue.SetAsideOldest();
            return true;
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            return false;
        }
        catch (Exception fault) when (DatabaseFaults.Covers(fault) || fault is OperationCanceledException or ObjectDisposedException)
        {
            if (!link.IsAway)
                BeginOutage(DatabaseFaults.Describe(fault));
            return false;
        }
        catch (Exception fault)
        {
            if (++_defects < Defects)
                throw; // the round ends, and the next tries it again
            _defects = 0;
            LogDefect(fault, entry, JsonOf(entry));
            queue.SetAsideOldest();
            return true;
        }
    }

    // A result that is refused for some of its parts is stored without them: the rest is right, and somebody waits for it.
    private async Task WriteOldestAsync(JournalEntry entry, TimeSpan time, CancellationToken cancellationToken)
    {
        try
        {
            var update = await DatabaseDeadline.HoldAsync(token => StoreAsync(entry, token), time, cancellationToken);
            queue.RemoveOldest();
            Stored(entry, update);
        }
        catch (Exception fault) when (entry is ResultEntry && DatabaseRecorder.IsRefusal(fault))
        {
            var result = ((ResultEntry)entry).Result;
            var parts = await DatabaseDeadline.HoldAsync(
                token => RefusedParts.FindAsync(database.TakesAsync, result, token), LongWriteTimeout, cancellationToken);
            if (parts is null)
                throw;
            var rest = new ResultEntry(parts.Rest);
            var update = await DatabaseDeadline.HoldAsync(token => StoreAsync(rest, token), LongWriteTimeout, cancellationToken);
            var refused = new ResultEntry(parts.Refused);
            LogStoredWithout(entry, parts.Count, DatabaseFaults.Describe(fault), JsonOf(refused));
            queue.SetAsideOldest(refused);
            Stored(rest, update);
        }
    }

    private static string JsonOf(JournalEntry entry) => Encoding.UTF8.GetString(entry.ToJson());

    private void Stored(JournalEntry entry, EventUpdate? update)
    {
        claims.Forget(entry);
        if (entry is not ResultEntry { Result: var result })
            return;
        statistics.CountRecorded(update is not null, update?.Changes.Count ?? 0);
        snapshot.Learn(result, update);
        if (link.Outage is { } outage)
            EndOutage(outage);
        if (update is null)
            return;
        urgent.Stored(update);
        log.Write(update);
    }

    // A fault that passes is no outage. After a commit whose answer was lost the next attempt finds the result there.
    private async Task<EventUpdate?> StoreAsync(JournalEntry entry, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
            try
            {
                return await StoreOnceAsync(entry, cancellationToken);
            }
            catch (Exception fault) when (DatabaseFaults.IsTransient(fault))
            {
                if (DatabaseFaults.IsReadOnly(fault))
                    database.LeaveServer();
                if (link.IsAway || attempt == Attempts)
                    throw;
                LogRetried(entry, DatabaseFaults.Describe(fault));
                await Task.Delay(FirstPause * (1 << (attempt - 1)), TimeProvider.System, cancellationToken); // 1.5 s in all
            }
    }

    private async Task<EventUpdate?> StoreOnceAsync(JournalEntry entry, CancellationToken cancellationToken)
    {
        var stored = new List<Guid>();
        NewNotification Mark(NewNotification row)
        {
            stored.Add(row.NotificationId);
            return claims.Mark(row);
        }

        var update = await database.StoreAsync(entry, Mark, link.IsAway ? LockTimeout : null, cancellationToken);
        offline.Drop(stored); // they leave from the database now
        return update;
    }

    // Asked before anything is written, so that a database that hangs keeps no message from leaving.
    private async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await DatabaseDeadline.HoldAsync(schema.FindProblemAsync, AnswerTimeout, cancellationToken) is null;
        }
        catch (Exception fault) when (DatabaseFaults.Covers(fault) || fault is OperationCanceledException or ObjectDisposedException)
        {
            return false;
        }
    }

    private void BeginOutage(string error)
    {
        LogAway(error);
        var outage = new DatabaseOutage(clock.GetUtcNow(), error);
        lock (_adding)
        {
            link.Lose(outage);
            if (health.LookAt(outage) is { } look)
                queue.Add(new ResultEntry(look));
            outageNotifier.Begin(outage);
            urgent.SendNow();
        }
    }

    // What the offline outbox did not deliver leaves from there until its result is stored, then from the database.
    private void EndOutage(DatabaseOutage outage)
    {
        LogBack((clock.GetUtcNow() - outage.Since).TotalSeconds, Waiting);
        lock (_adding)
        {
            urgent.TakeBack();
            _isCatchingUp = Waiting > LongBacklog;
            link.Restore();
        }
    }

    [LoggerMessage(LogLevel.Error, "the database does not take results: {Error}. They wait in the journal and are written when it is back")]
    private partial void LogAway(string error);

    [LoggerMessage(LogLevel.Information, "the database takes results again after {Seconds:0} s; {Waiting} were waiting")]
    private partial void LogBack(double seconds, int waiting);

    [LoggerMessage(LogLevel.Information, "writing {Entry} is tried again: {Error}")]
    private partial void LogRetried(JournalEntry entry, string error);

    [LoggerMessage(LogLevel.Critical, "the database refuses {Entry} for its content ({Error}); it is set aside here: {Json}")]
    private partial void LogRefused(JournalEntry entry, string error, string json);

    [LoggerMessage(LogLevel.Error,
        "{Entry} is stored without {Count} of its parts, which the database refuses for their content ({Error}); they are set aside here: "
        + "{Json}")]
    private partial void LogStoredWithout(JournalEntry entry, int count, string error, string json);

    [LoggerMessage(LogLevel.Critical, "{Entry} cannot be written by a defect of this program; it is set aside here: {Json}")]
    private partial void LogDefect(Exception fault, JournalEntry entry, string json);

    [LoggerMessage(LogLevel.Error, "what waits cannot be written at the stop")]
    private partial void LogNotDrained(Exception fault);

    [LoggerMessage(LogLevel.Information, "{Waiting} results that the database has not taken are in the journal; they are written at the "
        + "next start, and {Undelivered} notifications are sent then")]
    private partial void LogKept(int waiting, int undelivered);

    [LoggerMessage(LogLevel.Critical,
        "stopping with {Waiting} results that neither the database nor the journal has taken; they are lost with this process")]
    private partial void LogLost(int waiting);
}
