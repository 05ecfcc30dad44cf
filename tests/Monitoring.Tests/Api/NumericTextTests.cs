using System.Text;
using Monitoring.Api.Http;
using Npgsql;

namespace Monitoring.Tests.Api;

/// <summary>Numbers are written as PostgreSQL writes them, without trailing zeros.</summary>
public sealed class NumericTextTests
{
    private const int MaxWireBytes = 512;

    // Where a group of four digits begins and ends, before and after the point, with zeros around it; and what fits no decimal.
    private const string EdgesSql = """
        SELECT number, trim_scale(number)::text
          FROM (SELECT sign * (digits * 10::numeric ^ power)::numeric
                  FROM unnest(ARRAY[1, -1]) AS sign, generate_series(-33, 45) AS power,
                       unnest(ARRAY[0, 1, 9, 10, 99, 100, 999, 1000, 1001, 9999, 10000, 10001, 100000001, 99999999.9999,
                                    123456789.123456789, 1000000000000.000000000001, 115792089237316195423570985008687907853269]) AS digits
                 UNION ALL
                SELECT round(((random() - 0.5) * 10 ^ (random() * 30 - 10)::int)::numeric, (random() * 20)::int)
                  FROM generate_series(1, 5000)
                 UNION ALL
                SELECT 71.0000) AS drawn (number)
        """;

    private NpgsqlDataSource _db = null!;
    private NpgsqlCommand _command = null!;

    [SetUp]
    public async Task CloneDatabase() => _db = await TestDatabase.CloneAsync();

    [TearDown]
    public async Task DropDatabase()
    {
        await _command.DisposeAsync();
        await TestDatabase.DropAsync(_db);
    }

    private async Task<NpgsqlDataReader> ReadAsync(string sql) => await (_command = _db.CreateCommand(sql)).ExecuteReaderAsync();

    private static string Format(NpgsqlDataReader reader)
    {
        var wire = new byte[MaxWireBytes];
        var length = (int)reader.GetBytes(0, 0, wire, 0, wire.Length);
        var text = new byte[NumericText.MaxLength(wire.AsSpan(0, length))];
        return Encoding.ASCII.GetString(text.AsSpan(0, NumericText.Format(wire.AsSpan(0, length), text)));
    }

    [Test]
    public async Task Text_is_that_of_the_database()
    {
        await using var reader = await ReadAsync(EdgesSql);
        var numbers = 0;
        for (; await reader.ReadAsync(); numbers++)
            Assert.That(Format(reader), Is.EqualTo(reader.GetString(1)));

        Assert.That(numbers, Is.GreaterThan(7_000));
    }

    [TestCase("NaN")]
    [TestCase("Infinity")]
    [TestCase("-Infinity")]
    public async Task What_is_no_finite_number_is_refused(string text)
    {
        await using var reader = await ReadAsync($"SELECT '{text}'::numeric");
        await reader.ReadAsync();

        Assert.That(() => Format(reader), Throws.TypeOf<InvalidCastException>().With.Message.Contains("finite"));
    }
}
