using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Monitoring.Worker.Subjects;

namespace Monitoring.Worker.Hosting;

/// <summary>What <c>--check</c> says of the database: its schema, a pooler before it and the way past that, and its slots.</summary>
internal sealed class DatabaseCheck(
    DatabaseOptions database, DatabaseConnections connections, SchemaVersions schema, SameDatabase same, ServerSlots slots)
{
    private const int Programs = 2; // a worker and a read service; each has one connection more, to listen
    private const int Pulse = 1; // the worker's

    /// <summary>A line for each, as it becomes known.</summary>
    public async IAsyncEnumerable<CheckLine> RunAsync(
        ConnectionProbe probe, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        yield return await probe.TryAsync($"database {database.Display}", isFault: true, schema.FindProblemOfWritingAsync,
            cancellationToken);
        if (database.Direct is { } direct)
            yield return await probe.TryAsync(
                $"database {direct.Host}:{direct.Port}/{direct.Database} (DATABASE_DIRECT_URL)", isFault: true,
                token => FindProblemOfDirectAsync(direct, token), cancellationToken);
        else if (connections.HasPooler == true)
            yield return new CheckLine("pooler", "one stands before the database and lets nothing be heard, so what is new is found once a "
                + "second; give DATABASE_DIRECT_URL, the way to the server itself, to hear it at once");
        if (connections.HasPooler == false)
            yield return await probe.TryAsync("connections", isFault: false, FindProblemOfSlotsAsync, cancellationToken);
    }

    private async Task<string?> FindProblemOfDirectAsync(Npgsql.NpgsqlConnectionStringBuilder direct, CancellationToken cancellationToken)
    {
        await using var source = DataSources.Create(direct, prepare: false);
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        if (await DataSources.HasPoolerAsync(connection, cancellationToken))
            return "a pooler stands there too, so nothing can be heard; give the address of the server itself";
        return await same.IsThatOfAsync(connection, cancellationToken) ? null
            : "this is another database than the one that DATABASE_URL leads to";
    }

    private async Task<string?> FindProblemOfSlotsAsync(CancellationToken cancellationToken)
    {
        var most = await slots.FindAsync(cancellationToken);
        var needed = (Programs * (database.Connection!.MaxPoolSize + 1)) + Pulse;
        return needed <= most ? null
            : $"a worker and a read service may use {needed}, and the server gives {most} to this account: lower DATABASE_POOL_SIZE and "
                + "DATABASE_MAX_OVERFLOW, or raise max_connections";
    }
}
