using Monitoring.Data.Checks;
using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.HlpVault;
using Monitoring.Worker.Venues.Hyperliquid;
using Monitoring.Worker.Watching;

namespace Monitoring.Worker.Venues.Liquidations;

/// <summary>
/// Watches liquidations through the fills of the HLP vaults and of the watched accounts: the venue has no feed of all of them.
/// </summary>
internal sealed partial class LiquidationMonitor(
    HyperliquidClient venue, LiquidationHistory history, AccountReader reader, AccountFundings fundings, MarketQuotes quotes, VaultPnl pnl,
    LiquidationOptions options, HlpVaultOptions vault, KnownComponents components, TimeProvider clock,
    ILogger<LiquidationMonitor> logger) : IMonitor
{
    /// <summary>The name in the ledger.</summary>
    public const string MonitorName = "liquidations";

    /// <summary>
    /// The kind of a cause that names an account in which a liquidation was seen: a triggered check need ask for no others.
    /// </summary>
    public const string AccountCause = "account";

    // Each question must be answered before its share of the check's deadline is over, so that what was read before is not lost with it.
    private const double OwnersShare = 0.2;
    private const double FillsShare = 0.6;
    private const double PricesShare = 0.75;
    private const double FundingsShare = 0.85;
    private const double PnlShare = 0.95;

    private readonly PartialSourceHealth _parts = new();
    private HashSet<string> _unread = []; // named by a cause, and not read to their end since

    /// <inheritdoc/>
    public async Task<CheckReport> CheckAsync(CheckContext context)
    {
        await Task.WhenAll(
            history.LoadAsync(context.ScheduledAt, context.Cancellation), pnl.LoadAsync(context.ScheduledAt, context.Cancellation));
        components.Remember(history.KnownVaults, context.ScheduledAt);
        var named = context.Causes.Where(cause => cause.Kind == AccountCause).Select(cause => cause.Id).Union(_unread).ToHashSet();
        var fewOwners = context.Trigger == CheckTrigger.Grid ? [] : FindOwners(named);
        var owners = fewOwners.Count > 0 ? fewOwners : await FindOwnersAsync(context);
        if (fewOwners.Count == 0)
            reader.Forget(allOthersThan: owners);
        var reading = await reader.ReadAsync(owners, context.ScheduledAt, context.Left(FillsShare), context.Cancellation);
        var report = await JudgeAsync(reading, fewOwners.Count == 0, context);
        _unread = named.Where(reading.Waiting.ContainsKey).ToHashSet();
        return report;
    }

    private async Task<CheckReport> JudgeAsync(Reading reading, bool allAsked, CheckContext context)
    {
        var (scheduledAt, cancellationToken) = (context.ScheduledAt, context.Cancellation);
        if (reading.Fills.Count > 0)
            await history.ReachBackAsync(reading.Fills.Min(fill => fill.ObservedAt), scheduledAt, cancellationToken);
        var stored = history.Fills.Concat(history.LastFills).Select(LiquidationMapping.KeyOf).ToHashSet();
        var fresh = LiquidationMapping.Merge(reading.Fills.Where(fill => !stored.Contains(LiquidationMapping.KeyOf(fill))));
        var fills = LiquidationMapping.Merge([.. history.Fills, .. fresh]);
        var liquidations = LiquidationGrouping.Group(fills);
        var learnsSince = scheduledAt - options.LearnsFor;
        var prices = await quotes.AskAsync(liquidations, scheduledAt,
            fresh.Select(fill => fill.ObservedAt).Append(learnsSince).Min(), context.Left(PricesShare), cancellationToken);

        var most = TimeSpan.FromTicks(Math.Min((0.3 * context.Schedule.Deadline).Ticks, context.Left(FundingsShare).Ticks));
        await fundings.AskAsync(liquidations, options.Thresholds, most, cancellationToken);
        var known = history.Patterns.ToDictionary(pattern => pattern.PatternId);
        var found = PatternGaps.Mark(VolumeShares.Mark(PatternContinuity.Continue(history.Patterns,
            LiquidationSearch.Find(liquidations, [.. history.Prices, .. prices], fundings.Known, options.Thresholds)),
            known, quotes.Volumes), [.. history.Gaps, .. reading.Gaps]);
        var news = FindNews(found, known, fresh, learnsSince);
        var runs = MarketRuns.FindNews(found, history.Patterns, news, fresh, options.Thresholds);
        if (runs.Count > 0)
            await pnl.AskAsync(context.Left(PnlShare), cancellationToken);
        Finding[] findings = [.. LiquidationRules.Evaluate(news, options.Thresholds),
            .. MarketWideRule.Evaluate(runs, pnl.FindGain, options.Thresholds)];
        reader.Keep(scheduledAt, reading);
        history.Keep(scheduledAt, reader.CatchesUpFrom, reading, fills, found, prices);

        var blind = _parts.Judge(context.Schedule, reading.Accounts, scheduledAt);
        string[] notAsked = allAsked ? [] : [WatchdogRules.FingerprintOfPart(context.Schedule, "*")];
        return new CheckReport([.. fresh, .. news, .. reading.Sources], [.. findings, .. blind.Findings], [.. blind.Unjudged, .. notAsked]);
    }

    // A pattern is news when this check brought a part of it, however late, or when what was learnt since makes it an event or a worse
    // one. Nothing else is: what is put together from stored rows alone was news before, and its event may have ended.
    private List<LiquidationPattern> FindNews(
        IReadOnlyList<LiquidationPattern> found, IReadOnlyDictionary<string, LiquidationPattern> known,
        IReadOnlyList<LiquidationFill> fresh, DateTimeOffset learnsSince)
    {
        var byCoin = fresh.ToLookup(fill => fill.Coin);
        return [.. found.Where(pattern =>
            pattern.AssetsInvolved.SelectMany(coin => byCoin[coin]).Any(fill => LiquidationSearch.IsPart(fill, pattern))
            || (pattern.EndTime >= learnsSince && IsMore(pattern, known.GetValueOrDefault(pattern.PatternId))))];
    }

    private bool IsMore(LiquidationPattern pattern, LiquidationPattern? known) => known is null
        || (LiquidationRules.SeverityOf(pattern, options.Thresholds) is { } severity
            && !(severity <= LiquidationRules.SeverityOf(known, options.Thresholds)));

    // Between grid times only those are read in which the live feed saw something: a check that is quick and cheap can be made often.
    private List<FillOwner> FindOwners(HashSet<string> named) =>
        [.. history.KnownVaults.Select(vault => new FillOwner(vault, IsHlpVault: true))
            .Concat(options.MonitoredAddresses.Select(address => new FillOwner(address, IsHlpVault: false)))
            .Where(owner => named.Contains(owner.Address)).DistinctBy(owner => owner.Address)];

    private async Task<IReadOnlyList<FillOwner>> FindOwnersAsync(CheckContext context)
    {
        var cancellationToken = context.Cancellation;
        IReadOnlyList<string> vaults;
        // Without components to fall back on, nothing else can be done with the time.
        var most = context.Left(history.KnownVaults.Count > 0 ? OwnersShare : FillsShare);
        using var deadline = new CancellationTokenSource(most, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            var details = await venue.GetVaultDetailsAsync(vault.VaultAddress, either.Token);
            pnl.Add(details.Portfolio);
            vaults = components.Add(details.ReadComponents(), context.ScheduledAt);
        }
        catch (Exception fault) when (history.KnownVaults.Count > 0 && IsOfTheVenue(fault, cancellationToken))
        {
            LogKnownVaults(fault.Reason(most));
            vaults = history.KnownVaults;
        }
        catch (OperationCanceledException fault) when (!cancellationToken.IsCancellationRequested)
        {
            throw new SourceUnavailableException($"hyperliquid vaultDetails: {fault.Reason(most)}", fault);
        }

        var owners = vaults.Select(address => new FillOwner(address.ToLowerInvariant(), IsHlpVault: true))
            .Concat(options.MonitoredAddresses.Select(address => new FillOwner(address, IsHlpVault: false)))
            .DistinctBy(owner => owner.Address).ToList();
        return owners.Count > 0
            ? owners
            : throw new MissingDataException("hyperliquid vaultDetails: the vault has no components, there is nothing to follow");
    }

    private static bool IsOfTheVenue(Exception fault, CancellationToken cancellationToken) =>
        fault is SourceUnavailableException or MissingDataException
        || (fault is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    [LoggerMessage(LogLevel.Warning, "the vault's components cannot be read, those known go on being followed: {Error}")]
    private partial void LogKnownVaults(string error);
}
