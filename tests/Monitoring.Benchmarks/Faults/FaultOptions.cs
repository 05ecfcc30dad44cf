namespace Monitoring.Benchmarks.Faults;

/// <summary>
/// How many faults of each kind a run has, and the seed that their moments are drawn from. <paramref name="Wide"/>:
/// also full disks, clock steps and a receiver that is down for long.
/// </summary>
internal sealed record FaultOptions(int Kills, int Stops, int Cuts, int Seed, bool Wide)
{
    /// <summary>How often the journal's folder is removed while the database is away.</summary>
    public int Removals { get; init; }

    /// <summary>How often the worker's clock is set wrong and back, every other time by hours or weeks.</summary>
    public int Steps { get; init; } = 2;

    private static readonly TimeSpan ForWindows = TimeSpan.FromSeconds(60); // full disks and clock steps, during which no worker is killed
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(24);

    /// <summary>How long faults are injected: so that a worker mostly has the time to do something between two of them.</summary>
    public TimeSpan Duration =>
        new[] { Shortest, TimeSpan.FromSeconds(13 * Kills), TimeSpan.FromSeconds(15 * Stops), TimeSpan.FromSeconds(10 * Cuts) }.Max()
        + (Wide ? ForWindows : TimeSpan.Zero);

    /// <summary>Nothing is injected before; the first worker starts, and the first observations are stored.</summary>
    public static TimeSpan WarmUp => TimeSpan.FromSeconds(6);

    /// <summary>Faults that are not injected by then are stuck.</summary>
    public TimeSpan Longest => TimeSpan.FromMinutes(1) + (Duration * 1.5);

    /// <summary>How long after the last fault everything must be stored and delivered.</summary>
    public static TimeSpan Patience => TimeSpan.FromMinutes(2);

    /// <summary>Moments for so many faults: one in each equal part of the duration, drawn within it.</summary>
    public IReadOnlyList<TimeSpan> Moments(int count, Random random) =>
        [.. Enumerable.Range(0, count).Select(i => WarmUp + (Duration * ((i + random.NextDouble()) / count)))];
}
