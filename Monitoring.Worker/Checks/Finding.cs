using System.Text.Json.Nodes;
using Monitoring.Data.Events;

namespace Monitoring.Worker.Checks;

/// <summary>A rule's verdict in one check.</summary>
internal sealed record Finding(
    string RuleId, int RuleVersion, string ThreatType, Severity Severity, string Subject, string Title, string Description, Evidence Evidence,
    IReadOnlyList<string> RelatedAddresses, decimal? EstimatedLossUsd)
{
    /// <summary>What makes it the same finding in the next check.</summary>
    public string Fingerprint => FingerprintOf(RuleId, Subject);

    public static string FingerprintOf(string ruleId, string subject) => $"{ruleId}:{subject}";
}

/// <summary>Why a finding was made: the values it saw, the thresholds it compared them with, and each comparison as a line for people.</summary>
internal sealed record Evidence(JsonObject Values, JsonObject Thresholds, IReadOnlyList<string> Arithmetic);
