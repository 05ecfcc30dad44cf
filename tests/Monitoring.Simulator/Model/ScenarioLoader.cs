using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace Monitoring.Simulator.Model;

/// <summary>Reads scenarios: those shipped by name, any other by path. Unknown and missing fields are refused.</summary>
internal static partial class ScenarioLoader
{
    private static readonly JsonSerializerOptions Format = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        AllowDuplicateProperties = false,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };

    private static string Folder => Path.Combine(AppContext.BaseDirectory, "Scenarios");

    /// <summary>The names of the scenarios that come with the simulator.</summary>
    public static IReadOnlyList<string> Names =>
        [.. Directory.EnumerateFiles(Folder, "*.json")
            .Select(file => Path.GetFileNameWithoutExtension(file))
            .Order(StringComparer.Ordinal)];

    /// <summary>Loads a scenario by its name or by the path of its file.</summary>
    public static Scenario Load(string nameOrPath)
    {
        if (Names.Contains(nameOrPath, StringComparer.Ordinal))
            return Parse(File.ReadAllText(Path.Combine(Folder, nameOrPath + ".json")), nameOrPath + ".json");
        if (!File.Exists(nameOrPath))
            throw new ScenarioException($"There is no scenario and no file '{nameOrPath}'; scenarios: {string.Join(", ", Names)}");
        return Parse(File.ReadAllText(nameOrPath), nameOrPath);
    }

    /// <summary>Reads and validates a scenario's text; <paramref name="file"/> is how messages call it.</summary>
    public static Scenario Parse(string json, string file)
    {
        Scenario scenario;
        try
        {
            scenario = JsonSerializer.Deserialize<Scenario>(json, Format)
                ?? throw new ScenarioException($"{file}: the file holds only null");
        }
        catch (JsonException e)
        {
            throw new ScenarioException($"{file}: {Explain(e)}", e);
        }

        var faults = ScenarioCheck.Faults(scenario);
        return faults.Count == 0
            ? scenario
            : throw new ScenarioException(string.Join(Environment.NewLine, faults.Select(fault => $"{file}: {fault}")));
    }

    /// <summary>The reader's complaint in words of the file instead of those of the program.</summary>
    private static string Explain(JsonException e)
    {
        var path = e.Path is null or "$" ? "" : e.Path.Replace("$.", "", StringComparison.Ordinal);
        if (Unknown.Match(e.Message) is { Success: true } unknown)
            return $"unknown field '{unknown.Groups["name"]}'{(path.Length == 0 ? "" : $" at {path}")}";

        var field = path.Length == 0 ? "" : path + ": ";
        if (Missing.Match(e.Message) is { Success: true } missing)
            return $"{field}missing {missing.Groups["names"]}";
        if (e.Message.Contains("could not be converted", StringComparison.Ordinal))
            return $"{field}the value has the wrong type or is not one of those allowed";
        if (e.Message.Contains("doesn't allow null", StringComparison.Ordinal))
            return $"{field}must not be null";
        return e.Message.StartsWith("Duplicate property", StringComparison.Ordinal) ? $"{field}stands twice" : $"{field}{e.Message}";
    }

    [GeneratedRegex("property '(?<name>[^']*)' could not be mapped", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Unknown { get; }

    [GeneratedRegex(
        @"missing required properties including: (?<names>.*?)\.( |$)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Missing { get; }
}
