using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.Hyperliquid;
using Monitoring.Worker.Watching;

namespace Monitoring.Worker.Venues.Liquidations;

/// <summary>
/// What one check read. <paramref name="Fills"/>: those that no earlier check read of the same account.
/// <paramref name="Waiting"/>: the accounts asked for that are not read to their end, and from when.
/// <paramref name="IsComplete"/>: every account was read to its end lately.
/// </summary>
internal sealed record Reading(
    IReadOnlyList<LiquidationFill> Fills, IReadOnlyList<LiquidationSource> Sources, IReadOnlyList<SourceReading> Accounts,
    IReadOnlyList<AccountGap> Gaps,
    IReadOnlyDictionary<string, DateTimeOffset?> Waiting, bool IsComplete);

/// <summary>
/// Reads the fills of many accounts, each from where it was read to. The venue's weight limit may not let all be read
/// in one check: a page of each in turn, those first that have waited longest.
/// </summary>
internal sealed partial class AccountReader(
    HyperliquidClient venue, LiquidationHistory history, LiquidationOptions options, TimeProvider clock, ILogger<AccountReader> logger)
{
    // More than one full page an account only up to so many in all: the venue's weight is for the other monitors too,
    // and the next check goes on.
    private const int MostFullPages = 6;

    // How far back an account is read that was never read before.
    private static readonly TimeSpan FirstLook = TimeSpan.FromHours(1);
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(10);

    private readonly Dictionary<string, Account> _accounts = [];

    /// <summary>The earliest moment from which an account still has to be read; null when none is behind.</summary>
    public DateTimeOffset? CatchesUpFrom => _accounts.Values.Min(account => account.WaitsFrom);

    /// <summary>Reads until <paramref name="most"/> has passed, and keeps what it has by then.</summary>
    /// <exception cref="SourceUnavailableException">No account could be read.</exception>
    public async Task<Reading> ReadAsync(
        IReadOnlyList<FillOwner> owners, DateTimeOffset scheduledAt, TimeSpan most, CancellationToken cancellationToken)
    {
        var turns = owners.Select(owner => new Turn(owner, AccountOf(owner.Address), history.FindSource(owner.Address)))
            .OrderBy(turn => turn.Account.TriedAt).ThenBy(turn => turn.Account.HasFailed)
            .ThenBy(turn => turn.Account.WaitsFrom is not null).ToList();
        var fault = await ReadInTurnAsync(turns, scheduledAt, most, cancellationToken);
        if (!turns.Exists(turn => turn.IsRead))
            throw new SourceUnavailableException($"the fills of none of {owners.Count} accounts could be read; the last: "
                + $"{turns.FindLast(turn => turn.Error is not null)?.Error ?? NotReached(most)}", fault);

        foreach (var turn in turns.Where(turn => turn.IsBehind))
            LogBehind(turn.Owner.Address, turn.Source!.ReadUntil);
        return new Reading([.. turns.SelectMany(turn => turn.Fills)], [.. turns.Where(turn => turn.IsRead).Select(turn => turn.Source!)],
            [.. turns.Select(turn => new SourceReading(turn.Owner.Address, turn.IsRead ? turn.Missed : turn.Error ?? NotReached(most)))],
            [.. turns.SelectMany(turn => turn.Gaps)],
            turns.Where(turn => !turn.IsReadToEnd).ToDictionary(turn => turn.Owner.Address, turn => turn.WaitsFrom),
            turns.TrueForAll(turn => turn.Missed is null && (turn.IsReadToEnd
                || (!turn.IsTried && (scheduledAt - turn.Account.ReadToEndAt)?.Duration() <= options.Interval))));
    }

    /// <summary>Takes in how far a check that has succeeded has read.</summary>
    public void Keep(DateTimeOffset scheduledAt, Reading reading)
    {
        foreach (var (part, _) in reading.Accounts)
        {
            var account = AccountOf(part);
            if (reading.Waiting.TryGetValue(part, out var from))
                account.WaitsFrom = from;
            else
                (account.WaitsFrom, account.ReadToEndAt) = (null, scheduledAt);
        }
    }

    /// <summary>Forgets accounts that are followed no more.</summary>
    public void Forget(IEnumerable<FillOwner> allOthersThan)
    {
        var followed = allOthersThan.Select(owner => owner.Address).ToHashSet();
        foreach (var address in _accounts.Keys.Where(address => !followed.Contains(address)).ToList())
            _accounts.Remove(address);
    }

    private async Task<Exception?> ReadInTurnAsync(
        List<Turn> turns, DateTimeOffset scheduledAt, TimeSpan most, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(most, clock);
        var (waiting, pages) = (new Queue<Turn>(turns), MostFullPages);
        Exception? lastFault = null;
        while (!deadline.IsCancellationRequested && waiting.TryDequeue(out var turn) && (!turn.IsRead || pages > 0))
        {
            // An account that does not answer must not take the others' time.
            var patience = most / 3;
            using var end = new CancellationTokenSource(patience, clock);
            using var any = CancellationTokenSource.CreateLinkedTokenSource(end.Token, deadline.Token, cancellationToken);
            try
            {
                pages -= await ReadPageAsync(turn, scheduledAt, any.Token);
                if (turn.IsBehind)
                    waiting.Enqueue(turn);
                turn.Account.HasFailed = false;
            }
            catch (Exception fault) when (fault is SourceUnavailableException or MissingDataException
                || (fault is OperationCanceledException && !cancellationToken.IsCancellationRequested && !deadline.IsCancellationRequested))
            {
                turn.Error = fault.Reason(patience);
                (turn.Account.HasFailed, lastFault) = (true, fault);
                LogUnreadable(turn.Owner.Address, turn.Error);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                break; // not reached: it is the first of the next check
            }

            turn.Account.TriedAt = scheduledAt;
        }

        cancellationToken.ThrowIfCancellationRequested();
        return lastFault;
    }

    private async Task<int> ReadPageAsync(Turn turn, DateTimeOffset scheduledAt, CancellationToken cancellationToken)
    {
        var (owner, now) = (turn.Owner, clock.GetUtcNow());
        var source = turn.Source ?? NewSource(owner, scheduledAt);
        var watermark = source.LastFillAt is { } last && last == source.ReadUntil
            ? new Watermark(last, IsFill: true)
            : new Watermark(source.ReadUntil, IsFill: false);
        var read = await FillReading.ReadAsync(
            async (start, end, reversed, token) => (await venue.GetUserFillsByTimeAsync(owner.Address, start, end, reversed, token))
                .Without(fill => FindMisplaced(fill, start, now)),
            watermark, HyperliquidClient.FillsPerPage, mostFullPages: 1, now, cancellationToken);
        foreach (var gap in read.Gaps)
            LogGap(owner.Address, gap.From, gap.Until);
        if (read.Fills.Count == 0 && read.Unreadable.Count > 0)
            throw new MissingDataException($"hyperliquid userFillsByTime: no fill of {owner.Address} can be used, "
                + $"{UnreadablePart.Describe(read.Unreadable)}");
        turn.Source = Advance(source, owner, read, isFirst: turn.Source is null);
        turn.Fills.AddRange(read.Fills.Select(fill => LiquidationMapping.Map(fill, owner)).OfType<LiquidationFill>()
            .Where(fill => !history.WasRead(owner.Address, fill)));
        turn.Gaps.AddRange(read.Gaps.Select(gap => new AccountGap(owner.Address, gap.From, gap.Until)));
        // A fill that was passed over may have been a liquidation: of this account not all is known.
        if (read.Unreadable.Count > 0)
            turn.Gaps.Add(new AccountGap(owner.Address, watermark.At, read.Next.At));
        turn.Missed = UnreadablePart.Describe(read.Unreadable) ?? turn.Missed;
        (turn.IsRead, turn.IsBehind) = (true, read.IsBehind);
        return read.FullPages;
    }

    private static LiquidationSource NewSource(FillOwner owner, DateTimeOffset scheduledAt) =>
        new(owner.Address, owner.IsHlpVault, scheduledAt - FirstLook, scheduledAt - FirstLook, LastFillAt: null,
            Gaps: 0, LastGapFrom: null, LastGapUntil: null);

    // The venue shows no more than its newest ten thousand fills and does not say so: what a first reading brings in
    // full pages is known from its first fill on.
    private static LiquidationSource Advance(LiquidationSource source, FillOwner owner, FillRead read, bool isFirst) => source with
    {
        IsHlpVault = owner.IsHlpVault,
        WatchedSince = isFirst && read.FullPages > 0 ? read.Fills[0].At : source.WatchedSince,
        ReadUntil = read.Next.At,
        LastFillAt = read.Next.IsFill ? read.Next.At : null,
        Gaps = source.Gaps + read.Gaps.Count,
        LastGapFrom = read.Gaps.Count > 0 ? read.Gaps[^1].From : source.LastGapFrom,
        LastGapUntil = read.Gaps.Count > 0 ? read.Gaps[^1].Until : source.LastGapUntil,
    };

    private Account AccountOf(string address)
    {
        if (!_accounts.TryGetValue(address, out var account))
            _accounts.Add(address, account = new Account());
        return account;
    }

    // What was not asked for, or is yet to come, has a wrong time: read on from there, the account would never be read again.
    private static UnreadablePart? FindMisplaced(Fill fill, DateTimeOffset start, DateTimeOffset now) =>
        fill.At.ToUnixTimeMilliseconds() < start.ToUnixTimeMilliseconds() || fill.At > now + ClockTolerance
            ? new UnreadablePart($"{fill.Coin} {fill.Tid}", $"a fill of {fill.At:yyyy-MM-dd HH:mm:ss}Z, "
                + (fill.At > now ? "which is yet to come" : "which is before what was asked for"))
            : null;

    private static string NotReached(TimeSpan most) => $"not read within {most.TotalSeconds:0.#} s; it is the first of the next check";

    /// <summary>What is remembered of an account between checks.</summary>
    private sealed class Account
    {
        public DateTimeOffset TriedAt { get; set; } = DateTimeOffset.MinValue;
        public bool HasFailed { get; set; }
        public DateTimeOffset? ReadToEndAt { get; set; }
        public DateTimeOffset? WaitsFrom { get; set; }
    }

    /// <summary>An account's part of one check.</summary>
    private sealed class Turn(FillOwner owner, Account account, LiquidationSource? source)
    {
        public FillOwner Owner => owner;
        public Account Account => account;
        public LiquidationSource? Source { get; set; } = source;
        public List<LiquidationFill> Fills { get; } = [];
        public List<AccountGap> Gaps { get; } = [];
        public bool IsRead { get; set; }
        public bool IsBehind { get; set; }
        public string? Error { get; set; }
        public string? Missed { get; set; }
        public bool IsTried => IsRead || Error is not null;
        public bool IsReadToEnd => IsRead && !IsBehind && Error is null;

        // One that cannot be read at all is waited for by nobody; one never read begins with its first look.
        public DateTimeOffset? WaitsFrom =>
            IsBehind ? Source!.ReadUntil : IsTried ? Account.WaitsFrom : Account.WaitsFrom ?? Account.ReadToEndAt ?? Source?.ReadUntil;
    }

    [LoggerMessage(LogLevel.Warning, "fills of {Account} cannot be read; nothing is judged as over meanwhile: {Error}")]
    private partial void LogUnreadable(string account, string error);

    [LoggerMessage(LogLevel.Warning, "fills of {Account} between {From:O} and {Until:O} were gone at the venue before they could be read")]
    private partial void LogGap(string account, DateTimeOffset from, DateTimeOffset until);

    [LoggerMessage(LogLevel.Information, "fills of {Account} are read up to {Until:O} so far, the next check goes on")]
    private partial void LogBehind(string account, DateTimeOffset until);
}
