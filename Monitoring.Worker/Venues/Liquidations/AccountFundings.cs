using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.Hyperliquid;

namespace Monitoring.Worker.Venues.Liquidations;

/// <summary>Who first sent an account its money, and when.</summary>
internal sealed record Funding(string Funder, DateTimeOffset At);

/// <summary>
/// Asks the venue's ledger who funded liquidated accounts: the largest first, a few a minute at most because each is dear,
/// each account once. What came from outside the venue has no sender there, so such accounts stay without a funding.
/// </summary>
internal sealed partial class AccountFundings(HyperliquidClient venue, TimeProvider clock, ILogger<AccountFundings> logger)
{
    private const int MostAtOnce = 2;
    private const int LargestAccounts = 50;
    private const int MostKept = 10_000;
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, Funding?> _asked = [];
    private DateTimeOffset _nextAt = DateTimeOffset.MinValue;

    /// <summary>The fundings known so far, by account.</summary>
    public IReadOnlyDictionary<string, Funding> Known =>
        _asked.Where(pair => pair.Value is not null).ToDictionary(pair => pair.Key, pair => pair.Value!);

    /// <summary>
    /// Asks for some accounts that are not known yet, if all liquidations together could make a coordinated pattern. Takes no longer than
    /// <paramref name="most"/>, so that the check is not lost over it, and never throws for a fault of the venue.
    /// </summary>
    public async Task AskAsync(
        IReadOnlyList<Liquidation> history, LiquidationThresholds limits, TimeSpan most, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var accounts = FindAccounts(history, limits);
        if (accounts.Count == 0 || now < _nextAt || most <= TimeSpan.Zero)
            return;
        _nextAt = now + Pause;
        if (_asked.Count >= MostKept)
            _asked.Clear();
        using var deadline = new CancellationTokenSource(most, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        foreach (var account in accounts.Take(MostAtOnce))
        {
            try
            {
                var ledger = await venue.GetLedgerAsync(account, DateTimeOffset.UnixEpoch, null, either.Token);
                // The first money may be in what cannot be read.
                _asked[account] = ledger.Unreadable.Count > 0 ? null : FirstFunding(ledger, account);
            }
            catch (Exception fault) when (fault is SourceUnavailableException or MissingDataException
                || (fault is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                LogNotKnown(account, fault.Reason(most));
                return;
            }
        }
    }

    /// <summary>The funding that a ledger shows: the first money that came in, if an account of the venue sent it.</summary>
    public static Funding? FirstFunding(IEnumerable<LedgerUpdate> ledger, string account) =>
        ledger.OrderBy(update => update.Time).FirstOrDefault(update => update.FlowTo(account) > 0) is { Sender: { } funder } first
            ? new Funding(funder, first.At)
            : null;

    private List<string> FindAccounts(IReadOnlyList<Liquidation> history, LiquidationThresholds limits)
    {
        var forced = history.Where(one => one.Method != LiquidationMethod.Adl && one.User != LiquidationMapping.UnknownUser).ToList();
        return forced.Count < limits.CoordinatedTimes || forced.Sum(one => one.NotionalUsd) < limits.CoordinatedUsd ? []
            : [.. forced.GroupBy(one => one.User).OrderByDescending(user => user.Sum(one => one.NotionalUsd)).Take(LargestAccounts)
                .Select(user => user.Key).Where(user => !_asked.ContainsKey(user))];
    }

    [LoggerMessage(LogLevel.Debug, "who funded {Account} is not known yet: {Error}")]
    private partial void LogNotKnown(string account, string error);
}
