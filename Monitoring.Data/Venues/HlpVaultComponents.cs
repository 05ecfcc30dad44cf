using Dapper;
using Monitoring.Data.Database;
using Npgsql;

namespace Monitoring.Data.Venues;

/// <summary>A component vault's account at one check, USD. The account value may be negative; <paramref name="Positions"/> counts open positions.</summary>
public sealed record HlpVaultComponent(
    string VaultAddress, string ComponentAddress, DateTimeOffset ObservedAt, decimal AccountValue, decimal TotalNotionalUsd, decimal UnrealizedPnl,
    int Positions) : Observation;

/// <summary>The table <c>hlp_vault_components</c>: the vaults of which a vault consists.</summary>
public sealed class HlpVaultComponents(NpgsqlDataSource db) : IObservationTable
{
    private const string InsertSql = """
        INSERT INTO hlp_vault_components (vault_address, component_address, observed_at, account_value, total_notional_usd, unrealized_pnl, positions)
        SELECT vault_address, component_address, observed_at, account_value, total_notional_usd, unrealized_pnl, positions
          FROM unnest(@vaults, @components, @times, @accountValues, @notionals, @pnls, @positions)
            AS row (vault_address, component_address, observed_at, account_value, total_notional_usd, unrealized_pnl, positions)
        ON CONFLICT (vault_address, component_address, observed_at) DO NOTHING
        """;

    /// <inheritdoc/>
    public KeyedBy KeyedBy => KeyedBy.Check;

    /// <inheritdoc/>
    public async Task<int> InsertAsync(IReadOnlyList<Observation> observations, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        var rows = observations.OfType<HlpVaultComponent>().ToList();
        return rows.Count == 0 ? 0 : await transaction.Connection!.ExecuteAsync(new(InsertSql, new
        {
            vaults = rows.Select(row => row.VaultAddress).ToArray(),
            components = rows.Select(row => row.ComponentAddress).ToArray(),
            times = rows.Select(row => row.ObservedAt.UtcDateTime).ToArray(),
            accountValues = rows.Select(row => row.AccountValue).ToArray(),
            notionals = rows.Select(row => row.TotalNotionalUsd).ToArray(),
            pnls = rows.Select(row => row.UnrealizedPnl).ToArray(),
            positions = rows.Select(row => row.Positions).ToArray(),
        }, transaction, cancellationToken: cancellationToken));
    }

    private const string ListAtSql = """
        SELECT vault_address, component_address, observed_at, account_value, total_notional_usd, unrealized_pnl, positions
          FROM hlp_vault_components
         WHERE vault_address = @vault AND observed_at = @observedAt
         ORDER BY component_address
         LIMIT 1000
        """;

    /// <summary>The components that one check could read, by address.</summary>
    public async Task<IReadOnlyList<HlpVaultComponent>> ListAtAsync(string vault, DateTimeOffset observedAt, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<HlpVaultComponent>(new(ListAtSql, new { vault, observedAt }, cancellationToken: cancellationToken))).AsList();
    }

    private const string ListOfNewestSnapshotSql = """
        SELECT vault_address, component_address, observed_at, account_value, total_notional_usd, unrealized_pnl, positions
          FROM hlp_vault_components
         WHERE (vault_address, observed_at) = (SELECT vault_address, observed_at FROM hlp_vault_snapshots ORDER BY observed_at DESC,
             vault_address LIMIT 1)
         ORDER BY component_address
         LIMIT 1000
        """;

    /// <summary>The components that the check of the newest snapshot could read, by address.</summary>
    public static BatchRows<HlpVaultComponent> ListOfNewestSnapshot(DatabaseBatch batch) =>
        batch.Add<HlpVaultComponent>(ListOfNewestSnapshotSql);

    private const string ListNewestSql = """
        SELECT DISTINCT ON (component_address)
               vault_address, component_address, observed_at, account_value, total_notional_usd, unrealized_pnl, positions
          FROM hlp_vault_components
         WHERE vault_address = @vault AND observed_at >= @since
         ORDER BY component_address, observed_at DESC
         LIMIT 1000
        """;

    /// <summary>Each component as it was when it was last read since a moment, by address.</summary>
    public async Task<IReadOnlyList<HlpVaultComponent>> ListNewestAsync(string vault, DateTimeOffset since, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<HlpVaultComponent>(new(ListNewestSql, new { vault, since }, cancellationToken: cancellationToken))).AsList();
    }
}
