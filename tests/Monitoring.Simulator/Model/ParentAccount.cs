namespace Monitoring.Simulator.Model;

/// <summary>The parent vault: the sum of its children and its idle cash; it holds no position of its own.</summary>
internal sealed class ParentAccount(Scenario scenario, decimal createdAt, IReadOnlyList<ComponentAccount> children)
    : Account(scenario.Vault.Address, scenario.Vault.Name, scenario.Vault.Leader, createdAt)
{
    private readonly decimal _initialCash = scenario.Vault.AccountValue - scenario.Components.Sum(component => component.AccountValue);

    private readonly Ramp[] _flows = [.. scenario.Moves
        .Where(move => move.FlowUsd is { Component: null })
        .Select(move => new Ramp(move.At, move.Over, move.FlowUsd!.Amount))];

    /// <summary>What lies idle in the parent itself.</summary>
    public decimal CashAt(decimal time) => OverLife(time, moment => _initialCash + _flows.Sum(flow => flow.PaidBy(moment)));

    public override decimal AccountValueAt(decimal time) => CashAt(time) + children.Sum(child => child.AccountValueAt(time));

    public override decimal PnlAt(decimal time) => children.Sum(child => child.PnlAt(time));

    public override decimal PerpEquityAt(decimal time) => CashAt(time);

    public override decimal FlowsAt(decimal time) => _flows.Sum(flow => flow.PaidBy(time)) + children.Sum(child => child.FlowsAt(time));

    public override IReadOnlyList<Position> PositionsAt(decimal time) => [];
}
