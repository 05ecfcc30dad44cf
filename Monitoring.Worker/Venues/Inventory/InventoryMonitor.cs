using Monitoring.Data.Events;
using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.HlpVault;
using Monitoring.Worker.Venues.Hyperliquid;
using Monitoring.Worker.Watching;

namespace Monitoring.Worker.Venues.Inventory;

/// <summary>Watches what HLP's component vaults hold: a position that is handed to them shows here before its loss is booked.</summary>
internal sealed partial class InventoryMonitor(
    HyperliquidClient venue, VaultTree tree, InventoryHistory history, KnownComponents components, HlpVaultOptions vault,
    InventoryOptions options, TimeProvider clock, ILogger<InventoryMonitor> logger) : IMonitor
{
    /// <summary>The name in the ledger.</summary>
    public const string MonitorName = "inventory";

    // The part that stands for the vault's list of components.
    private const string Frame = "the list of components";

    // A read ends before the check's own deadline, so that one component that hangs does not take the others' rows with it.
    private const double ReadShare = 0.6;

    // What the check calls the markets' volumes and open interest, without which half of the rule is blind.
    private const string MarketsPart = "markets";

    private readonly PartialSourceHealth _parts = new();
    private readonly HashSet<string> _gone = [];

    private const decimal MostPercent = 1_000_000;

    /// <inheritdoc/>
    public async Task<CheckReport> CheckAsync(CheckContext context)
    {
        var (scheduledAt, cancellationToken) = (context.ScheduledAt, context.Cancellation);
        var known = tree.FindKnown(scheduledAt) ?? await tree.GetFrameAsync(scheduledAt, cancellationToken);
        await history.LoadAsync(known.Components, scheduledAt, cancellationToken);
        components.Remember(history.Components, scheduledAt);
        var watched = components.Add(known.Components, scheduledAt);

        var (interval, most) = (context.Schedule.Interval, ReadShare * context.Schedule.Deadline);
        using var deadline = new CancellationTokenSource(most, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        var refreshing = tree.GetFrameAsync(scheduledAt, either.Token);
        var asking = tree.ReadMarketsAsync(scheduledAt, either.Token);
        var reads = await Task.WhenAll(watched.Select(component => ReadAsync(component, most, either.Token)));
        var (frame, markets) = (await refreshing, await asking);
        reads = Array.ConvertAll(reads, read => read.Against(markets.Markets));
        cancellationToken.ThrowIfCancellationRequested();

        if (Array.TrueForAll(reads, read => read.State is null))
            throw new MissingDataException($"none of {reads.Length} component vaults could be read: {reads[0].Error}");
        foreach (var read in reads.Where(read => read.State is null))
            LogUnread(read.Component, read.Error!);
        var gone = history.Components.Except(reads.Select(read => read.Component)).ToList();
        foreach (var component in gone.Where(_gone.Add))
            LogGone(component);

        var steps = new List<InventoryStep>();
        foreach (var read in reads.Where(read => read.State is not null))
        {
            var positions = read.State!.AssetPositions.Select(held => held.Position).Where(position => position.Szi != 0)
                .Select(position => Map(read.Component, position, frame.Equity, markets.Markets, scheduledAt)).ToList();
            steps.AddRange(positions.Select(position =>
                new InventoryStep(position, history.FindShare(read.Component, position.Coin, scheduledAt, interval))
                {
                    DayVolumeUsd = FindVolume(markets.Markets, position.Coin),
                    Past = history.FindPast(read.Component, position.Coin, scheduledAt),
                }));
            if (read.Error is null) // what is not known must not pass for what was not held
                history.Set(read.Component, scheduledAt, interval, positions);
        }

        var blind = _parts.Judge(context.Schedule,
            [.. reads.Select(read => new SourceReading(read.Component, read.Error)), new SourceReading(Frame, frame.Unreadable),
                new SourceReading(MarketsPart, markets.Error)],
            scheduledAt);
        IReadOnlyList<EventSubject> unread = [.. reads.SelectMany(FindUnseen), .. gone.Select(EveryPositionOf)];
        return new CheckReport([.. steps.Select(step => step.Position)],
            [.. InventoryRules.Evaluate(steps, frame.Equity, options.Thresholds),
                .. TakeoverRules.Evaluate(steps, frame.Equity, options.Takeover), .. blind.Findings],
            [.. InventoryRules.Unjudged(unread, steps, options.Thresholds), .. TakeoverRules.Unjudged(unread, steps, options.Takeover),
                .. blind.Unjudged, .. frame.IsInDoubt ? InventoryRules.UnjudgedOfAll : []])
        {
            Measured = InventoryRules.Measure(steps, reads.Where(read => read.Error is null).Select(read => read.Component)),
        };
    }

    // The positions that a read says nothing of: all, or those that it could not read.
    private static IEnumerable<EventSubject> FindUnseen(AccountRead read) =>
        read.State is null || read.Unknown.Any(part => part.IsNameless) ? [EveryPositionOf(read.Component)]
            : read.Unknown.Select(part => InventoryRules.SubjectOf(read.Component, part.Name));

    private static EventSubject EveryPositionOf(string component) => InventoryRules.SubjectOf(component, "*");

    private async Task<AccountRead> ReadAsync(string component, TimeSpan deadline, CancellationToken cancellationToken)
    {
        try
        {
            return new AccountRead(component, await venue.GetClearinghouseStateAsync(component, cancellationToken), null);
        }
        catch (Exception fault) when (fault is SourceUnavailableException or MissingDataException)
        {
            return new AccountRead(component, null, fault.Message);
        }
        catch (OperationCanceledException fault)
        {
            return new AccountRead(component, null, fault.Reason(deadline));
        }
    }

    // A volume of zero is none: in a market that is open something is traded within a day.
    private static decimal? FindVolume(Markets? markets, string coin) =>
        markets?.ByCoin.GetValueOrDefault(coin)?.DayNtlVlm is > 0 and var volume ? volume : null;

    private HlpVaultPosition Map(string component, Position position, decimal equity, Markets? markets, DateTimeOffset at)
    {
        var (size, notional) = (Math.Abs(position.Szi), Math.Abs(position.PositionValue));
        var openInterest = markets?.ByCoin.GetValueOrDefault(position.Coin)?.OpenInterest;
        return new HlpVaultPosition(component, vault.VaultAddress, position.Coin, at, position.Szi, notional, position.UnrealizedPnl,
            FindPercent(notional, equity), FindPercent(size, openInterest));
    }

    // Null without a base, and for an open position that is worth nothing, which is no share of nothing but a figure that cannot be.
    private static decimal? FindPercent(decimal part, decimal? whole) =>
        part == 0 || whole is not > 0 ? null
        : part / MostPercent >= whole / 100 ? MostPercent
        : decimal.Round(100 * (part / whole.Value), 4);

    [LoggerMessage(LogLevel.Warning,
        "component {Component} is not in the vault's list any more; what it held is not known, and its events stay open until "
        + "an operator resolves them")]
    private partial void LogGone(string component);

    [LoggerMessage(LogLevel.Warning, "component {Component} could not be read, its positions are not judged: {Error}")]
    private partial void LogUnread(string component, string error);

    /// <summary>What a check read of one component: nothing, or its state with what of it is not known.</summary>
    private sealed record AccountRead(string Component, ClearinghouseState? State, string? Error)
    {
        public IReadOnlyList<UnreadablePart> Unknown { get; private init; } = [];

        public AccountRead Against(Markets? markets) => State?.FindUnknown(markets) is { Count: > 0 } unknown
            ? this with { Unknown = unknown, Error = UnreadablePart.Describe(unknown) } : this;
    }
}
