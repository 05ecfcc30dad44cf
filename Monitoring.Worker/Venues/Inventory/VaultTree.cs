using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.HlpVault;
using Monitoring.Worker.Venues.Hyperliquid;

namespace Monitoring.Worker.Venues.Inventory;

/// <summary>
/// HLP's equity and its component vaults, as of a moment. <paramref name="Unreadable"/> says which components are not known; in doubt
/// about them or about the figures, what is not found is not over.
/// </summary>
internal sealed record VaultFrame(
    decimal Equity, IReadOnlyList<string> Components, DateTimeOffset ReadAt, string? Unreadable = null, bool IsInDoubt = false);

/// <summary>The markets as far as they are known, and else why they are not.</summary>
internal sealed record MarketsReading(Markets? Markets, string? Error);

/// <summary>
/// Keeps what rarely changes of the vault between checks, because asking for it is dear: equity and components for
/// three minutes, volumes and open interest for one. Where the venue does not answer, what was known holds for a while.
/// </summary>
internal sealed partial class VaultTree(HyperliquidClient venue, HlpVaultOptions vault, ILogger<VaultTree> logger)
{
    /// <summary>How long equity and components are taken for what they were.</summary>
    public static readonly TimeSpan FrameRefresh = TimeSpan.FromMinutes(3);

    /// <summary>How long the markets are taken for what they were.</summary>
    public static readonly TimeSpan MarketsRefresh = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan FrameMaxAge = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan MarketsMaxAge = TimeSpan.FromMinutes(10);

    private VaultFrame? _frame;
    private PortfolioPoint? _balanced;
    private int _doubts;
    private Markets? _markets;
    private DateTimeOffset _marketsAt;
    private DateTimeOffset _marketsAskedAt = DateTimeOffset.MinValue;
    private string? _marketsError;

    /// <summary>What is known of the vault already, or null when that is nothing or too old.</summary>
    public VaultFrame? FindKnown(DateTimeOffset now) => _frame is { } frame && now - frame.ReadAt <= FrameMaxAge ? frame : null;

    /// <summary>Reads equity and components when they are due.</summary>
    /// <exception cref="MissingDataException">Nothing usable is known.</exception>
    public async Task<VaultFrame> GetFrameAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (_frame is { } fresh && now - fresh.ReadAt < FrameRefresh)
            return fresh;
        try
        {
            var details = await venue.GetVaultDetailsAsync(vault.VaultAddress, cancellationToken);
            details.RefuseUnlessOf(now, FrameMaxAge);
            var contradictions = AccountValueIdentity.FindContradictions(details.Portfolio);
            foreach (var contradiction in contradictions)
                LogContradiction(contradiction);
            // A vault that is no parent holds its positions itself.
            var components = details.ReadComponents();
            _frame = new VaultFrame(details.Portfolio.AllTime.Last.AccountValue,
                components.Count > 0 ? components : [vault.VaultAddress], now, UnreadablePart.Describe(components.Unreadable),
                IsInDoubt: components.Unreadable.Count + contradictions.Count > 0);
            await CheckFlowsAsync(details.Portfolio.AllTime.Last, cancellationToken);
            return _frame;
        }
        catch (Exception fault) when (FindKnown(now) is not null && IsOfTheVenue(fault))
        {
            LogNotRefreshed(_frame!.ReadAt, fault.Reason());
            return _frame;
        }
    }

    /// <summary>The markets, for volumes and open interest.</summary>
    public async Task<MarketsReading> ReadMarketsAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (now - _marketsAskedAt >= MarketsRefresh)
        {
            _marketsAskedAt = now;
            try
            {
                (_markets, _marketsAt, _marketsError) = (await venue.GetMarketsAsync(cancellationToken), now, null);
            }
            catch (Exception fault) when (IsOfTheVenue(fault))
            {
                _marketsError = fault.Reason();
                LogNoMarkets(_marketsError);
            }
        }

        return _markets is not null && now - _marketsAt <= MarketsMaxAge
            ? new MarketsReading(_markets, null) : new MarketsReading(null, _marketsError ?? "never read");
    }

    // The ledger is asked only where there is something to explain. What it does not explain is doubted once: a flow of
    // this moment may be in one answer and not yet in the other.
    private async Task CheckFlowsAsync(PortfolioPoint to, CancellationToken cancellationToken)
    {
        if (_balanced is { } from && Math.Abs(AccountValueIdentity.Residual(from, to, flows: 0)) > AccountValueIdentity.ToleranceUsd)
        {
            try
            {
                var ledger = await venue.GetLedgerAsync(vault.VaultAddress, from.At, to.At, cancellationToken);
                var flows = ledger.Unreadable.Count > 0
                    ? null : AccountValueIdentity.SumFlows(ledger, vault.VaultAddress, from.At, to.At);
                var residual = AccountValueIdentity.Residual(from, to, flows ?? 0);
                if (flows is null)
                    LogUnknownFlows(from.At, to.At);
                else if (Math.Abs(residual) > AccountValueIdentity.ToleranceUsd)
                {
                    _doubts++;
                    if (_doubts == 1)
                        return;
                    LogContradiction($"since {from.At:yyyy-MM-dd HH:mm:ss}Z the account value changed by {residual:0.00} USD that "
                        + "neither PnL nor flows explain");
                }
            }
            catch (Exception fault) when (IsOfTheVenue(fault))
            {
                LogUnknownFlows(from.At, to.At, fault);
                return;
            }
        }

        (_balanced, _doubts) = (to, 0);
    }

    private static bool IsOfTheVenue(Exception fault) =>
        fault is SourceUnavailableException or MissingDataException or OperationCanceledException;

    [LoggerMessage(LogLevel.Warning, "the vault's figures contradict each other: {Contradiction}")]
    private partial void LogContradiction(string contradiction);

    [LoggerMessage(LogLevel.Warning, "equity and components of the vault are those of {ReadAt:HH:mm:ss}, they cannot be read now: {Error}")]
    private partial void LogNotRefreshed(DateTimeOffset readAt, string error);

    [LoggerMessage(
        LogLevel.Debug, "the vault's flows from {From:O} to {Until:O} are not known, so its account value is not held against them")]
    private partial void LogUnknownFlows(DateTimeOffset from, DateTimeOffset until, Exception? fault = null);

    [LoggerMessage(LogLevel.Warning,
        "volumes and open interest cannot be read; those read before count for some minutes, then what depends on them is not judged: "
        + "{Error}")]
    private partial void LogNoMarkets(string error);
}
