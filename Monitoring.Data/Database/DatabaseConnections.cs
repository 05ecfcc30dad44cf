using System.Collections.Concurrent;
using System.Data;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Monitoring.Data.Configuration;
using Npgsql;

namespace Monitoring.Data.Database;

/// <summary>
/// Hands out the connections of a program. The first that works shows whether a pooler stands in between. One that was idle is asked
/// whether it lives, so that what ended it meanwhile costs nobody an answer; where the server has no slot left for a further one, it waits
/// for one of its own.
/// </summary>
public sealed partial class DatabaseConnections : IAsyncDisposable, IDisposable
{
    private const int KnownAtMost = 4096;
    private const int ProbeSeconds = 2;
    private static readonly TimeSpan FreshFor = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromMilliseconds(100);

    private const string ProbeSql = """
        SELECT 1
        """;

    private readonly Lock _lock = new();
    private readonly DatabaseOptions? _database;
    private readonly ILogger _logger;
    private readonly TimeProvider _clock;
    private readonly NpgsqlDataSource _first;
    private readonly TimeSpan _patience;
    private readonly ConcurrentDictionary<int, long> _usedAt = new(); // by process id
    private readonly SemaphoreSlim _returned = new(0);
    private volatile NpgsqlDataSource _source;
    private volatile bool _isDecided;
    private int _waiting;
    private int _asking;
    private int _held;
    private int _peak; // of those held at once
    private int _most = int.MaxValue; // as many as the server gave when it last refused one
    private long _changedAt = long.MinValue; // when one of ours was given back, or another attempt ended
    private long _askAgainAt;

    /// <summary>Takes the settings. Connects to nothing yet.</summary>
    public DatabaseConnections(DatabaseOptions database, ILogger? logger = null, TimeProvider? clock = null)
    {
        (_database, _logger, _clock) = (database, logger ?? NullLogger.Instance, clock ?? TimeProvider.System);
        _patience = TimeSpan.FromSeconds(database.Connection?.Timeout ?? 0);
        _isDecided = database.Pooler != PoolerMode.Auto;
        _source = _first = DataSources.Create(database, hasPooler: database.Pooler != PoolerMode.No);
    }

    private DatabaseConnections(NpgsqlDataSource source)
    {
        (_logger, _clock) = (NullLogger.Instance, TimeProvider.System);
        _isDecided = true;
        _patience = TimeSpan.FromSeconds(new NpgsqlConnectionStringBuilder(source.ConnectionString).Timeout);
        _source = _first = source;
    }

    /// <summary>Connections as this source makes them.</summary>
    public static implicit operator DatabaseConnections(NpgsqlDataSource source) => new(source);

    /// <summary>Whether a pooler stands in between; null until a connection has worked.</summary>
    public bool? HasPooler => _isDecided ? _source == _first && _database?.Pooler != PoolerMode.No : null;

    /// <summary>How the connections are made now; without the password.</summary>
    public NpgsqlConnectionStringBuilder Settings => new(_source.ConnectionString);

