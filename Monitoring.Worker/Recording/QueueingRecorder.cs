using System.Text;
using Monitoring.Data.Database;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Events;
using Monitoring.Worker.Recording.Journalling;
using Npgsql;

namespace Monitoring.Worker.Recording;

/// <summary>
/// Hands results to the database in the order in which they came. Each is in the journal before it is written to the database, so that neither an outage nor the
/// end of this process loses it; a result that the database refuses for its content is set aside, so that it does not hold up the others.
/// </summary>
internal sealed partial class QueueingRecorder(
    DatabaseRecorder database, SchemaVersions schema, Backlog backlog, RecorderCheck self, DirectSender direct, EventsMirror mirror, EventLog log, SessionStatistics statistics,
    TimeProvider clock, ILogger<QueueingRecorder> logger)
    : BackgroundService, IHostedLifecycleService, IRecorder
{
    private static readonly TimeSpan RetryEvery = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan WriteTimeout = TimeSpan.FromSeconds(10); // with all its attempts; a critical finding is to be out after 15 s
    private static readonly TimeSpan LongWriteTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);

    private const int Attempts = 5;
    private const int LongTryEvery = 10;
    private const int CatchingUp = 100; // with more than these waiting, a check does not wait for the database

    private readonly SemaphoreSlim _writing = new(1);
    private int _triesWhileAway;

    /// <summary>How many results the database does not have yet, those of the recorder itself included.</summary>
    public int Waiting => backlog.Waiting;

    private bool IsAway => self.Outage is not null;

    /// <inheritdoc/>
    public Task RecordAsync(CheckResult result, CancellationToken cancellationToken)
    {
        backlog.Add(new ResultEntry(result));
        direct.Take(result);
        return IsAway || backlog.Waiting > CatchingUp ? Task.CompletedTask : DrainAsync(cancellationToken);
    }

    /// <summary>Writes what waits, oldest first, until nothing does or the database does not take it.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            if (IsAway && !await AnswersAsync(cancellationToken))
                return;
            direct.Load();
            await direct.PauseAsync(cancellationToken); // no message is under way while its notification is stored
            try
            {
                while (backlog.Oldest() is { } item && await TryWriteAsync(item, cancellationToken))
                {
                }
            }
            finally
            {
                if (IsAway)
                    direct.Resume();
            }
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Takes the journal before anything else starts: the outbox must not be read before it is known what was sent beside it.</summary>
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        backlog.Open();
        direct.Load();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await DrainAsync(cancellationToken);
            await direct.PauseAsync(cancellationToken); // what is under way ends, and is noted
        }
        catch (OperationCanceledException)
        {
            // No time left: what waits is named below.
        }

        if (backlog.InMemory is var lost and > 0)
            LogLost(lost);
        else if (Waiting > 0)
            LogKept(Waiting);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _writing.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await RefreshAsync(stoppingToken);
                if (self.LookIfDue() is { } look)
                    direct.Take(look);
                if (Waiting > 0)
                    await DrainAsync(stoppingToken);
                await Task.Delay(RetryEvery, clock, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping: what still waits is written by StopAsync.
        }
    }

    // Nothing is written meanwhile: what is read is never older than what this worker wrote.
    private async Task RefreshAsync(CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            if (!IsAway && await mirror.ReadIfDueAsync(cancellationToken) is { } view)
                direct.Learn(view);
        }
        finally
        {
            _writing.Release();
        }
    }

    // Answers whether to go on with the next one.
    private async Task<bool> TryWriteAsync(BacklogItem item, CancellationToken cancellationToken)
    {
        // Now and then with more time: a large result that never fits would hold up all others. Meanwhile nothing is sent directly.
        var time = IsAway && ++_triesWhileAway % LongTryEvery == 0 ? LongWriteTimeout : WriteTimeout;
        try
        {
            var update = await DatabaseDeadline.HoldAsync(token => StoreAsync(item.Entry, token), time, cancellationToken);
            backlog.Remove(item);
            Stored(item.Entry, update);
            return true;
        }
        catch (PostgresException fault) when (fault.SqlState[..2] is "22" or "23") // data exception, constraint violation: never accepted, however often
        {
            LogRefused(item.Entry, fault.MessageText, JsonOf(item));
            backlog.SetAsideOldest(item);
            return true;
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            return false;
        }
        catch (Exception fault) when (DatabaseFaults.Covers(fault) || fault is OperationCanceledException or ObjectDisposedException)
        {
            if (!IsAway)
                BeginOutage(DatabaseFaults.Describe(fault));
            return false;
        }
        catch (Exception fault)
        {
            LogDefect(fault, item.Entry, JsonOf(item));
            backlog.SetAsideOldest(item);
            return true;
        }
    }

    private static string JsonOf(BacklogItem item) => Encoding.UTF8.GetString(item.Entry.ToJson());

    private void Stored(JournalEntry entry, EventUpdate? update)
    {
        if (entry is ResultEntry { Result: var result })
            Stored(result, update);
        else if (entry is AttemptEntry attempt)
            direct.Forget(attempt);
        else if (entry is DeliveryEntry delivery)
            direct.Forget(delivery);
    }

    private void Stored(CheckResult result, EventUpdate? update)
    {
        statistics.CountRecorded(update is not null, update?.Changes.Count ?? 0);
        if (self.Outage is { } over)
            LogBack((clock.GetUtcNow() - over.Since).TotalSeconds, Waiting);
        self.End();
        direct.End(result, update);
        if (update is not null)
            log.Write(update);
    }

    // A fault that passes is tried again before it counts as an outage. After a commit whose answer was lost the next attempt finds the result there.
    private async Task<EventUpdate?> StoreAsync(JournalEntry entry, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
            try
            {
                return await database.StoreAsync(entry, direct.Mark, cancellationToken);
            }
            catch (Exception fault) when (!IsAway && attempt < Attempts && DatabaseFaults.IsTransient(fault))
            {
                LogRetried(entry, DatabaseFaults.Describe(fault));
                if (DatabaseFaults.IsReadOnly(fault))
                    database.LeaveServer();
                await Task.Delay(FirstPause * (1 << (attempt - 1)), TimeProvider.System, cancellationToken); // 1.5 s in all
            }
            catch (Exception fault) when (DatabaseFaults.IsReadOnly(fault))
            {
                database.LeaveServer();
                throw;
            }
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
        self.Begin(outage);
        direct.Begin(outage);
    }

    [LoggerMessage(LogLevel.Error, "the database does not take results: {Error}. They wait in the journal and are written when it is back")]
    private partial void LogAway(string error);

    [LoggerMessage(LogLevel.Information, "the database takes results again after {Seconds:0} s; {Waiting} were waiting")]
    private partial void LogBack(double seconds, int waiting);

    [LoggerMessage(LogLevel.Information, "writing {Entry} is tried again: {Error}")]
    private partial void LogRetried(JournalEntry entry, string error);

    [LoggerMessage(LogLevel.Critical, "the database refuses {Entry} for its content ({Error}); it is set aside here: {Json}")]
    private partial void LogRefused(JournalEntry entry, string error, string json);

    [LoggerMessage(LogLevel.Critical, "{Entry} cannot be written by a defect of this program; it is set aside here: {Json}")]
    private partial void LogDefect(Exception fault, JournalEntry entry, string json);

    [LoggerMessage(LogLevel.Information, "{Waiting} results that the database has not taken are in the journal; they are written at the next start")]
    private partial void LogKept(int waiting);

    [LoggerMessage(LogLevel.Critical, "stopping with {Waiting} results that neither the database nor the journal has taken; they are lost with this process")]
    private partial void LogLost(int waiting);
}
