namespace Monitoring.Benchmarks.Faults;

/// <summary>
/// What is held still: the worker itself, a table of its database, or the whole server; or, while the server is away, what is broken: the
/// journal.
/// </summary>
internal enum PauseKind { Worker, Table, Server, Journal }

/// <summary>
/// One pause of a worker's run: from a second of its scenario on, for so long. Two seconds later the oracle price of a coin is wrong until
/// the pause ends, unless it is the worker that is held.
/// </summary>
internal sealed record Pause(PauseKind Kind, string What, TimeSpan For, double At, string Coin)
{
    /// <summary>The second of the scenario from which on the price is wrong.</summary>
    public double AttackedAt => At + 2;

    /// <summary>The second of the scenario in which it ends.</summary>
    public double EndsAt => At + For.TotalSeconds;
}

/// <summary>
/// How many freezes of the worker, of 5 s up to <paramref name="LongestFreeze"/>, and how many locks of <paramref name="Lock"/> each: every
/// table in turn, and the server frozen before them; so many broken journals, in each <see cref="JournalWay"/> in turn; by so many
/// workers side by side.
/// </summary>
internal sealed record PauseOptions(int Freezes, int Locks, TimeSpan LongestFreeze, TimeSpan Lock, int Workers)
{
    /// <summary>How often a journal is broken.</summary>
    public int Journals { get; init; }

    /// <summary>The workers start meanwhile.</summary>
    public TimeSpan WarmUp => TimeSpan.FromSeconds(12 + (6 * Workers));

    /// <summary>After each pause: everything is back, and the event is resolved.</summary>
    public static readonly TimeSpan Rest = TimeSpan.FromSeconds(20);

    /// <summary>So long the server is frozen.</summary>
    public TimeSpan Frozen => TimeSpan.FromSeconds(Math.Min(45, Lock.TotalSeconds));

    // The tables that the way of a critical finding leads through come first, for a run that does not come to all.
    private static readonly string[] First = ["check_runs", "silences", "notifications", "security_events", "notification_channels"];

    private static readonly string[] Coins = ["BTC", "ETH", "SOL", "XRP", "DOGE", "AVAX", "LINK"];

    private static readonly TimeSpan ShortestFreeze = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan JournalTakes = TimeSpan.FromSeconds(30); // with eight workers; the next one waits until it is over

    /// <summary>The pauses of each worker, in order.</summary>
    public IReadOnlyList<IReadOnlyList<Pause>> Plan(IEnumerable<string> tables)
    {
        var targets = First.Concat(tables.Except(First).Order(StringComparer.Ordinal)).Prepend("").ToList();
        var locks = Enumerable.Range(0, Locks).Select(i => targets[i % targets.Count]).Select(table => table.Length == 0
            ? (PauseKind.Server, "the server", Frozen) : (PauseKind.Table, table, Lock));
        var freezes = Enumerable.Range(0, Freezes).Select(i => ShortestFreeze
            + (Freezes > 1 ? (LongestFreeze - ShortestFreeze) * i / (Freezes - 1) : TimeSpan.Zero))
            .Select(time => (Kind: PauseKind.Worker, What: "the worker", For: time));
        var ways = Enum.GetNames<JournalWay>();
        var journals = Enumerable.Range(0, Journals).Select(i => (Kind: PauseKind.Journal, What: ways[i % ways.Length], For: JournalTakes));
        var plan = Enumerable.Range(0, Workers).Select(_ => new List<Pause>()).ToList();
        foreach (var (kind, what, time) in locks.Concat(freezes.OrderByDescending(freeze => freeze.For)).Concat(journals))
        {
            var least = plan.MinBy(worker => worker.Count == 0 ? 0 : worker[^1].EndsAt)!;
            var at = least.Count == 0 ? WarmUp.TotalSeconds : least[^1].EndsAt + (kind == PauseKind.Journal ? 0 : Rest.TotalSeconds);
            least.Add(new Pause(kind, what, time, at, Coins[least.Count % Coins.Length]));
        }

        return [.. plan.Where(worker => worker.Count > 0)];
    }
}