    /// <summary>A connection that lives.</summary>
    public async Task<NpgsqlConnection> OpenConnectionAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var (connection, source) = await TakeAsync(cancellationToken);
            if (await KeepsAsync(connection, source, cancellationToken))
                return connection;
            await connection.DisposeAsync();
            source.Clear(); // what was idle beside it ended with it, or was made before it was known how to
        }
    }

    /// <summary>Forgets all connections, so that the next ones are made anew.</summary>
    public void Clear() => _source.Clear();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _returned.Dispose();
        if (_database is null)
            return; // the source is whoever's it was
        await _source.DisposeAsync();
        await _first.DisposeAsync();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _returned.Dispose();
        if (_database is null)
            return; // the source is whoever's it was
        _source.Dispose();
        _first.Dispose();
    }

    private async Task<(NpgsqlConnection Connection, NpgsqlDataSource Source)> TakeAsync(CancellationToken cancellationToken)
    {
        var began = _clock.GetTimestamp();
        while (true)
        {
            var isLast = _clock.GetElapsedTime(began) >= _patience;
            if (FindTurn(isLast) is not { } isExtra)
            {
                await WaitForReturnAsync(cancellationToken);
                continue;
            }

            var askedAt = _clock.GetTimestamp();
            var source = _source; // may be another than the last time
            var connection = source.CreateConnection();
            try
            {
                await connection.OpenAsync(cancellationToken);
                Given(connection, isExtra);
                return (connection, source);
            }
            catch (Exception fault)
            {
                await connection.DisposeAsync();
                if (!IsWorthWaiting(fault, askedAt) || isLast)
                    throw;
            }
        }
    }

    // Null: wait. A server without a free slot is asked for an extra connection once a second, not by everybody who waits.
    private bool? FindTurn(bool isLast)
    {
        lock (_lock)
        {
            var isExtra = _held + _asking >= _most;
            if (isExtra && !isLast && _clock.GetTimestamp() < _askAgainAt)
                return null;
            if (isExtra)
                (_askAgainAt, _peak) = (In(AskAgainAfter), _held);
            _asking++;
            return isExtra;
        }
    }

    // The server is full, and some of its connections are ours, or were when it was asked: attempts take slots from each other too.
    private bool IsWorthWaiting(Exception fault, long askedAt)
    {
        lock (_lock)
        {
            var wasAlone = --_asking == 0 && _held == 0 && _changedAt < askedAt;
            _changedAt = _clock.GetTimestamp();
            if (!DatabaseFaults.IsFull(fault) || wasAlone)
                return false;
            (_most, _askAgainAt) = (Math.Max(1, _peak), In(AskAgainAfter));
            return true;
        }
    }

    private void Given(NpgsqlConnection connection, bool isExtra)
    {
        lock (_lock)
        {
            _asking--;
            _peak = Math.Max(_peak, ++_held);
            if (isExtra)
                _most = 2 * _held; // not all that wait at once
        }

        connection.StateChange += new Use(this, connection.ProcessID).End;
    }

    private async Task WaitForReturnAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _waiting);
        try
        {
            await _returned.WaitAsync(LookAgainAfter, cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    private async Task<bool> KeepsAsync(NpgsqlConnection connection, NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        try
        {
            if (!_isDecided)
                Decide(await DataSources.HasPoolerAsync(connection, cancellationToken));
            return source == _source && await LivesAsync(connection, cancellationToken);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private void Decide(bool hasPooler)
    {
        lock (_lock)
        {
            if (_isDecided)
                return;
            if (hasPooler)
                LogPooler(_database!.Display);
            else
                _source = DataSources.Create(_database!, hasPooler: false);
            _isDecided = true;
        }
    }

    private async Task<bool> LivesAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var processId = connection.ProcessID;
        if (!_usedAt.TryGetValue(processId, out var usedAt) || _clock.GetElapsedTime(usedAt) < FreshFor)
            return true;
        await using var probe = new NpgsqlCommand(ProbeSql, connection) { CommandTimeout = ProbeSeconds };
        try
        {
            await probe.ExecuteScalarAsync(cancellationToken);
            return true;
        }
        catch (NpgsqlException)
        {
            _usedAt.TryRemove(processId, out _);
            return false;
        }
    }

    private void Returned(int processId)
    {
        if (_usedAt.Count >= KnownAtMost)
            _usedAt.Clear();
        var now = _clock.GetTimestamp();
        _usedAt[processId] = now;
        lock (_lock)
        {
            _held--;
            _changedAt = now;
        }

        if (Volatile.Read(ref _waiting) > 0)
            _returned.Release();
    }

    private long In(TimeSpan span) =>
        _clock.GetTimestamp() + (long)(span.TotalSeconds * _clock.TimestampFrequency);

    /// <summary>One connection between its opening and its end.</summary>
    private sealed class Use(DatabaseConnections owner, int processId)
    {
        private bool _isOver;

        public void End(object sender, StateChangeEventArgs change)
        {
            if (change.CurrentState == ConnectionState.Open || Interlocked.Exchange(ref _isOver, true))
                return;
            owner.Returned(processId);
        }
    }

    [LoggerMessage(LogLevel.Information, "a pooler stands in front of the database {Database}: no statement is prepared")]
    private partial void LogPooler(string database);
}
