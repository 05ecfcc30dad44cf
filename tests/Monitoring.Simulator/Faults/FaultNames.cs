using System.Text.Json;

namespace Monitoring.Simulator.Faults;

/// <summary>The spelling of the faults on the wire.</summary>
internal static class FaultNames
{
    public static string Of(FaultKind kind) => kind switch
    {
        FaultKind.Http500 => "http500",
        FaultKind.Http429 => "http429",
        _ => JsonNamingPolicy.SnakeCaseLower.ConvertName(kind.ToString()),
    };
}
