namespace Monitoring.Simulator.Model;

/// <summary>
/// Market-making profit over time: bounded hourly steps drawn from the seed, added up, straight inside the hour; 0 at second 0.
/// </summary>
internal sealed class Noise
{
    /// <summary>How many days before second 0 have hourly steps.</summary>
    public const int HistoryDays = 60;

    private const int HoursBack = (HistoryDays * 24) + 1;
    private const int HoursAhead = 366 * 24;

    // Market making earns a little more than it loses.
    private const decimal Drift = 0.02m;
    private readonly decimal[] _levels = new decimal[HoursBack + HoursAhead + 1];

    public Noise(long seed, decimal hourlyUsd)
    {
        for (var hour = 0; hour < HoursAhead; hour++)
            _levels[HoursBack + hour + 1] = _levels[HoursBack + hour] + Step(seed, hour, hourlyUsd);
        for (var hour = -1; hour >= -HoursBack; hour--)
            _levels[HoursBack + hour] = _levels[HoursBack + hour + 1] - Step(seed, hour, hourlyUsd);
    }

    /// <summary>The profit between second 0 and a moment; before the history and after a year it stands still.</summary>
    public decimal At(decimal time)
    {
        var hours = Math.Clamp(time / 3600, -HoursBack, HoursAhead);
        var hour = (int)decimal.Floor(hours);
        var from = _levels[HoursBack + hour];
        var to = _levels[Math.Min(HoursBack + hour + 1, _levels.Length - 1)];
        return decimal.Round(from + ((to - from) * (hours - hour)), 4);
    }

    private static decimal Step(long seed, int hour, decimal hourlyUsd) =>
        decimal.Round(hourlyUsd * (Uniform(seed, hour) + Drift), 4);

    /// <summary>An even number from -1 to 1 (SplitMix64).</summary>
    private static decimal Uniform(long seed, int hour)
    {
        var x = unchecked((ulong)seed + ((ulong)(hour + HoursBack) * 0x9E3779B97F4A7C15));
        x = unchecked((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9);
        x = unchecked((x ^ (x >> 27)) * 0x94D049BB133111EB);
        x ^= x >> 31;
        return ((decimal)(x >> 32) / uint.MaxValue * 2) - 1;
    }
}
