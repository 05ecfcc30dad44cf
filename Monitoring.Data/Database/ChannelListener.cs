using Monitoring.Data.Configuration;
using Npgsql;

namespace Monitoring.Data.Database;

/// <summary>Hears what the database says by <c>NOTIFY</c>, on a connection outside of the pool, so that it never costs a request its own.</summary>
public sealed class ChannelListener(DatabaseOptions database)
{
    private const int KeepAliveSeconds = 15;

    /// <summary>
    /// Listens until it is cancelled or the connection breaks. Calls <paramref name="heard"/> once as soon as nothing can be missed any more, then for every
    /// notification. <paramref name="channel"/> is a name from the code.
    /// </summary>
    /// <exception cref="NpgsqlException">The connection could not be made, or broke.</exception>
    public async Task ListenAsync(string channel, Action heard, CancellationToken cancellationToken)
    {
        var own = new NpgsqlConnectionStringBuilder(database.Connection!.ConnectionString) { Pooling = false, KeepAlive = KeepAliveSeconds };
        await using var source = DataServices.CreateDataSource(own);
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        connection.Notification += (_, _) => heard();
        await using (var listen = new NpgsqlCommand($"LISTEN {channel}", connection))
            await listen.ExecuteNonQueryAsync(cancellationToken);
        heard();
        while (true)
            await connection.WaitAsync(cancellationToken);
    }
}
