namespace Monitoring.Simulator.Model;

/// <summary>The market price of every coin over time.</summary>
internal sealed class PriceBook
{
    private const int Digits = 6;
    private readonly Dictionary<string, Curve> _curves;

    public PriceBook(Scenario scenario)
    {
        _curves = scenario.Prices.ToDictionary(pair => pair.Key, pair => new Curve(pair.Value, Digits), StringComparer.Ordinal);
        foreach (var move in scenario.Timeline())
            if (move.Price is { } price)
                _curves[price.Coin].MoveTo(move.At, move.Over, price.To);
    }

    public Curve this[string coin] => _curves[coin];
}
