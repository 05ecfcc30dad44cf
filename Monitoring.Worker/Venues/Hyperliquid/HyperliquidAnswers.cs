using System.Text.Json.Serialization;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Venues.Hyperliquid;

/// <summary>Answer of <c>vaultDetails</c>, as far as we use it. <see cref="IsClosed"/> is null where the venue leaves it out.</summary>
internal sealed record VaultDetails : IPartlyReadable
{
    public required string VaultAddress { get; init; }
    public required Portfolio Portfolio { get; init; }
    public VaultRelationship? Relationship { get; init; }
    public bool? IsClosed { get; init; }

    /// <inheritdoc/>
    public IReadOnlyList<UnreadablePart> Unreadable => [.. Portfolio.Unreadable, .. Relationship?.Data?.ChildAddresses?.Unreadable ?? []];

    /// <inheritdoc/>
    public bool IsAllUnreadable => false; // its live points are there

    /// <summary>Refuses figures of another time: the last point is live, an old one means a frozen answer, one to come no answer.</summary>
    /// <exception cref="MissingDataException">They are not of this time.</exception>
    public void RefuseUnlessOf(DateTimeOffset now, TimeSpan tolerance)
    {
        if ((now - Portfolio.At).Duration() > tolerance)
            throw new MissingDataException($"hyperliquid vaultDetails: the newest point is of {Portfolio.At:yyyy-MM-dd HH:mm:ss}Z, "
                + (Portfolio.At < now ? "the venue serves old data" : "which is yet to come"));
    }

    /// <summary>
    /// The vaults of which this one consists, in lower case; none of one that says it is no parent. Of a list with an unreadable part not
    /// all are known.
    /// </summary>
    /// <exception cref="MissingDataException">The answer does not say: a list that is not there is no empty list.</exception>
    public ReadableList<string> ReadComponents() => Relationship switch
    {
        { Type: "normal" or "child" } => new ReadableList<string>([], []),
        { Type: "parent", Data.ChildAddresses: { Count: > 0 } children } => children,
        null => throw new MissingDataException(
            "hyperliquid vaultDetails: the answer has no relationship, so the vault's components are not known"),
        _ => throw new MissingDataException($"hyperliquid vaultDetails: the relationship '{Relationship.Type}' names no components"),
    };
}

internal sealed record VaultRelationship
{
    public required string Type { get; init; }
    public VaultRelationshipData? Data { get; init; }
}

internal sealed record VaultRelationshipData
{
    public ReadableList<string>? ChildAddresses { get; init; }
}

/// <summary>
/// Answer of <c>portfolio</c>, and part of <c>vaultDetails</c>: one series per period. In every period the last point is live and the
/// others are fixed samples at irregular distances; PnL counts from the first point of its period.
/// </summary>
internal sealed record Portfolio(PortfolioSeries Day, PortfolioSeries Week, PortfolioSeries Month, PortfolioSeries AllTime)
{
    /// <summary>The points that were left out: without them a fall may look smaller than it is.</summary>
    public IReadOnlyList<UnreadablePart> Unreadable { get; init; } = [];

    /// <summary>When the venue gave these figures.</summary>
    public DateTimeOffset At => AllTime.Last.At;
}

/// <summary>A period's points, oldest first; never empty.</summary>
internal sealed record PortfolioSeries(IReadOnlyList<PortfolioPoint> Points)
{
    public PortfolioPoint First => Points[0];
    public PortfolioPoint Last => Points[^1];
}

/// <summary>Account value and the PnL since the period's first point, USD. Flows move the first and not the second.</summary>
internal sealed record PortfolioPoint(DateTimeOffset At, decimal AccountValue, decimal Pnl);

/// <summary>Answer of <c>clearinghouseState</c>: an account's perpetual positions. The account value may be negative.</summary>
internal sealed record ClearinghouseState : IPartlyReadable
{
    private const decimal ToleranceUsd = 1;

    private readonly ReadableList<AssetPosition> _positions = new([], []);

    public required MarginSummary MarginSummary { get; init; }

    public required ReadableList<AssetPosition> AssetPositions
    {
        get => _positions;
        init => _positions = value.WithoutTwins(held => held.Position.Coin);
    }

