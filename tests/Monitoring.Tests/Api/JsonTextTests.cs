using System.Globalization;
using System.Text;
using System.Text.Json;
using Monitoring.Api.Http;

namespace Monitoring.Tests.Api;

/// <summary>Numbers and times have the text that the format strings give.</summary>
public sealed class JsonTextTests
{
    private const string DecimalForm = "0.############################";

    private static string Text(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
            write(json);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    [Test]
    public void Decimals_have_no_trailing_zeros()
    {
        var random = new Random(20261121);
        decimal[] edges =
        [
            0m, -0.0m, 0.000m, 1m, -1m, 71.0000m, 100m, 0.1m, -0.05m, 0.0000000000000000000000000001m, decimal.MaxValue, decimal.MinValue,
                9.99m,
            ulong.MaxValue, -(decimal)ulong.MaxValue, 18446744073709551616m, 1844674407370955.1616000m, 79228162514264337593543.950330m,
                10.10m, 1000000.000001m,
        ];
        var drawn = Enumerable.Range(0, 20_000).Select(_ => new decimal(
            random.Next(), random.Next(3) == 0 ? random.Next() : 0, random.Next(9) == 0 ? random.Next() : 0, random.Next(2) == 0,
                (byte)random.Next(29)));
        foreach (var value in edges.Concat(drawn))
            Assert.That(Text(json => json.WriteDecimal(value)), Is.EqualTo(value.ToString(DecimalForm, CultureInfo.InvariantCulture)));
    }

    [Test]
    public void Times_have_microseconds_at_most()
    {
        var random = new Random(20261121);
        DateTime[] edges = [DateTime.UnixEpoch, DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc),
            DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc)];
        foreach (var ticks in new[] { 0, 1, 9, 10, 100, 1_000_000, 9_999_999, 2_500_000 })
            foreach (var time in edges.Append(DateTime.UnixEpoch.AddSeconds(random.Next())).Select(time =>
                time.Ticks + ticks < DateTime.MaxValue.Ticks ? time.AddTicks(ticks) : time))
                Assert.That(Text(json => json.WriteTime(time)),
                    Is.EqualTo($"\"{time.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'", CultureInfo.InvariantCulture)}\""));
    }
}
