namespace Monitoring.Simulator.Model;

/// <summary>The size of every position of every component over time.</summary>
internal sealed class SizeBook
{
    private const int Digits = 4;
    private readonly Scenario _scenario;
    private readonly Dictionary<(string Component, string Coin), Curve> _curves = [];

    private SizeBook(Scenario scenario)
    {
        _scenario = scenario;
        foreach (var component in scenario.Components)
            foreach (var position in component.Positions)
                _curves[(component.Name, position.Coin)] = new(position.Size, Digits);
    }

    /// <summary>The sizes of second 0, before any move.</summary>
    public static SizeBook AtStart(Scenario scenario) => new(scenario);

    /// <summary>The sizes with all moves of the scenario in them.</summary>
    public static SizeBook Of(Scenario scenario)
    {
        var book = new SizeBook(scenario);
        foreach (var move in scenario.Timeline())
            book.Apply(move);
        return book;
    }

    public Curve Of(string component, string coin)
    {
        var key = (_scenario.FindComponent(component)!.Name, coin);
        if (!_curves.TryGetValue(key, out var curve))
            _curves[key] = curve = new(0, Digits);
        return curve;
    }

    /// <summary>The coins that a component holds at some time of the scenario.</summary>
    public IEnumerable<string> CoinsOf(string component) =>
        _curves.Keys.Where(key => key.Component == component).Select(key => key.Coin).Order(StringComparer.Ordinal);

    public void Apply(Move move)
    {
        if (move.Position is { } position)
        {
            var curve = Of(position.Component, position.Coin);
            curve.MoveTo(move.At, 0, curve.At(move.At) + position.Size);
        }

        if (move.Reduce is { } reduce)
            Of(reduce.Component, reduce.Coin).MoveTo(move.At, move.Over, reduce.ToSize);
    }
}
