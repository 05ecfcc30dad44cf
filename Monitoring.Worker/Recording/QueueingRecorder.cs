using System.Text.Json;
using Monitoring.Data.Database;
using Monitoring.Worker.Checks;
using Npgsql;

namespace Monitoring.Worker.Recording;

/// <summary>
/// Hands results to the database in the order in which they came. While the database is away they wait in memory and are written when it is back;
/// a result that the database refuses for its content is set aside in the log, so that it does not hold up the others.
/// </summary>
internal sealed partial class QueueingRecorder(DatabaseRecorder database, EventLog log, SessionStatistics statistics, TimeProvider clock, ILogger<QueueingRecorder> logger)
    : BackgroundService, IRecorder
{
    /// <summary>So many results are kept at most; past that the oldest go.</summary>
    public const int Capacity = 10_000;

    private static readonly TimeSpan RetryEvery = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan WriteTimeout = TimeSpan.FromSeconds(15);

    private readonly LinkedList<CheckResult> _waiting = [];
    private readonly SemaphoreSlim _writing = new(1);
    private DateTimeOffset _awaySince; // only read and written while writing
    private volatile bool _away;

    /// <summary>How many results wait to be written.</summary>
    public int Waiting
    {
        get
        {
            lock (_waiting)
                return _waiting.Count;
        }
    }

    /// <inheritdoc/>
    public Task RecordAsync(CheckResult result, CancellationToken cancellationToken)
    {
        lock (_waiting)
        {
            _waiting.AddLast(result);
            if (_waiting.Count > Capacity)
            {
                LogDropped(_waiting.First!.Value.Run.Monitor, _waiting.First.Value.Run.ScheduledAt, Capacity);
                _waiting.RemoveFirst();
            }
        }

        // While the database is known to be away, a check need not wait for another attempt.
        return _away ? Task.CompletedTask : DrainAsync(cancellationToken);
    }

    /// <summary>Writes what waits, oldest first, until nothing does or the database does not take it.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            while (Oldest() is { } result && await TryWriteAsync(result, cancellationToken))
                lock (_waiting)
                    _waiting.Remove(result);
        }
        finally
        {
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

        if (Waiting > 0)
            LogLost(Waiting);
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
                await Task.Delay(RetryEvery, clock, stoppingToken);
                if (Waiting > 0)
                    await DrainAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping: what still waits is written by StopAsync.
        }
    }

    private CheckResult? Oldest()
    {
        lock (_waiting)
            return _waiting.First?.Value;
    }

    private async Task<bool> TryWriteAsync(CheckResult result, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(WriteTimeout);
        try
        {
            var update = await database.WriteAsync(result, timeout.Token);
            statistics.CountRecorded(update is not null, update?.Changes.Count ?? 0);
            if (_away)
                LogBack((clock.GetUtcNow() - _awaySince).TotalSeconds, Waiting);
            _away = false;
            if (update is not null)
                log.Write(update);
            return true;
        }
        catch (PostgresException fault) when (fault.SqlState[..2] is "22" or "23") // data exception, constraint violation: never accepted, however often
        {
            LogRefused(result.Run.Monitor, result.Run.ScheduledAt, fault.MessageText, JsonSerializer.Serialize(result, CheckResult.Json));
            return true;
        }
        catch (Exception fault) when (fault is NpgsqlException or TimeoutException or OperationCanceledException)
        {
            if (!_away)
            {
                LogAway(fault is NpgsqlException away ? DatabaseFaults.Describe(away) : $"no answer within {WriteTimeout.TotalSeconds:0} s");
                _awaySince = clock.GetUtcNow();
                _away = true;
            }

            return false;
        }
    }

    [LoggerMessage(LogLevel.Error, "the database does not take results: {Error}. They wait in memory and are written when it is back")]
    private partial void LogAway(string error);

    [LoggerMessage(LogLevel.Information, "the database takes results again after {Seconds:0} s; {Waiting} were waiting")]
    private partial void LogBack(double seconds, int waiting);

    [LoggerMessage(LogLevel.Critical, "{Monitor}: the database refuses the result of {ScheduledAt:O} for its content ({Error}); it is set aside here: {Result}")]
    private partial void LogRefused(string monitor, DateTimeOffset scheduledAt, string error, string result);

    [LoggerMessage(LogLevel.Critical, "{Monitor}: the result of {ScheduledAt:O} is dropped, more than {Capacity} wait for the database")]
    private partial void LogDropped(string monitor, DateTimeOffset scheduledAt, int capacity);

    [LoggerMessage(LogLevel.Critical, "stopping with {Waiting} results that the database has not taken; they are lost with this process")]
    private partial void LogLost(int waiting);
}
