namespace Monitoring.Data.Rules;

/// <summary>Which values of a measure are worse: higher ones, lower ones, or those farther from zero on either side.</summary>
public enum WorseWhen { Higher, Lower, Farther }

/// <summary>
/// What says how bad a finding of a rule is: a value of its evidence by <paramref name="Name"/>, its <paramref name="Unit"/> (USD, %,
/// points, s, h, x, or none) and which values are worse.
/// </summary>
public sealed record RuleMeasure(string Name, string Unit, WorseWhen Worse = WorseWhen.Higher)
{
    /// <summary>What a number without a unit counts, in the plural: deviations, messages.</summary>
    public string Counts { get; init; } = "";

    /// <summary>Whether it only says how long it has been so: that grows by itself, and nobody is notified of it.</summary>
    public bool IsAge { get; init; }

    /// <summary>How bad a value is, the larger the worse.</summary>
    public decimal Badness(decimal value) => Worse switch
    {
        WorseWhen.Lower => -value,
        WorseWhen.Farther => Math.Abs(value),
        _ => value,
    };

    /// <summary>Whether a value is worse than another.</summary>
    public bool IsWorse(decimal value, decimal than) => Badness(value) > Badness(than);

    /// <summary>How far a value lies beyond its threshold, or beyond zero where that is none; never below 0.</summary>
    public decimal Excess(decimal value, decimal? threshold) =>
        Math.Max(0, Badness(value) - (threshold is { } limit ? Badness(limit) : 0));
}
