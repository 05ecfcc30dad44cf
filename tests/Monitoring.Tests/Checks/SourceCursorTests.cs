using Dapper;
using Monitoring.Data.Checks;
using Npgsql;

namespace Monitoring.Tests.Checks;

/// <summary>How far sources have been read, whatever order the readings come in.</summary>
public sealed class SourceCursorTests
{
    private NpgsqlDataSource _db = null!;

    [SetUp]
    public async Task CloneDatabase() => _db = await TestDatabase.CloneAsync();

    [TearDown]
    public Task DropDatabase() => TestDatabase.DropAsync(_db);

    private async Task ReadAsync(string source, params PositionRange[] ranges)
    {
        await using var connection = await _db.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await SourceCursors.AddAsync("m", [new SourceProgress(source, ranges)], transaction, default);
        await transaction.CommitAsync();
    }

    private static PositionRange Range(long from, long until) => new(from, until);

    private async Task<string> CursorsAsync(string monitor = "m") =>
        string.Join("; ", (await new SourceCursors(_db).ListAsync(monitor, default)).Select(
            cursor => $"{cursor.Source} {cursor.ReadUntil} without {Text(cursor.Missing)}"));

    private static string Text(IEnumerable<PositionRange> ranges) =>
        string.Join(',', ranges.Select(range => $"{range.From}-{range.Until}"));

    [Test]
    public async Task Reading_on_moves_the_cursor()
    {
        await ReadAsync("a", Range(100, 200));
        await ReadAsync("a", Range(200, 300));
        await ReadAsync("b", Range(5, 6));
        Assert.That(await CursorsAsync(), Is.EqualTo("a 300 without ; b 6 without "));
        Assert.That(await CursorsAsync("other"), Is.Empty);
    }

    [Test]
    public async Task Hole_is_missing_until_it_is_read()
    {
        await ReadAsync("a", Range(100, 200), Range(250, 300));
        await ReadAsync("a", Range(400, 500));
        Assert.That(await CursorsAsync(), Is.EqualTo("a 500 without 200-250,300-400"));
        await ReadAsync("a", Range(190, 260));
        await ReadAsync("a", Range(350, 400));
        Assert.That(await CursorsAsync(), Is.EqualTo("a 500 without 300-350"));
    }

    [Test]
    public async Task Readings_in_any_order_and_any_number_of_times_come_to_the_same()
    {
        PositionRange[] readings = [Range(0, 10), Range(10, 25), Range(40, 60), Range(55, 70), Range(90, 91)];
        var random = new Random(7);
        for (var run = 0; run < 10; run++)
        {
            foreach (var reading in readings.Concat(readings).OrderBy(_ => random.Next()))
                await ReadAsync($"{run}", reading);
            Assert.That((await CursorsAsync()).Split("; ")[^1], Is.EqualTo($"{run} 91 without 25-40,70-90"));
        }
    }

    [Test]
    public async Task Late_reading_never_moves_the_cursor_back_and_a_repeated_one_writes_nothing()
    {
        await ReadAsync("a", Range(100, 200));
        await ReadAsync("a", Range(20, 30));
        Assert.That(await CursorsAsync(), Is.EqualTo("a 200 without 30-100"));
        await using var connection = await _db.OpenConnectionAsync();
        var version = await connection.QuerySingleAsync<string>("SELECT xmin::text FROM source_cursors");
        await ReadAsync("a", Range(100, 200));
        Assert.That(await connection.QuerySingleAsync<string>("SELECT xmin::text FROM source_cursors"), Is.EqualTo(version));
    }

    [Test]
    public async Task Two_readings_of_one_source_in_one_check_are_one_and_an_empty_one_is_none()
    {
        await using (var connection = await _db.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await SourceCursors.AddAsync("m", [new("a", [Range(1, 3)]), new("a", [Range(3, 5), Range(7, 7)]), new("none", [Range(5, 5)])],
                transaction, default);
            await transaction.CommitAsync();
        }

        Assert.That(await CursorsAsync(), Is.EqualTo("a 5 without "));
    }
}
