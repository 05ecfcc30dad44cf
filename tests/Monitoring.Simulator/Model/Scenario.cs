namespace Monitoring.Simulator.Model;

/// <summary>What happens at the venue: a calm base, timed moves, and the events a monitor should raise.</summary>
internal sealed record Scenario(
    string Name,
    string Description,
    long Seed,
    int DurationSeconds,
    VaultSetup Vault,
    IReadOnlyList<ComponentSetup> Components,
    IReadOnlyDictionary<string, decimal> Prices,
    IReadOnlyList<Move>? Moves = null,
    IReadOnlyList<ExpectedEvent>? Expected = null,
    Severity UnexpectedFrom = Severity.Critical,
    IReadOnlyDictionary<string, MarketSetup>? Markets = null)
{
    public IReadOnlyDictionary<string, MarketSetup> Markets { get; init; } = Markets ?? new Dictionary<string, MarketSetup>();

    public IReadOnlyList<Move> Moves { get; init; } = Moves ?? [];

    public IReadOnlyList<ExpectedEvent> Expected { get; init; } = Expected ?? [];

    /// <summary>The moves in the order they happen; those of one moment keep the order of the file.</summary>
    public IEnumerable<Move> Timeline() => Moves.OrderBy(move => move.At);

    /// <summary>The component of that name or address, if there is one.</summary>
    public ComponentSetup? FindComponent(string nameOrAddress) => Components.FirstOrDefault(component =>
        string.Equals(component.Name, nameOrAddress, StringComparison.OrdinalIgnoreCase)
        || string.Equals(component.Address, nameOrAddress, StringComparison.OrdinalIgnoreCase));
}

/// <summary>The parent vault at second 0; what its components do not hold is its idle cash.</summary>
internal sealed record VaultSetup(
    string Address, string Name, string Leader, decimal AccountValue, decimal AllTimePnl, int CreatedDaysAgo, decimal HourlyNoiseUsd);

/// <summary>A child vault at second 0.</summary>
internal sealed record ComponentSetup(
    string Address, string Name, decimal AccountValue, IReadOnlyList<PositionSetup>? Positions = null)
{
    public IReadOnlyList<PositionSetup> Positions { get; init; } = Positions ?? [];
}

/// <summary>A position held at second 0; a negative size is a short.</summary>
internal sealed record PositionSetup(string Coin, decimal Size, decimal EntryPrice);

/// <summary>How large a coin's market is at all times, where it is not as all others are; 0 is what the venue says of a dead one.</summary>
internal sealed record MarketSetup(decimal? DayVolumeUsd = null, decimal? OpenInterestUsd = null);

/// <summary>One change at a moment or, with <see cref="Over"/>, evenly over some seconds; exactly one kind is given.</summary>
internal sealed record Move(
    decimal At,
    decimal Over = 0,
    PriceMove? Price = null,
    PositionMove? Position = null,
    ReduceMove? Reduce = null,
    PnlMove? PnlUsd = null,
    FlowMove? FlowUsd = null,
    FaultMove? Fault = null,
    OracleMove? Oracle = null,
    UsdtMove? Usdt = null,
    NoiseMove? Noise = null,
    LiquidationMove? Liquidations = null,
    string? Note = null);

/// <summary>The market price of a coin goes to a level.</summary>
internal sealed record PriceMove(string Coin, decimal To);

/// <summary>A position passes to a component at the market's price.</summary>
internal sealed record PositionMove(string Component, string Coin, decimal Size, decimal Price);

/// <summary>A component works a position off towards zero at the market's price.</summary>
internal sealed record ReduceMove(string Component, string Coin, decimal ToSize);

/// <summary>Profit or loss from market making, shared by the components as the noise is.</summary>
internal sealed record PnlMove(decimal Amount);

/// <summary>A deposit, or with a negative amount a withdrawal; without a component it is the parent's cash that moves.</summary>
internal sealed record FlowMove(decimal Amount, string? Component = null);

/// <summary>The venue answers with a fault for some seconds, to every request or to those of one type.</summary>
internal sealed record FaultMove(string Kind, decimal Seconds, string? Type = null);
/// <summary>The venue's oracle price of a coin goes apart from the market, to so many times its price.</summary>
internal sealed record OracleMove(string Coin, decimal Factor);

/// <summary>What a USDT is worth in USD goes to a level.</summary>
internal sealed record UsdtMove(decimal To);

/// <summary>A thin coin: its oracle price is off by nine tenths of so many percent to all of it, at all times.</summary>
internal sealed record NoiseMove(string Coin, decimal Pct);
/// <summary>
/// So many liquidations in a coin, each of so many dollars in so many fills, spread over the move. A market liquidation
/// meets the component as maker, a backstop one passes to it; in a deleveraging the component is the one whose position
/// goes. The positions of the component itself are not moved by this. Accounts funded together got their first money
/// from one account within minutes, the day before; the others came from outside the venue.
/// </summary>
internal sealed record LiquidationMove(
    string Coin, int Count, decimal UsdEach, LiquidationKind Method, LiquidatedSide Side, string Component,
    int? Users = null, int Fills = 1, bool FundedTogether = false);

/// <summary>An event that a monitor should raise; one that is not required is welcome but its absence is no failure.</summary>
internal sealed record ExpectedEvent(
    string Rule, Severity Severity, decimal CauseAt, int WithinSeconds, string? Note = null, bool Required = true);
