using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Venues.Hyperliquid;

/// <summary>Answer of <c>vaultDetails</c>, as far as we use it. <see cref="IsClosed"/> is null where the venue leaves it out.</summary>
internal sealed record VaultDetails
{
    public required string VaultAddress { get; init; }
    public required Portfolio Portfolio { get; init; }
    public VaultRelationship? Relationship { get; init; }
    public bool? IsClosed { get; init; }

    /// <summary>The vaults of which this one consists, in lower case; none of one that says it is no parent.</summary>
    /// <exception cref="MissingDataException">The answer does not say: a list that is not there is no empty list.</exception>
    public IReadOnlyList<string> ReadComponents() => Relationship switch
    {
        { Type: "normal" or "child" } => [],
        { Type: "parent", Data.ChildAddresses: { Count: > 0 } children } when children.All(child => !string.IsNullOrEmpty(child)) =>
            [.. children.Select(child => child!.ToLowerInvariant()).Distinct()],
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
    public IReadOnlyList<string?>? ChildAddresses { get; init; }
}

/// <summary>
/// Answer of <c>portfolio</c>, and part of <c>vaultDetails</c>: one series per period. In every period the last point is live and the
/// others are fixed samples at irregular distances; PnL counts from the first point of its period.
/// </summary>
internal sealed record Portfolio(PortfolioSeries Day, PortfolioSeries Week, PortfolioSeries Month, PortfolioSeries AllTime)
{
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
internal sealed record ClearinghouseState
{
    public required MarginSummary MarginSummary { get; init; }
    public required IReadOnlyList<AssetPosition> AssetPositions { get; init; }
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
    public required string Coin { get; init; }
    public required decimal Szi { get; init; }
    public required decimal PositionValue { get; init; }
    public required decimal UnrealizedPnl { get; init; }
}

/// <summary>Answer of <c>metaAndAssetCtxs</c>: the markets that are not delisted, by name.</summary>
internal sealed record Markets(IReadOnlyDictionary<string, AssetContext> ByCoin);

/// <summary>
/// What a perpetual is at: prices in USD of the venue's quote, open interest one-sided in base units. The
/// oracle price is not the mid.
/// </summary>
internal sealed record AssetContext
{
    public required decimal OraclePx { get; init; }
    public required decimal MarkPx { get; init; }
    public decimal? MidPx { get; init; }
    public required decimal OpenInterest { get; init; }
    public required decimal DayNtlVlm { get; init; }
}
