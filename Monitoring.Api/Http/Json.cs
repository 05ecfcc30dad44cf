using System.Text.Json;
using System.Text.Json.Serialization;

namespace Monitoring.Api.Http;

/// <summary>How answers are written: snake_case, times as <c>2026-11-21T09:00:00Z</c>, numbers without trailing zeros.</summary>
internal static class Json
{
    /// <summary>Times as text: UTC, to the microsecond, without trailing zeros.</summary>
    public const string TimeForm = "yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'";

    /// <summary>Decimals as text: numeric keeps the scale it was stored with; 71.0000 says no more than 71.</summary>
    public const string DecimalForm = "0.############################";

    public static void Configure(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
        options.NumberHandling = JsonNumberHandling.Strict;
        options.Converters.Add(new UtcConverter());
        options.Converters.Add(new PlainDecimalConverter());
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false));
    }

    private sealed class UtcConverter : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.GetDateTimeOffset();

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
            writer.WriteTime(value.UtcDateTime);
    }

    private sealed class PlainDecimalConverter : JsonConverter<decimal>
    {
        public override decimal Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDecimal();

        public override void Write(Utf8JsonWriter writer, decimal value, JsonSerializerOptions options) =>
            writer.WriteDecimal(value);
    }
}
