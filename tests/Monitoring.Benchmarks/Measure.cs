using System.Text.Json;

namespace Monitoring.Benchmarks;

/// <summary>
/// One figure of a benchmark: measured, and compared with a floor of the same run where there is one. The target is the
/// most that the ratio, or without a floor the value, may be.
/// </summary>
internal sealed record Measure(string What, double Value, string Unit, string? FloorOf, double? Floor, double Target)
{
    /// <summary>What is held against the target.</summary>
    public double Judged => Floor is { } floor ? Value / floor : Value;

    public bool IsMet => Judged <= Target;
}

/// <summary>Durations in milliseconds, and what they say.</summary>
internal sealed class Durations
{
    private readonly List<double> _milliseconds = [];

    public int Count => _milliseconds.Count;

    public void Add(TimeSpan duration) => _milliseconds.Add(duration.TotalMilliseconds);

    /// <summary>The smallest duration that so large a part of all does not exceed.</summary>
    public double Percentile(double part)
    {
        var sorted = _milliseconds.Order().ToList();
        return sorted.Count == 0 ? double.NaN : sorted[Math.Clamp((int)Math.Ceiling(part * sorted.Count) - 1, 0, sorted.Count - 1)];
    }
}

/// <summary>Prints figures as a table, and keeps them in artifacts/bench.</summary>
internal static class Results
{
    private static readonly JsonSerializerOptions Json =
        new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    /// <summary>The folder of all results.</summary>
    public static string Folder => Repository.File("artifacts/bench");

    /// <summary>Prints and keeps the figures; answers whether every target was met.</summary>
    public static bool Report(string name, IReadOnlyList<Measure> measures, TextWriter output)
    {
        output.WriteLine();
        output.WriteLine($"{name,-44} {"measured",14} {"floor",14} {"ratio",8} {"target",9}");
        foreach (var one in measures)
            output.WriteLine($"  {one.What,-42} {Text(one.Value, one.Unit),14} {(one.Floor is { } floor ? Text(floor, one.Unit) : "-"),14} "
                + $"{(one.Floor is null ? "-" : $"{one.Judged:0.00}"),8} "
                + $"{(one.Floor is null ? Text(one.Target, one.Unit) : $"{one.Target:0.00}"),9}  "
                + $"{(one.IsMet ? "ok" : "MISSED")}{(one.FloorOf is null ? "" : $"   floor: {one.FloorOf}")}");
        Keep(name, measures);
        return measures.All(one => one.IsMet);
    }

    /// <summary>Writes any result as artifacts/bench/NAME.json.</summary>
    public static void Keep<T>(string name, T result)
    {
        Directory.CreateDirectory(Folder);
        var kept = new { name, at = TimeProvider.System.GetUtcNow(), processors = Environment.ProcessorCount, result };
        File.WriteAllText(Path.Combine(Folder, $"{name}.json"), JsonSerializer.Serialize(kept, Json));
    }

    private static string Text(double value, string unit) => unit switch
    {
        "bytes" => $"{value / 1024:0.0} KiB",
        _ => $"{value:0.00} {unit}",
    };
}
