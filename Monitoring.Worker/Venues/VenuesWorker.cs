using Monitoring.Data.Configuration;
using Monitoring.Worker.Subjects;
using Monitoring.Worker.Venues.HlpVault;
using Monitoring.Worker.Venues.Inventory;
using Monitoring.Worker.Venues.Liquidations;
using Monitoring.Worker.Venues.Oracle;

namespace Monitoring.Worker.Venues;

/// <summary>The subject <c>Venues</c> in the worker: a trading venue's vault, its oracle, its liquidations.</summary>
internal sealed class VenuesWorker : IWorkerSubject
{
    /// <inheritdoc/>
    public IReadOnlyList<string> Sections { get; } = ["Venues"];

    /// <inheritdoc/>
    public IReadOnlyList<SettingOption> Options { get; } =
    [
        HlpVaultOptions.IntervalSetting.ToOption(),
        OracleOptions.IntervalSetting.ToOption(),
        LiquidationOptions.IntervalSetting.ToOption(),
        InventoryOptions.IntervalSetting.ToOption(),
    ];

    /// <inheritdoc/>
    public ISubjectSetup Read(SettingsReader settings) => new VenuesSetup(VenuesOptions.Read(settings));
}
