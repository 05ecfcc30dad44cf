using Monitoring.Data.Rules;
using Monitoring.Data.Subjects;

namespace Monitoring.Data.Venues;

/// <summary>The subject <c>Venues</c> in the data layer: a trading venue's vault, its oracle, its liquidations.</summary>
internal sealed class VenuesTables : IDataSubject
{
    /// <inheritdoc/>
    public string Name => "Venues";

    /// <inheritdoc/>
    public long SchemaVersion => 202611291320;

    /// <inheritdoc/>
    public IReadOnlyList<RowTable> RowTables { get; } =
    [
        RowTable.Of<HlpVaultSnapshots, HlpVaultSnapshot>("hlp_vault_snapshots"),
        RowTable.Of<HlpVaultComponents, HlpVaultComponent>("hlp_vault_components"),
        RowTable.Of<HlpVaultInventory, HlpVaultPosition>("hlp_vault_inventory", keptByDay: true),
        RowTable.Of<OracleDeviations, OracleDeviation>("oracle_deviations", keptByDay: true),
        RowTable.Of<Liquidations, LiquidationFill>("liquidations", keptByDay: true),
        RowTable.Of<LiquidationPatterns, LiquidationPattern>("liquidation_patterns"),
        RowTable.Of<LiquidationSources, LiquidationSource>("liquidation_sources"),
    ];

    /// <inheritdoc/>
    public IReadOnlyList<Rule> Rules => VenuesRules.All;
}