    /// <inheritdoc/>
    public IReadOnlyList<UnreadablePart> Unreadable => AssetPositions.Unreadable.Count > 0 ? AssetPositions.Unreadable
        : FindGap() is { } gap ? [new UnreadablePart("the sum", gap) { IsNameless = true }] : [];

    /// <inheritdoc/>
    public bool IsAllUnreadable => false; // the account's own figures are there

    /// <summary>
    /// What of it is not known, in an answer of its own and against the venue's markets: a position of a coin that is none there has lost
    /// the name of another.
    /// </summary>
    public IReadOnlyList<UnreadablePart> FindUnknown(Markets? markets) => markets is null ? Unreadable :
    [
        .. Unreadable,
        .. AssetPositions.Select(held => held.Position.Coin).Where(coin => !markets.Knows(coin))
            .Select(coin => new UnreadablePart(coin, "the venue has no market of that name") { IsNameless = true }),
    ];

    // The account says what its positions are worth together: one that is missing in the list is no position that was closed.
    private string? FindGap() => AssetPositions.Sum(held => held.Position.PositionValue) is var sum
        && Math.Abs(sum - MarginSummary.TotalNtlPos) > ToleranceUsd
            ? $"the positions are worth {sum:0.00} USD together, the account says {MarginSummary.TotalNtlPos:0.00}" : null;
}

internal sealed record MarginSummary
{
    public required decimal AccountValue { get; init; }
    public required decimal TotalNtlPos { get; init; }
}

internal sealed record AssetPosition
{
    public required Position Position { get; init; }
}

/// <summary>One open position; <see cref="Szi"/> is signed and in base units, the rest in USD.</summary>
internal sealed record Position
{
    [JsonConverter(typeof(OutsideNameConverter))]
    public required string Coin { get; init; }

    public required decimal Szi { get; init; }
    public required decimal PositionValue { get; init; }
    public required decimal UnrealizedPnl { get; init; }

    /// <summary>What cannot be: an open position is worth something, and what is worth something is open.</summary>
    public string? FindFault() => Szi == 0 == (PositionValue == 0) && PositionValue >= 0 ? null
        : $"a size of {Szi} that is worth {PositionValue} USD";
}

/// <summary>Answer of <c>metaAndAssetCtxs</c>: the markets that are not delisted and can be read, by name.</summary>
internal sealed record Markets(IReadOnlyDictionary<string, AssetContext> ByCoin) : IPartlyReadable
{
    /// <summary>The names of markets that are over.</summary>
    public IReadOnlySet<string> Delisted { get; init; } = new HashSet<string>();

    /// <inheritdoc/>
    public IReadOnlyList<UnreadablePart> Unreadable { get; init; } = [];

    /// <inheritdoc/>
    public bool IsAllUnreadable => ByCoin.Count == 0 && Unreadable.Count > 0;

    /// <summary>Whether there is a market of this name, be it over or unreadable; while one has lost its name, it may be any.</summary>
    public bool Knows(string coin) => ByCoin.ContainsKey(coin) || Delisted.Contains(coin)
        || Unreadable.Any(part => part.IsNameless || part.Name == coin);
}

/// <summary>
/// What a perpetual is at: prices in USD of the venue's quote, open interest one-sided in base units. The
/// oracle price is not the mid. A price of 0 or below is read as it is: it is for the rules to judge.
/// </summary>
internal sealed record AssetContext
{
    private const decimal HighestPrice = 1_000_000_000_000;

    public required decimal OraclePx { get; init; }
    public required decimal MarkPx { get; init; }
    public decimal? MidPx { get; init; }
    public required decimal OpenInterest { get; init; }
    public required decimal DayNtlVlm { get; init; }

    /// <summary>What cannot be.</summary>
    public string? FindFault() =>
        Math.Abs(OraclePx) > HighestPrice ? $"an oracle price of {OraclePx}"
        : Math.Abs(MarkPx) > HighestPrice ? $"a mark price of {MarkPx}"
        : OpenInterest < 0 ? $"an open interest of {OpenInterest}"
        : DayNtlVlm < 0 ? $"a volume of {DayNtlVlm}"
        : null;
}
