namespace Monitoring.Simulator.Model;

/// <summary>A position at one moment; <see cref="PnlSinceStart"/> is what it made since second 0, realised and not.</summary>
internal sealed record Position(string Coin, decimal Size, decimal EntryPrice, decimal Price, decimal PnlSinceStart)
{
    public decimal Value => Math.Abs(Size) * Price;

    public decimal SignedValue => Size * Price;

    public decimal UnrealizedPnl => Size * (Price - EntryPrice);
}
