using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.Hyperliquid;
using Monitoring.Worker.Venues.Inventory;
using Monitoring.Worker.Watching;

namespace Monitoring.Worker.Venues.HlpVault;

/// <summary>Watches the HLP vault: its PnL, its equity without flows, and the accounts of its component vaults.</summary>
internal sealed class HlpVaultMonitor(
    HyperliquidClient venue, HlpVaultHistory history, KnownComponents known, HlpVaultOptions options) : IMonitor
{
    /// <summary>The name in the ledger.</summary>
    public const string MonitorName = "hlp-vault";

    // The part that stands for the vault's series.
    private const string Series = "the vault's own figures";

    private static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(15);

    private readonly PartialSourceHealth _parts = new();

    /// <inheritdoc/>
    public async Task<CheckReport> CheckAsync(CheckContext context)
    {
        var (scheduledAt, cancellationToken) = (context.ScheduledAt, context.Cancellation);
        await history.LoadAsync(scheduledAt, cancellationToken);
        var details = await venue.GetVaultDetailsAsync(options.VaultAddress, cancellationToken);
        details.RefuseUnlessOf(scheduledAt, MaxAge);

        var (components, issues) = await ReadComponentsAsync(details, scheduledAt, cancellationToken);
        var measures = HlpVaultMeasures.Take(details.Portfolio, history.Points, history.LatestPnl24h);
        var snapshot = Map(scheduledAt, measures, [.. FindHealthIssues(details, measures, components), .. issues]);
        history.Add(snapshot);
        var unreadable = UnreadablePart.Describe(details.Portfolio.Unreadable);
        var inDoubt = unreadable is not null || AccountValueIdentity.FindContradictions(details.Portfolio).Count > 0;
        var blind = _parts.Judge(context.Schedule, [new SourceReading(Series, unreadable)], scheduledAt);
        return new CheckReport([snapshot, .. components],
            [.. HlpVaultRules.Evaluate(snapshot, measures, options.Thresholds), .. blind.Findings],
            [.. HlpVaultRules.Unjudged(snapshot, measures, inDoubt), .. blind.Unjudged])
        {
            Measured = HlpVaultRules.Measure(snapshot, measures),
        };
    }

    // The verdict on a loss needs the parent alone. Components that cannot be read must not keep it back, nor pass for
    // healthy: that is a health issue.
    private async Task<(List<HlpVaultComponent> Components, List<string> Issues)> ReadComponentsAsync(
        VaultDetails details, DateTimeOffset scheduledAt, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> named = [];
        var issues = new List<string>();
        try
        {
            var list = details.ReadComponents();
            named = list;
            if (UnreadablePart.Describe(list.Unreadable) is { } unreadable)
                issues.Add($"not all components are known: {unreadable}");
        }
        catch (MissingDataException fault)
        {
            issues.Add($"the components are not known: {fault.Message}");
        }

        var addresses = known.Add(named, scheduledAt);
        var outcomes = await Task.WhenAll(addresses.Select(address => ReadComponentAsync(address, scheduledAt, cancellationToken)));
        return ([.. outcomes.Select(o => o.Component).OfType<HlpVaultComponent>()],
            [.. issues, .. outcomes.Select(o => o.Issue).OfType<string>()]);
    }

    private async Task<(HlpVaultComponent? Component, string? Issue)> ReadComponentAsync(
        string address, DateTimeOffset scheduledAt, CancellationToken cancellationToken)
    {
        try
        {
            var state = await venue.GetClearinghouseStateAsync(address, cancellationToken);
            // A row is of the whole account: counted without what cannot be read, it would say that less is held.
            if (UnreadablePart.Describe(state.Unreadable) is { } unreadable)
                return (null, $"component {address} could not be read: {unreadable}");
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
