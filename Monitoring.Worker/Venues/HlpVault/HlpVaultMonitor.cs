using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.Hyperliquid;

namespace Monitoring.Worker.Venues.HlpVault;

/// <summary>Watches the HLP vault: its PnL, its equity without flows, and the accounts of its component vaults.</summary>
internal sealed class HlpVaultMonitor(HyperliquidClient venue, HlpVaultHistory history, HlpVaultOptions options) : IMonitor
{
    /// <summary>The name in the ledger.</summary>
    public const string MonitorName = "hlp-vault";

    // The last point of the venue's series is live; an older one means that the venue serves a frozen answer.
    private static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(15);

    /// <inheritdoc/>
    public async Task<CheckReport> CheckAsync(CheckContext context)
    {
        var (scheduledAt, cancellationToken) = (context.ScheduledAt, context.Cancellation);
        await history.LoadAsync(scheduledAt, cancellationToken);
        var details = await venue.GetVaultDetailsAsync(options.VaultAddress, cancellationToken);
        if (scheduledAt - details.Portfolio.At > MaxAge)
            throw new MissingDataException(
                $"hyperliquid vaultDetails: the newest point is of {details.Portfolio.At:yyyy-MM-dd HH:mm:ss}Z, the venue serves old data");

        var (components, issues) = await ReadComponentsAsync(details, scheduledAt, cancellationToken);
        var measures = HlpVaultMeasures.Take(details.Portfolio, history.Points, history.LatestPnl24h);
        var snapshot = Map(scheduledAt, measures, [.. FindHealthIssues(details, measures, components), .. issues]);
        history.Add(snapshot);
        return new CheckReport([snapshot, .. components],
            HlpVaultRules.Evaluate(snapshot, measures, options.Thresholds), HlpVaultRules.Unjudged(snapshot, measures));
    }

    // The verdict on a loss needs the parent alone. Components that cannot be read must not keep it back, nor pass for
    // healthy: that is a health issue.
    private async Task<(List<HlpVaultComponent> Components, List<string> Issues)> ReadComponentsAsync(
        VaultDetails details, DateTimeOffset scheduledAt, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> addresses;
        try
        {
            addresses = details.ReadComponents();
        }
        catch (MissingDataException fault)
        {
            return ([], [$"the components are not known: {fault.Message}"]);
        }

        var outcomes = await Task.WhenAll(addresses.Select(address => ReadComponentAsync(address, scheduledAt, cancellationToken)));
        return ([.. outcomes.Select(o => o.Component).OfType<HlpVaultComponent>()], [.. outcomes.Select(o => o.Issue).OfType<string>()]);
    }

    private async Task<(HlpVaultComponent? Component, string? Issue)> ReadComponentAsync(
        string address, DateTimeOffset scheduledAt, CancellationToken cancellationToken)
    {
        try
        {
            var state = await venue.GetClearinghouseStateAsync(address, cancellationToken);
            return (new HlpVaultComponent(
                options.VaultAddress, address, scheduledAt, state.MarginSummary.AccountValue, state.MarginSummary.TotalNtlPos,
                state.AssetPositions.Sum(p => p.Position.UnrealizedPnl), state.AssetPositions.Count(p => p.Position.Szi != 0)), null);
        }
        catch (Exception fault) when (fault is SourceUnavailableException or MissingDataException)
        {
            return (null, $"component {address} could not be read: {fault.Message}");
        }
    }

    private IEnumerable<string> FindHealthIssues(VaultDetails details, HlpVaultMeasures measures, IEnumerable<HlpVaultComponent> components)
    {
        if (details.IsClosed == true)
            yield return "the vault is closed";
        if (measures.Now.AccountValue <= 0)
            yield return $"the account value is {measures.Now.AccountValue:0.00} USD";
        if (measures.Anomaly.Total >= options.Thresholds.AnomalyHigh)
            yield return $"the anomaly score is {measures.Anomaly.Total:0.0} of 100";
        foreach (var component in components.Where(c => c.AccountValue < 0))
            yield return $"component {component.ComponentAddress} has a negative account value of {component.AccountValue:0.00} USD";
    }

    private HlpVaultSnapshot Map(DateTimeOffset scheduledAt, HlpVaultMeasures measures, string[] issues) => new(
        options.VaultAddress, scheduledAt, measures.Now.At, measures.Now.AccountValue, TotalValueLocked: measures.Now.AccountValue,
        measures.Pnl1h.Pnl, measures.Pnl24h.Pnl, measures.Pnl7d.Pnl, measures.Pnl30d.Pnl, measures.Now.AllTimePnl,
        measures.SharpeRatio, decimal.Round(measures.DrawdownPct, 6), decimal.Round(measures.MaxDrawdownPct, 6), measures.Hourly?.ZScore,
        measures.Anomaly.Loss, measures.Anomaly.Drawdown, measures.Anomaly.Volatility, measures.Anomaly.Total,
        IsHealthy: issues.Length == 0, issues);
}
