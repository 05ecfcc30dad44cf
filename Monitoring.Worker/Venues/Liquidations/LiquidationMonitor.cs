using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.HlpVault;
using Monitoring.Worker.Venues.Hyperliquid;
using Monitoring.Worker.Watching;

namespace Monitoring.Worker.Venues.Liquidations;

/// <summary>Watches liquidations through the fills of the HLP vaults and of the watched accounts: the venue has no feed of all of them.</summary>
internal sealed partial class LiquidationMonitor(
    HyperliquidClient venue, LiquidationHistory history, FreshAccounts freshAccounts, AccountFundings fundings, LiquidationOptions options, HlpVaultOptions vault, TimeProvider clock,
    ILogger<LiquidationMonitor> logger) : IMonitor
{
    /// <summary>The name in the ledger.</summary>
    public const string MonitorName = "liquidations";

    // So many full pages a check and not more: a check ends in time, and the next goes on where it ended.
    private const int MostFullPages = 6;

    // How far back an account is read that was never read before.
    private static readonly TimeSpan FirstLook = TimeSpan.FromHours(1);
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(10);

    private readonly PartWatch _parts = new(MonitorName, options.Interval);

    /// <inheritdoc/>
    public string Name => MonitorName;

    /// <inheritdoc/>
    public async Task<CheckReport> CheckAsync(DateTimeOffset scheduledAt, CancellationToken cancellationToken)
    {
        await history.LoadAsync(scheduledAt, options.Thresholds, cancellationToken);
        var fewOwners = FindFreshOwners(scheduledAt);
        var reading = await ReadAllAsync(fewOwners.Count > 0 ? fewOwners : await FindOwnersAsync(cancellationToken), scheduledAt, cancellationToken);

        var known = history.Fills.Select(KeyOf).ToHashSet();
        var fresh = LiquidationMapping.Merge(reading.Fills.Where(fill => !known.Contains(KeyOf(fill))));
        var fills = LiquidationMapping.Merge([.. history.Fills, .. fresh]);
        var liquidations = LiquidationGrouping.Group(fills);
        var (prices, pricesMissing) = await ReadPricesAsync(liquidations, scheduledAt, cancellationToken);

        await fundings.AskAsync(liquidations, options.Thresholds, 0.3 * new MonitorSchedule(this, options.Interval).Deadline, cancellationToken);
        var found = PatternContinuity.Continue(history.Patterns, LiquidationSearch.Find(liquidations, [.. history.Prices, .. prices], fundings.Known, options.Thresholds));
        var findings = LiquidationRules.Evaluate(found.Where(pattern => pattern.EndTime >= RecentFrom(scheduledAt, fresh)), options.Thresholds);
        history.Keep(scheduledAt, fills, found, prices, reading.Sources, findings.Select(finding => finding.Fingerprint));

        var changed = found.Where(pattern => pattern.EndTime >= RecentFrom(scheduledAt, fresh));
        var blind = _parts.Judge(reading.Sights, scheduledAt);
        string[] notAsked = fewOwners.Count > 0 ? [WatchdogRules.FingerprintOfPart(MonitorName, "*")] : [];
        return new CheckReport([.. fresh, .. changed, .. reading.Sources], [.. findings, .. blind.Findings],
            [.. Unjudged(reading.IsComplete && fewOwners.Count == 0, pricesMissing), .. blind.Unjudged, .. notAsked]);
    }

    private static (string, long, string, DateTimeOffset) KeyOf(LiquidationFill fill) => (fill.Coin, fill.Tid, fill.LiquidatedUser, fill.ObservedAt);

    // A pattern is news as long as it may still go on, and whenever this check brought a part of it, however late.
    private DateTimeOffset RecentFrom(DateTimeOffset scheduledAt, IReadOnlyList<LiquidationFill> fresh)
    {
        var from = scheduledAt - (options.Interval > options.Thresholds.CascadeWindow ? options.Interval : options.Thresholds.CascadeWindow);
        return fresh.Count > 0 && fresh[0].ObservedAt < from ? fresh[0].ObservedAt : from;
    }

    private IReadOnlyList<string> Unjudged(bool allRead, bool pricesMissing) => allRead && !pricesMissing
        ? []
        : [.. history.Raised.Where(fingerprint => !allRead || fingerprint.StartsWith(LiquidationRules.Manipulation, StringComparison.Ordinal))];

    // Between grid times only those are read in which the live feed saw something: a check that is quick and cheap can be made often.
    private List<FillOwner> FindFreshOwners(DateTimeOffset scheduledAt)
    {
        var fresh = freshAccounts.Take();
        return new MonitorSchedule(this, options.Interval).GridTime(scheduledAt) == scheduledAt ? []
            : [.. history.KnownVaults.Select(vault => new FillOwner(vault, IsHlpVault: true)).Concat(options.MonitoredAddresses.Select(address => new FillOwner(address, IsHlpVault: false)))
                .Where(owner => fresh.Contains(owner.Address)).DistinctBy(owner => owner.Address)];
    }

    private async Task<IReadOnlyList<FillOwner>> FindOwnersAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<string> vaults;
        try
        {
            vaults = (await venue.GetVaultDetailsAsync(vault.VaultAddress, cancellationToken)).ComponentAddresses;
        }
        catch (Exception fault) when (fault is SourceUnavailableException or MissingDataException && history.KnownVaults.Count > 0)
        {
            LogKnownVaults(fault.Message);
            vaults = history.KnownVaults;
        }

        var owners = vaults.Select(address => new FillOwner(address.ToLowerInvariant(), IsHlpVault: true))
            .Concat(options.MonitoredAddresses.Select(address => new FillOwner(address, IsHlpVault: false))).DistinctBy(owner => owner.Address).ToList();
        return owners.Count > 0 ? owners : throw new MissingDataException("hyperliquid vaultDetails: the vault has no components, there is nothing to follow");
    }

    private sealed record Reading(IReadOnlyList<LiquidationFill> Fills, IReadOnlyList<LiquidationSource> Sources, IReadOnlyList<PartSight> Sights, bool IsComplete);

    private async Task<Reading> ReadAllAsync(IReadOnlyList<FillOwner> owners, DateTimeOffset scheduledAt, CancellationToken cancellationToken)
    {
        var (fills, sources, sights) = (new List<LiquidationFill>(), new List<LiquidationSource>(), new List<PartSight>());
        var (pages, complete) = (MostFullPages, true);
        Exception? lastFault = null;
        // Those that lag behind come last, so that they keep nobody else waiting.
        foreach (var owner in owners.OrderByDescending(owner => history.FindSource(owner.Address)?.ReadUntil ?? DateTimeOffset.MaxValue))
        {
            try
            {
                var source = history.FindSource(owner.Address) ?? NewSource(owner, scheduledAt);
                var read = await ReadAsync(owner, source, Math.Max(1, pages), cancellationToken);
                pages -= read.FullPages;
                complete &= !read.IsBehind;
                fills.AddRange(read.Fills.Select(fill => LiquidationMapping.Map(fill, owner)).OfType<LiquidationFill>());
                sources.Add(Advance(source, owner, read));
                sights.Add(new PartSight(owner.Address, null));
            }
            catch (Exception fault) when (fault is SourceUnavailableException or MissingDataException)
            {
                LogUnreadable(owner.Address, fault.Message);
                sights.Add(new PartSight(owner.Address, fault.Message));
                (lastFault, complete) = (fault, false);
            }
        }

        if (sources.Count == 0)
            throw new SourceUnavailableException($"the fills of none of {owners.Count} accounts could be read; the last: {lastFault!.Message}", lastFault);
        return new Reading(fills, sources, sights, complete);
    }

    private async Task<FillRead> ReadAsync(FillOwner owner, LiquidationSource source, int mostPages, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var watermark = source.LastFillAt is { } last && last == source.ReadUntil ? new Watermark(last, IsFill: true) : new Watermark(source.ReadUntil, IsFill: false);
        var read = await FillReading.ReadAsync((start, end, reversed, token) => venue.GetUserFillsByTimeAsync(owner.Address, start, end, reversed, token),
            watermark, HyperliquidClient.FillsPerPage, mostPages, now, cancellationToken);
        foreach (var gap in read.Gaps)
            LogGap(owner.Address, gap.From, gap.Until);
        if (read.IsBehind)
            LogBehind(owner.Address, read.Next.At);
        return read.Next.At <= now + ClockTolerance
            ? read
            : throw new MissingDataException($"hyperliquid userFillsByTime: {owner.Address} has a fill of {read.Next.At:yyyy-MM-dd HH:mm:ss}Z, which is yet to come");
    }

    private static LiquidationSource NewSource(FillOwner owner, DateTimeOffset scheduledAt) =>
        new(owner.Address, owner.IsHlpVault, scheduledAt - FirstLook, scheduledAt - FirstLook, LastFillAt: null, Gaps: 0, LastGapFrom: null, LastGapUntil: null);

    // The venue shows no more than its newest ten thousand fills and does not say so: what a first reading brings in full pages is known from its first fill on.
    private static LiquidationSource Advance(LiquidationSource source, FillOwner owner, FillRead read) => source with
    {
        IsHlpVault = owner.IsHlpVault,
        WatchedSince = source.ReadUntil == source.WatchedSince && read.FullPages > 0 ? read.Fills[0].At : source.WatchedSince,
        ReadUntil = read.Next.At,
        LastFillAt = read.Next.IsFill ? read.Next.At : null,
        Gaps = source.Gaps + read.Gaps.Count,
        LastGapFrom = read.Gaps.Count > 0 ? read.Gaps[^1].From : source.LastGapFrom,
        LastGapUntil = read.Gaps.Count > 0 ? read.Gaps[^1].Until : source.LastGapUntil,
    };

    // Whether a price comes back is seen afterwards, so marks are asked for as long as it matters.
    private async Task<(IReadOnlyList<PriceSample> Prices, bool Missing)> ReadPricesAsync(
        IReadOnlyList<Liquidation> liquidations, DateTimeOffset scheduledAt, CancellationToken cancellationToken)
    {
        var coins = LiquidationSearch.CoinsToWatch(liquidations, scheduledAt, options.Thresholds);
        if (coins.Count == 0)
            return ([], false);
        try
        {
            var now = clock.GetUtcNow();
            var markets = await venue.GetMarketsAsync(cancellationToken);
            return ([.. coins.Where(markets.ByCoin.ContainsKey).Select(coin => new PriceSample(coin, now, markets.ByCoin[coin].MarkPx))], false);
        }
        catch (Exception fault) when (fault is SourceUnavailableException or MissingDataException)
        {
            LogNoPrices(fault.Message);
            return ([], true);
        }
    }

    [LoggerMessage(LogLevel.Warning, "the vault's components cannot be read, those known go on being followed: {Error}")]
    private partial void LogKnownVaults(string error);

    [LoggerMessage(LogLevel.Warning, "fills of {Account} cannot be read; nothing is judged as over meanwhile: {Error}")]
    private partial void LogUnreadable(string account, string error);

    [LoggerMessage(LogLevel.Warning, "fills of {Account} between {From:O} and {Until:O} were gone at the venue before they could be read")]
    private partial void LogGap(string account, DateTimeOffset from, DateTimeOffset until);

    [LoggerMessage(LogLevel.Information, "fills of {Account} are read up to {Until:O} so far, the next check goes on")]
    private partial void LogBehind(string account, DateTimeOffset until);

    [LoggerMessage(LogLevel.Warning, "mark prices cannot be read, so whether a price came back is not judged: {Error}")]
    private partial void LogNoPrices(string error);
}
