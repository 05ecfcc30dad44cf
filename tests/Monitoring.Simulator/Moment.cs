namespace Monitoring.Simulator;

/// <summary>One moment twice: as the venue states it, and in seconds of the scenario.</summary>
internal readonly record struct Moment(long UnixMilliseconds, decimal Seconds)
{
    public static Moment At(long unixMilliseconds, DateTimeOffset start) =>
        new(unixMilliseconds, (unixMilliseconds - start.ToUnixTimeMilliseconds()) / 1000m);

    /// <summary>Another moment of the same scenario.</summary>
    public Moment To(long unixMilliseconds) => new(unixMilliseconds, Seconds + ((unixMilliseconds - UnixMilliseconds) / 1000m));
}
