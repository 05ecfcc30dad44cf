using System.Collections.ObjectModel;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Monitoring.Data.Events;

namespace Monitoring.Worker.Checks;

/// <summary>A rule's verdict in one check.</summary>
internal sealed record Finding(
    string RuleId, int RuleVersion, string ThreatType, Severity Severity, EventSubject Subject, string Title, string Description,
    Evidence Evidence, IReadOnlyList<string> RelatedAddresses, decimal? EstimatedLossUsd)
{
    /// <summary>
    /// Too little for an event, too much for its end: the measure lies between the threshold that opens and the one that resolves. It
    /// keeps an open event open and opens none.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsHolding { get; init; }

    /// <summary>The transaction in which it happened, where it is something that happened in one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? TransactionHash { get; init; }

    /// <summary>How bad it is by its rule's measure; null where that could not be told.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public FindingMeasure? Measure { get; init; }

    /// <summary>Further texts by name, such as a market's, to find events by.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>The subjects whose events this one speaks for while it is open, of the rules that <c>Rule.Inhibits</c> names.</summary>
    public IReadOnlyList<string> Covers { get; init; } = [];

    /// <summary>What makes it the same finding in the next check.</summary>
    public string Fingerprint => FingerprintOf(RuleId, Subject.Text);

    public static string FingerprintOf(string ruleId, string subject) => $"{ruleId}:{subject}";
}

/// <summary>
/// The value of a finding's evidence that says how bad it is, and the threshold of the severity reached, in the same unit; null where that
/// severity asks for no value of it.
/// </summary>
internal sealed record FindingMeasure(string Name, decimal Value, string Unit, decimal? Threshold);

/// <summary>
/// Why a finding was made: the values it saw, the thresholds it compared them with, and each comparison as a line for people.
/// </summary>
internal sealed record Evidence(JsonObject Values, JsonObject Thresholds, IReadOnlyList<string> Arithmetic);
