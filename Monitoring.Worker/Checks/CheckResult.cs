using System.Collections.ObjectModel;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Monitoring.Data.Checks;
using Monitoring.Data.Database;

namespace Monitoring.Worker.Checks;

/// <summary>Everything that one check brought: the unit of recording and of replay. It goes to JSON and back without loss.</summary>
internal sealed record CheckResult(
    CheckRun Run, IReadOnlyList<Observation> Observations, IReadOnlyList<Finding> Findings, IReadOnlyList<string> Unjudged)
{
    /// <summary>What was read of sources that are read on from where the last check ended.</summary>
    public IReadOnlyList<SourceProgress> Readings { get; init; } = [];

    /// <summary>Why what was not found any more is over, by fingerprint, where the source says so itself.</summary>
    public IReadOnlyDictionary<string, string> Endings { get; init; } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>The newest values of the measures of what was judged and not found: see <see cref="CheckReport.Measured"/>.</summary>
    public IReadOnlyDictionary<string, decimal> Measured { get; init; } = ReadOnlyDictionary<string, decimal>.Empty;

    /// <summary>The same result of another time, because a clock was wrong: its own times move by <paramref name="by"/>.</summary>
    public CheckResult At(DateTimeOffset scheduledAt, CheckTrigger trigger, TimeSpan by) => this with
    {
        Run = Run with
        {
            ScheduledAt = scheduledAt, Trigger = trigger, StartedAt = Run.StartedAt + by, FinishedAt = Run.FinishedAt + by,
        },
        Observations = [.. Observations.Select(row => row.At(scheduledAt))],
    };

    /// <summary>How results are written to JSON wherever they are kept.</summary>
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.General)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        AllowOutOfOrderMetadataProperties = true,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { ObservationJson.AddKinds } },
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };
}
