namespace Monitoring.Simulator.Model;

/// <summary>A child vault: its positions at market prices, its share of the market making, and its flows.</summary>
internal sealed class ComponentAccount : Account
{
    private readonly decimal _initialValue;
    private readonly decimal _initialPnl;
    private readonly decimal _share;
    private readonly Noise _noise;
    private readonly Ramp[] _marketMaking;
    private readonly Ramp[] _flows;
    private readonly PositionBook[] _positions;

    public ComponentAccount(
        Scenario scenario, ComponentSetup setup, decimal createdAt, decimal share, Noise noise, PriceBook prices, SizeBook sizes)
        : base(setup.Address, setup.Name, scenario.Vault.Address, createdAt)
    {
        _initialValue = setup.AccountValue;
        _initialPnl = scenario.Vault.AllTimePnl * share;
        _share = share;
        _noise = noise;
        _marketMaking =
            [.. scenario.Moves.Where(move => move.PnlUsd is not null).Select(move => new Ramp(move.At, move.Over, move.PnlUsd!.Amount))];
        _flows = [.. scenario.Moves
            .Where(move => move.FlowUsd?.Component is { } name && scenario.FindComponent(name) == setup)
            .Select(move => new Ramp(move.At, move.Over, move.FlowUsd!.Amount))];
        _positions = [.. sizes.CoinsOf(setup.Name).Select(coin => new PositionBook(coin, sizes.Of(setup.Name, coin), prices[coin],
            setup.Positions.FirstOrDefault(position => position.Coin == coin)?.EntryPrice ?? 0))];
    }

    public override decimal AccountValueAt(decimal time) =>
        OverLife(time, moment => _initialValue + MadSinceStart(moment) + FlowsAt(moment));

    public override decimal PnlAt(decimal time) => OverLife(time, moment => _initialPnl + MadSinceStart(moment));

    public override decimal PerpEquityAt(decimal time) => AccountValueAt(time);

    public override decimal FlowsAt(decimal time) => _flows.Sum(flow => flow.PaidBy(time));

    public override IReadOnlyList<Position> PositionsAt(decimal time) =>
        [.. _positions.Select(book => book.At(time)).Where(position => position.Size != 0)];

    private decimal MadSinceStart(decimal time) =>
        (_share * (_noise.At(time) + _marketMaking.Sum(ramp => ramp.ArrivedBy(time))))
        + _positions.Sum(book => book.At(time).PnlSinceStart);
}
