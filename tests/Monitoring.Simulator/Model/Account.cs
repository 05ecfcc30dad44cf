namespace Monitoring.Simulator.Model;

/// <summary>A vault of the venue; times are seconds since the scenario's start, negative before it.</summary>
internal abstract class Account(string address, string name, string leader, decimal createdAt)
{
    private const decimal DetailFrom = -Noise.HistoryDays * 86_400m;

    public string Address { get; } = address;

    public string Name { get; } = name;

    public string Leader { get; } = leader;

    /// <summary>When the vault was created, in seconds since the scenario's start.</summary>
    public decimal CreatedAt { get; } = createdAt;

    /// <summary>Everything the vault is worth.</summary>
    public abstract decimal AccountValueAt(decimal time);

    /// <summary>All the vault ever made, flows left out.</summary>
    public abstract decimal PnlAt(decimal time);

    /// <summary>What the vault's own perp account is worth; a parent's holds only its idle cash.</summary>
    public abstract decimal PerpEquityAt(decimal time);

    /// <summary>Deposits less withdrawals since second 0.</summary>
    public abstract decimal FlowsAt(decimal time);

    public abstract IReadOnlyList<Position> PositionsAt(decimal time);

    /// <summary>A series over the whole life: a coarse line up from 0 at the creation, then the detailed history.</summary>
    protected decimal OverLife(decimal time, Func<decimal, decimal> detailed) =>
        time >= DetailFrom ? detailed(time)
        : time <= CreatedAt ? 0
        : decimal.Round(detailed(DetailFrom) * (time - CreatedAt) / (DetailFrom - CreatedAt), 6);
}
