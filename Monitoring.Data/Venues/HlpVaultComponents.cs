using Dapper;
using Monitoring.Data.Checks;
using Monitoring.Data.Database;
using Npgsql;

namespace Monitoring.Data.Venues;

/// <summary>
/// A component vault's account at one check, USD. The account value may be negative;
/// <paramref name="Positions"/> counts open positions.
/// </summary>
public sealed record HlpVaultComponent(
    string VaultAddress, string ComponentAddress, DateTimeOffset ObservedAt, decimal AccountValue,
    decimal TotalNotionalUsd, decimal UnrealizedPnl, int Positions) : Observation
{
    /// <inheritdoc/>
    public override Observation At(DateTimeOffset scheduledAt) => this with { ObservedAt = scheduledAt };
}

/// <summary>A component vault that held nothing when it was read.</summary>
public sealed record EmptyHlpVaultComponent(string ComponentAddress, DateTimeOffset ObservedAt);

/// <summary>The table <c>hlp_vault_components</c>: the vaults of which a vault consists.</summary>
public sealed class HlpVaultComponents(DatabaseConnections db) : IObservationTable
{
    private const string CopySql = """
        COPY hlp_vault_components (vault_address, component_address, observed_at,
                                   account_value, total_notional_usd, unrealized_pnl, positions)
        FROM STDIN (FORMAT binary)
        """;

    private const string ListKeysSql = """
        SELECT vault_address, component_address, observed_at
          FROM hlp_vault_components
         WHERE observed_at = ANY (@times)
         LIMIT 100000
        """;

    /// <inheritdoc/>
    public KeyedBy KeyedBy => KeyedBy.Check;

    /// <inheritdoc/>
    public Task<int> InsertAsync(
        IReadOnlyList<Observation> observations, bool someAreThere, NpgsqlTransaction transaction, CancellationToken cancellationToken) =>
        Rows.InsertAsync(observations, someAreThere, transaction, cancellationToken);

    private static readonly CheckRows<HlpVaultComponent, (string, string, DateTimeOffset)> Rows =
        new(CopySql, ListKeysSql, row => (row.VaultAddress, row.ComponentAddress, row.ObservedAt.InMicroseconds()), row => row.ObservedAt,
            WriteAsync);

    private static async Task WriteAsync(NpgsqlBinaryImporter to, HlpVaultComponent row, CancellationToken cancellationToken)
    {
        await to.WriteAsync(row.VaultAddress, cancellationToken);
        await to.WriteAsync(row.ComponentAddress, cancellationToken);
        await to.WriteAsync(row.ObservedAt.UtcDateTime, cancellationToken);
        await to.WriteAsync(row.AccountValue, cancellationToken);
        await to.WriteAsync(row.TotalNotionalUsd, cancellationToken);
        await to.WriteAsync(row.UnrealizedPnl, cancellationToken);
        await to.WriteAsync(row.Positions, cancellationToken);
    }

    private const string ListAtSql = """
        SELECT vault_address, component_address, observed_at, account_value, total_notional_usd, unrealized_pnl, positions
          FROM hlp_vault_components
         WHERE vault_address = @vault AND observed_at = @observedAt
         ORDER BY component_address
         LIMIT 1000
        """;

    /// <summary>The components that one check could read, by address.</summary>
    public async Task<IReadOnlyList<HlpVaultComponent>> ListAtAsync(
        string vault, DateTimeOffset observedAt, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<HlpVaultComponent>(
            new(ListAtSql, new { vault, observedAt }, cancellationToken: cancellationToken))).AsList();
    }

    private const string ListOfNewestSnapshotSql = $"""
        SELECT vault_address, component_address, observed_at, account_value, total_notional_usd, unrealized_pnl, positions
          FROM hlp_vault_components
         WHERE (vault_address, observed_at) = (SELECT vault_address, observed_at FROM hlp_vault_snapshots
             WHERE observed_at <= {StoredTimes.Limit} ORDER BY observed_at DESC, vault_address LIMIT 1)
         ORDER BY component_address
         LIMIT 1000
        """;

    /// <summary>The components that the check of the newest snapshot could read, by address.</summary>
    public static BatchRows<HlpVaultComponent> ListOfNewestSnapshot(DatabaseBatch batch, DateTimeOffset now) =>
        batch.Add<HlpVaultComponent>(ListOfNewestSnapshotSql, ("newest", StoredTimes.Newest(now)));

    private const string ListNewestSql = """
        SELECT DISTINCT ON (component_address)
               vault_address, component_address, observed_at, account_value, total_notional_usd, unrealized_pnl, positions
          FROM hlp_vault_components
         WHERE vault_address = @vault AND observed_at >= @since AND observed_at <= @newest
         ORDER BY component_address, observed_at DESC
         LIMIT 1000
        """;

    /// <summary>Each component as it was when it was last read between a moment and now, by address.</summary>
    public async Task<IReadOnlyList<HlpVaultComponent>> ListNewestAsync(
        string vault, DateTimeOffset since, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<HlpVaultComponent>(
            new(ListNewestSql, new { vault, since, newest = StoredTimes.Newest(now) }, cancellationToken: cancellationToken))).AsList();
    }

    private const string ListEmptySql = """
        SELECT component_address, max(observed_at) AS observed_at
          FROM hlp_vault_components
         WHERE vault_address = @vault AND observed_at >= @since AND observed_at <= @until AND positions = 0
         GROUP BY component_address
         ORDER BY component_address
         LIMIT 1000
        """;

    /// <summary>When each component last held nothing between two moments, both included; by address.</summary>
    public async Task<IReadOnlyList<EmptyHlpVaultComponent>> ListEmptyAsync(
        string vault, DateTimeOffset since, DateTimeOffset until, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<EmptyHlpVaultComponent>(
            new(ListEmptySql, new { vault, since, until }, cancellationToken: cancellationToken))).AsList();
    }
}
