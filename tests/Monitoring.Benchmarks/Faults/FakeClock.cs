namespace Monitoring.Benchmarks.Faults;

/// <summary>
/// A clock that steps, for one worker process: libfaketime answers the time of day with an offset that it reads from a
/// file, and leaves the monotonic clock alone, as a real step does. Debian has it as the package libfaketime.
/// </summary>
internal sealed class FakeClock(string file)
{
    private static readonly string? Library = Directory.Exists("/usr/lib")
        ? Directory.EnumerateDirectories("/usr/lib", "faketime",
            new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 2, IgnoreInaccessible = true })
            .Select(folder => Path.Combine(folder, "libfaketimeMT.so.1")).FirstOrDefault(File.Exists)
        : null;

    public static bool IsThere => Library is not null;

    /// <summary>What a worker must be started with.</summary>
    public IEnumerable<KeyValuePair<string, string>> Settings =>
    [
        new("LD_PRELOAD", Library!), new("FAKETIME_TIMESTAMP_FILE", file), new("FAKETIME_CACHE_DURATION", "1"),
        new("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ];

    /// <summary>Within a second the worker's clock is so many seconds off; negative: slow.</summary>
    public void Step(int seconds)
    {
        File.WriteAllText(file + ".new", $"{(seconds < 0 ? "" : "+")}{seconds}\n");
        File.Move(file + ".new", file, overwrite: true);
    }
}
