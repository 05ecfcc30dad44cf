using Monitoring.Worker.Venues.HlpVault;
using Monitoring.Worker.Venues.Inventory;
using Monitoring.Worker.Venues.Liquidations;
using Monitoring.Worker.Venues.Oracle;

namespace Monitoring.Worker.Venues.Hyperliquid;

/// <summary>
/// What the monitors ask of the venue at their intervals, as weight a minute, held against what it takes. Which components a vault has is
/// known only when the venue answers, so the number of HLP's is assumed; checks that the live feed triggers come on top.
/// </summary>
internal sealed record WeightPlan(IReadOnlyList<(string Monitor, double PerMinute)> Shares, int Limit)
{
    private const int AssumedComponents = 7;
    private const double WarnFrom = 0.8;

    /// <summary>The plan of these settings.</summary>
    public static WeightPlan Of(VenuesOptions options)
    {
        const int details = HyperliquidClient.DetailsWeight, states = AssumedComponents * HyperliquidClient.StateWeight;
        var owners = AssumedComponents + options.Liquidations.MonitoredAddresses.Count;
        var inventory = options.Inventory.Interval;
        return new WeightPlan(
        [
            (HlpVaultMonitor.MonitorName, PerMinute(details + states, options.HlpVault.Interval)),
            (InventoryMonitor.MonitorName, PerMinute(states, inventory)
                + PerMinute(details, Longer(inventory, VaultTree.FrameRefresh))
                + PerMinute(details, Longer(inventory, VaultTree.MarketsRefresh))),
            (OracleMonitor.MonitorName, PerMinute(details, options.Oracle.Interval)),
            (LiquidationMonitor.MonitorName, PerMinute(details + (owners * HyperliquidClient.FillsWeight), options.Liquidations.Interval)),
        ], options.Hyperliquid.WeightPerMinute);
    }

    /// <summary>All of it.</summary>
    public double PerMinuteInAll => Shares.Sum(share => share.PerMinute);

    /// <summary>Whether it is more than the venue takes: some monitor would starve.</summary>
    public bool IsTooMuch => PerMinuteInAll > Limit;

    /// <summary>What to say of it; null where there is room.</summary>
    public string? Problem => PerMinuteInAll < WarnFrom * Limit ? null
        : $"{this}; longer intervals need less, and Venues:Hyperliquid:WeightPerMinute says what the venue takes";

    /// <inheritdoc/>
    public override string ToString() =>
        $"at their intervals the monitors need {PerMinuteInAll:0} of the venue's {Limit} request weight a minute ("
        + string.Join(", ", Shares.OrderByDescending(share => share.PerMinute).Select(share => $"{share.Monitor} {share.PerMinute:0}"))
        + ")";

    private static double PerMinute(int weight, TimeSpan interval) => weight * (TimeSpan.FromMinutes(1) / interval);

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
