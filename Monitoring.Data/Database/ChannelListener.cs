using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Monitoring.Data.Configuration;
using Npgsql;

namespace Monitoring.Data.Database;

/// <summary>
/// Hears what the database says by <c>NOTIFY</c>, on a connection outside of the pool, so that it never costs a request its own.
/// Behind a pooler and from a standby nothing can be heard; the listeners are then called at short intervals instead.
/// </summary>
public sealed partial class ChannelListener(DatabaseOptions database, ILogger<ChannelListener>? logger = null)
{
    private const int KeepAliveSeconds = 15;
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ListensAgainAfter = TimeSpan.FromMinutes(1); // a standby may become the primary

    private readonly ILogger _logger = logger ?? NullLogger<ChannelListener>.Instance;
    private int _saidThatItPolls;
    private int _saidThatItIsAStandby;

    /// <summary>
    /// Listens until it is cancelled or the connection breaks, to a standby for a minute. Calls <paramref name="heard"/> once as soon as
    /// nothing can be missed any more, then for every notification. <paramref name="channel"/> is a name from the code.
    /// </summary>
    /// <exception cref="NpgsqlException">The connection could not be made, or broke.</exception>
    public async Task ListenAsync(string channel, Action heard, CancellationToken cancellationToken)
    {
        var own = new NpgsqlConnectionStringBuilder((database.Direct ?? database.Connection)!.ConnectionString)
        {
            Pooling = false,
            KeepAlive = KeepAliveSeconds,
        };
        await using var source = DataSources.Create(own, prepare: false);
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        if (await CannotListenAsync(connection, cancellationToken))
        {
            await connection.CloseAsync();
            if (Interlocked.Exchange(ref _saidThatItPolls, 1) == 0)
                LogPolling(database.Display, Poll.TotalSeconds);
            await PollAsync(heard, Timeout.InfiniteTimeSpan, cancellationToken);
            return;
        }

        connection.Notification += (_, _) => heard();
        // A session that only listens is idle by its nature.
        try
        {
            await using var listen = new NpgsqlCommand($"SET idle_session_timeout = 0; LISTEN {channel}", connection);
            await listen.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (PostgresException fault) when (DatabaseFaults.IsReadOnly(fault))
        {
            await connection.CloseAsync();
            if (Interlocked.Exchange(ref _saidThatItIsAStandby, 1) == 0)
                LogStandby(database.Display, Poll.TotalSeconds);
            await PollAsync(heard, ListensAgainAfter, cancellationToken);
            return;
        }

        heard();
        while (true)
            await connection.WaitAsync(cancellationToken);
    }

    // DATABASE_POOLER speaks of DATABASE_URL. The way past the pooler is asked itself: who gives the pooler there too would be deaf.
    private async Task<bool> CannotListenAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        database is { Direct: null, Pooler: not PoolerMode.Auto }
            ? database.Pooler == PoolerMode.Yes
            : await DataSources.HasPoolerAsync(connection, cancellationToken);

    private static async Task PollAsync(Action heard, TimeSpan atMost, CancellationToken cancellationToken)
    {
        for (var begun = TimeProvider.System.GetTimestamp();
            atMost == Timeout.InfiniteTimeSpan || TimeProvider.System.GetElapsedTime(begun) < atMost;)
        {
            heard();
            await Task.Delay(Poll, TimeProvider.System, cancellationToken);
        }
    }

    [LoggerMessage(LogLevel.Warning, "a pooler stands in front of the database {Database}, so nothing can be heard from it: "
        + "it is asked every {Seconds:0} s; set DATABASE_DIRECT_URL to the server itself to hear at once")]
    private partial void LogPolling(string database, double seconds);

    [LoggerMessage(LogLevel.Information, "the database {Database} is a standby, so nothing can be heard from it: it is asked every "
        + "{Seconds:0} s")]
    private partial void LogStandby(string database, double seconds);
}
