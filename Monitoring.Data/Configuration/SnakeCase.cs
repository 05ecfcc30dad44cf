using System.Text.Json;

namespace Monitoring.Data.Configuration;

/// <summary>The one spelling of enumerations outside the code: in tables, JSON and configuration.</summary>
public static class SnakeCase
{
    /// <summary><c>TimedOut</c> → <c>timed_out</c>.</summary>
    public static string Of<T>(T value) where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
}
