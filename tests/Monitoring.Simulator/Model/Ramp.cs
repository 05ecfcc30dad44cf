namespace Monitoring.Simulator.Model;

/// <summary>An amount that arrives evenly between two moments, or at once.</summary>
internal sealed record Ramp(decimal At, decimal Over, decimal Amount)
{
    public decimal ArrivedBy(decimal time) =>
        time < At ? 0
        : time >= At + Over ? Amount
        : decimal.Round(Amount * (time - At) / Over, 4);

    /// <summary>The same in steps at whole seconds: money moves in payments, and the ledger shows each.</summary>
    public decimal PaidBy(decimal time) => ArrivedBy(decimal.Floor(time));
}
