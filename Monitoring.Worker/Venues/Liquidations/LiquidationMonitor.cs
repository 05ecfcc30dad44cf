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
    HyperliquidClient venue, LiquidationHistory history, AccountReader reader, AccountFundings fundings, LiquidationOptions options,
    HlpVaultOptions vault, KnownComponents components, TimeProvider clock, ILogger<LiquidationMonitor> logger) : IMonitor
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
    private const double FundingsShare = 0.9;

    private readonly PartialSourceHealth _parts = new();
    private HashSet<string> _unread = []; // named by a cause, and not read to their end since

    /// <inheritdoc/>
    public async Task<CheckReport> CheckAsync(CheckContext context)
    {
        await history.LoadAsync(context.ScheduledAt, options.Thresholds, context.Cancellation);
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
        var known = history.Fills.Concat(history.LastFills).Select(LiquidationMapping.KeyOf).ToHashSet();
        var fresh = LiquidationMapping.Merge(reading.Fills.Where(fill => !known.Contains(LiquidationMapping.KeyOf(fill))));
        var fills = LiquidationMapping.Merge([.. history.Fills, .. fresh]);
        var liquidations = LiquidationGrouping.Group(fills);
        var (prices, pricesMissing) = await ReadPricesAsync(liquidations, scheduledAt, context.Left(PricesShare), cancellationToken);

        var most = TimeSpan.FromTicks(Math.Min((0.3 * context.Schedule.Deadline).Ticks, context.Left(FundingsShare).Ticks));
        await fundings.AskAsync(liquidations, options.Thresholds, most, cancellationToken);
        var found = PatternGaps.Mark(PatternContinuity.Continue(history.Patterns,
            LiquidationSearch.Find(liquidations, [.. history.Prices, .. prices], fundings.Known, options.Thresholds)),
            [.. history.Gaps, .. reading.Gaps]);
        var news = FindNews(found, scheduledAt, fresh);
        var findings = LiquidationRules.Evaluate(news, options.Thresholds);
        reader.Keep(scheduledAt, reading);
        history.Keep(scheduledAt, reader.CatchesUpFrom, reading, fills, found, prices, findings.Select(finding => finding.Fingerprint));

        var blind = _parts.Judge(context.Schedule, reading.Accounts, scheduledAt);
        string[] notAsked = allAsked ? [] : [WatchdogRules.FingerprintOfPart(context.Schedule, "*")];
        return new CheckReport([.. fresh, .. news, .. reading.Sources], [.. findings, .. blind.Findings],
            [.. Unjudged(reading.IsComplete && allAsked, pricesMissing), .. blind.Unjudged, .. notAsked]);
    }

    // A pattern is news as long as it may still go on, and whenever this check brought a part of it, however late.
    private List<LiquidationPattern> FindNews(
        IReadOnlyList<LiquidationPattern> found, DateTimeOffset scheduledAt, IReadOnlyList<LiquidationFill> fresh)
    {
        var from = scheduledAt
            - (options.Interval > options.Thresholds.CascadeWindow ? options.Interval : options.Thresholds.CascadeWindow);
        var late = fresh.Where(fill => fill.ObservedAt < from).ToList();
        return [.. found.Where(pattern => pattern.EndTime >= from || late.Exists(fill => LiquidationSearch.IsPart(fill, pattern)))];
    }

    private IReadOnlyList<string> Unjudged(bool allRead, bool pricesMissing) => allRead && !pricesMissing
        ? []
        : [.. history.Raised.Where(fingerprint =>
            !allRead || fingerprint.StartsWith(LiquidationRuleSet.Manipulation.Id, StringComparison.Ordinal))];

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
            var named = (await venue.GetVaultDetailsAsync(vault.VaultAddress, either.Token)).ReadComponents();
            vaults = components.Add(named, context.ScheduledAt);
        }
        catch (Exception fault) when (history.KnownVaults.Count > 0 && IsOfTheVenue(fault, cancellationToken))
        {
            LogKnownVaults(fault.Message);
            vaults = history.KnownVaults;
        }
        catch (OperationCanceledException fault) when (!cancellationToken.IsCancellationRequested)
        {
            throw new SourceUnavailableException($"hyperliquid vaultDetails: no answer within {most.TotalSeconds:0.#} s", fault);
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

    // Whether a price comes back is seen afterwards, so marks are asked for as long as it matters.
    private async Task<(IReadOnlyList<PriceSample> Prices, bool Missing)> ReadPricesAsync(
        IReadOnlyList<Liquidation> liquidations, DateTimeOffset scheduledAt, TimeSpan most, CancellationToken cancellationToken)
    {
        var coins = LiquidationSearch.CoinsToWatch(liquidations, scheduledAt, options.Thresholds);
        if (coins.Count == 0)
            return ([], false);
        using var deadline = new CancellationTokenSource(most, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            var now = clock.GetUtcNow();
            var markets = await venue.GetMarketsAsync(either.Token);
            // A coin that is missing there, or has no price that can be, is not one whose price has stayed where it was.
            var seen = coins.Where(coin => markets.ByCoin.GetValueOrDefault(coin) is { MarkPx: > 0 }).ToList();
            return ([.. seen.Select(coin => new PriceSample(coin, now, markets.ByCoin[coin].MarkPx))], seen.Count < coins.Count);
        }
        catch (Exception fault) when (IsOfTheVenue(fault, cancellationToken))
        {
            LogNoPrices(fault.Message);
            return ([], true);
        }
    }

    [LoggerMessage(LogLevel.Warning, "the vault's components cannot be read, those known go on being followed: {Error}")]
    private partial void LogKnownVaults(string error);

    [LoggerMessage(LogLevel.Warning, "mark prices cannot be read, so whether a price came back is not judged: {Error}")]
    private partial void LogNoPrices(string error);
}
