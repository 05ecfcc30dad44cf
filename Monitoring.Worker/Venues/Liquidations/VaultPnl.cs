using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.HlpVault;
using Monitoring.Worker.Venues.Hyperliquid;

namespace Monitoring.Worker.Venues.Liquidations;

/// <summary>What the HLP vault gained or, below zero, lost between two moments, USD.</summary>
internal sealed record VaultGain(decimal Usd, DateTimeOffset From, DateTimeOffset To);

/// <summary>
/// The HLP vault's all-time PnL of the last hours, to tell what it gains or loses while others are liquidated: what this monitor saw, and
/// before that what is stored of the monitor <c>hlp-vault</c>, and the venue's own series where neither was.
/// </summary>
internal sealed partial class VaultPnl(
    HyperliquidClient venue, HlpVaultOptions vault, HlpVaultSnapshots? table, PastReads reads, TimeProvider clock,
    ILogger<VaultPnl> logger)
{
    // A figure from longer before says what else happened as well, and so does one from longer after.
    private static readonly TimeSpan LongestBefore = TimeSpan.FromHours(1);
    private static readonly TimeSpan LongestAfter = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Horizon = LiquidationHistory.Horizon + LongestBefore;

    // No vault has more, and sums of more may overflow.
    private const decimal MostUsd = 1_000_000_000_000_000;

    // So long a figure is the newest: the venue's weight is for the fills.
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(20);

    private readonly SortedList<DateTimeOffset, decimal> _points = [];
    private readonly HistoryLoader _stored = new(table, reads);

    /// <summary>Reads what is stored, once; while the database is away it is tried again at the next check.</summary>
    public Task LoadAsync(DateTimeOffset now, CancellationToken cancellationToken) => _stored.LoadAsync(async token =>
    {
        var points = await table!.ListMinutePointsAsync(vault.VaultAddress, now - Horizon, token);
        return () =>
        {
            foreach (var point in points)
                _points.TryAdd(point.At, point.AllTimePnl);
        };
    }, LogNotLoaded, cancellationToken);

    /// <summary>
    /// Takes in what the venue says of the vault: its live point and, for what nobody saw, the points of its last day. Those count from
    /// the day's first point; both series end at the same live point.
    /// </summary>
    public void Add(Portfolio portfolio)
    {
        var (last, day) = (portfolio.AllTime.Last, portfolio.Day);
        if (!IsPlausible(last) || !IsPlausible(day.Last))
            return;
        _points.TryAdd(last.At, last.Pnl);
        foreach (var point in day.Points.Where(point => point.At >= last.At - Horizon && point.At < last.At && IsPlausible(point)))
            _points.TryAdd(point.At, last.Pnl - (day.Last.Pnl - point.Pnl));
        while (_points.GetKeyAtIndex(0) < last.At - Horizon)
            _points.RemoveAt(0);
    }

    private static bool IsPlausible(PortfolioPoint point) => Math.Abs(point.Pnl) <= MostUsd;

    /// <summary>
    /// Asks for the newest figure, unless that was done lately. Takes no longer than <paramref name="most"/>, and never throws for a
    /// fault of the venue.
    /// </summary>
    public async Task AskAsync(TimeSpan most, CancellationToken cancellationToken)
    {
        if ((_points.Count > 0 && clock.GetUtcNow() - _points.GetKeyAtIndex(_points.Count - 1) < Fresh) || most <= TimeSpan.Zero)
            return;
        using var deadline = new CancellationTokenSource(most, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            Add((await venue.GetVaultDetailsAsync(vault.VaultAddress, either.Token)).Portfolio);
        }
        catch (Exception fault) when (fault is SourceUnavailableException or MissingDataException
            || (fault is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            LogNotRead(fault.Reason(most));
        }
    }

    /// <summary>
    /// What the vault gained or lost since before <paramref name="start"/>, by what is known until soon after <paramref name="end"/>;
    /// null when it is not known what it had before, or since.
    /// </summary>
    public VaultGain? FindGain(DateTimeOffset start, DateTimeOffset end)
    {
        var before = _points.LastOrDefault(point => point.Key <= start && point.Key >= start - LongestBefore);
        var since = _points.LastOrDefault(point => point.Key > start && point.Key <= end + LongestAfter);
        return before.Key == default || since.Key == default ? null : new VaultGain(since.Value - before.Value, before.Key, since.Key);
    }

    [LoggerMessage(LogLevel.Warning, "the vault's stored PnL cannot be read yet, what it gains or loses is known from now on: {Error}")]
    private partial void LogNotLoaded(string error);

    [LoggerMessage(LogLevel.Warning, "the vault's PnL cannot be read, what it gains or loses is said as far as it is known: {Error}")]
    private partial void LogNotRead(string error);
}
