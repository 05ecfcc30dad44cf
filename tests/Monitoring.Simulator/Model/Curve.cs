namespace Monitoring.Simulator.Model;

/// <summary>A value over time: straight lines between knots, jumps where two knots share a moment.</summary>
internal sealed class Curve(decimal initial, int digits)
{
    private readonly List<(decimal Time, decimal Value)> _knots = [(0, initial)];

    public decimal Initial => initial;

    public IEnumerable<decimal> Times => _knots.Select(knot => knot.Time);

    /// <summary>The value at a moment, after whatever jumps then.</summary>
    public decimal At(decimal time) => Between(_knots.FindLastIndex(knot => knot.Time <= time), time);

    /// <summary>The value that a moment is approached with, before whatever jumps then.</summary>
    public decimal Before(decimal time)
    {
        var last = _knots.FindLastIndex(knot => knot.Time < time);
        return last < 0 ? initial : Between(last, time);
    }

    /// <summary>Goes to a value from a moment on; what was still under way is given up.</summary>
    public void MoveTo(decimal at, decimal over, decimal target)
    {
        var from = At(at);
        _knots.RemoveAll(knot => knot.Time > at);
        _knots.Add((at, from));
        _knots.Add((at + over, target));
    }

    private decimal Between(int index, decimal time)
    {
        if (index < 0)
            return initial;
        var (start, value) = _knots[index];
        if (index == _knots.Count - 1)
            return value;
        var (end, next) = _knots[index + 1];
        return time >= end ? next : decimal.Round(value + ((next - value) * (time - start) / (end - start)), digits);
    }
}
