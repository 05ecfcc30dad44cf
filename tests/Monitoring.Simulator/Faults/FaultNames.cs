using System.Text.Json;

namespace Monitoring.Simulator.Faults;

/// <summary>The spelling of the faults on the wire.</summary>
internal static class FaultNames
{
    /// <summary>The type of the faults that meet the messages of the websocket.</summary>
    public const string Feed = "ws";

    /// <summary>What can go wrong on the websocket alone.</summary>
    public static readonly IReadOnlyList<FaultKind> OfFeedOnly =
        [FaultKind.Refuse, FaultKind.Drop, FaultKind.Silent, FaultKind.NoData, FaultKind.Garbage, FaultKind.Binary,
            FaultKind.Huge, FaultKind.Duplicate, FaultKind.Replay];

    /// <summary>All that can go wrong there.</summary>
    public static readonly IReadOnlyList<FaultKind> OfFeed =
        [.. OfFeedOnly, FaultKind.Truncated, FaultKind.Null, FaultKind.Empty, FaultKind.WrongTypes, FaultKind.Slow];

    public static string Of(FaultKind kind) => kind switch
    {
        FaultKind.Http500 => "http500",
        FaultKind.Http429 => "http429",
        _ => JsonNamingPolicy.SnakeCaseLower.ConvertName(kind.ToString()),
    };
}
