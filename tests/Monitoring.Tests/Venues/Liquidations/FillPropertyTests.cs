using Monitoring.Worker.Venues.Hyperliquid;
using Monitoring.Worker.Venues.Liquidations;
using static Monitoring.Tests.Venues.Liquidations.LiquidationSample;

namespace Monitoring.Tests.Venues.Liquidations;

/// <summary>
/// Whatever the order, the duplicates and the page boundaries: the same liquidations come out, every fill once, the
/// notional to the last digit.
/// </summary>
public sealed class FillPropertyTests
{
    private const long Start = 1_760_130_900_000;

    // Many fills share a moment, a hash and a user; half of the hashes are zeros.
    private static List<Fill> MakeFills(Random random, int count, int moments) =>
        [.. Enumerable.Range(1, count).Select(tid => Fill(
            random.Next(2) == 0 ? "A" : "B", "Close Long", random.Next(10) == 0 ? null : random.Next(2) == 0 ? "market" : "backstop",
            $"0x{random.Next(6):x40}", tid, random.Next(2) == 0 ? "ETH" : "BTC", random.Next(1, 1_000_000) / 1000m,
            random.Next(1, 1_000_000) / 100_000m, Start + random.Next(moments),
            random.Next(2) == 0 ? ZeroHash : $"0x{random.Next(1, 8):x}"))];

    private static FillSource Source(Random random, IReadOnlyList<Fill> all, int pageSize, int newest = int.MaxValue,
        Action? asked = null) => (start, end, reversed, _) =>
        {
            asked?.Invoke();
            var known = all.OrderBy(fill => fill.Time).ThenBy(fill => fill.Tid).TakeLast(newest).Where(fill => fill.At >= start
                && (end is null || fill.At <= end));
            var page = (reversed ? known.Reverse() : known).Take(pageSize).ToList();
            // some twice
            page.AddRange(page.Take(page.Count < pageSize ? random.Next(0, Math.Max(0, Math.Min(3, pageSize - page.Count - 1)) + 1) : 0));
            return Task.FromResult(new ReadableList<Fill>([.. page.OrderBy(_ => random.Next())], []));
        };

    [Test]
    public async Task Pages_put_together_are_all_the_fills_once()
    {
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var pageSize = random.Next(15, 40); // a shorter page may fall in descending order by chance
            var moments = random.Next(40, 400);
            var all = MakeFills(random, random.Next(0, 300), moments);
            if (all.Count > 0 && all.GroupBy(fill => fill.Time).Max(moment => moment.Count()) > pageSize)
                continue; // a moment that no page holds is a test of its own
            var (watermark, seen, rounds) =
                (new Watermark(DateTimeOffset.FromUnixTimeMilliseconds(Start), IsFill: false), new List<Fill>(), 0);
            FillRead read;
            do
            {
                read = await FillReading.ReadAsync(
                    Source(random, all, pageSize), watermark, pageSize, random.Next(1, 5), ManualClock.Noon, default);
                Assert.That(read.Gaps, Is.Empty, $"seed {seed}");
                Assert.That(read.Fills.Select(fill => fill.Time), Is.Ordered);
                Assert.That(read.Fills, Is.Unique);
                seen.AddRange(read.Fills);
                watermark = read.Next;
            } while (read.IsBehind && rounds++ < 1000);
            Assert.That(seen.DistinctBy(fill => fill.Key), Is.EquivalentTo(all), $"seed {seed}");
        }
    }

    [Test]
    public void Liquidations_do_not_depend_on_order_or_repetition_and_conserve_the_notional()
    {
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var rows = MakeFills(random, random.Next(1, 200), random.Next(1, 60))
                .Select(fill => LiquidationMapping.Map(fill, Vault))
                .OfType<Data.Venues.LiquidationFill>()
                .ToList();
            var expected = LiquidationGrouping.Group(rows);
            var shuffled = rows.Concat(rows.Where(_ => random.Next(3) == 0)).OrderBy(_ => random.Next()).ToList();
            var again = LiquidationGrouping.Group(shuffled);
            Assert.That(again, Is.EqualTo(expected), $"seed {seed}");
            Assert.That(again.Sum(one => one.NotionalUsd), Is.EqualTo(rows.Sum(row => row.NotionalUsd)), $"seed {seed}");
            Assert.That((again.Sum(one => one.Fills), again.Sum(one => one.Size)),
                Is.EqualTo((rows.Count, rows.Sum(row => row.Size))), $"seed {seed}");
            Assert.That(LiquidationSearch.Find(again, [], NoFundings, LiquidationThresholds.Default)
                .Select(p => p.PatternId + p.Indicators),
                Is.EqualTo(LiquidationSearch.Find(expected, [], NoFundings, LiquidationThresholds.Default)
                    .Select(p => p.PatternId + p.Indicators)),
                $"seed {seed}");
        }
    }

    [Test]
    public async Task Fills_that_the_venue_dropped_before_they_were_read_are_a_gap()
    {
        var all = Enumerable.Range(1, 100).Select(i => Fill("A", "Close Long", "market", tid: i, time: Start + (i * 1000))).ToList();
        var watermark = new Watermark(all[10].At, IsFill: true);
        var read = await FillReading.ReadAsync(Source(new Random(1), all, 20, newest: 50), watermark, 20, 10, ManualClock.Noon, default);
        Assert.That(read.Gaps, Is.EqualTo(new[] { new FillGap(all[10].At, all[50].At) }));
        Assert.That(read.Fills, Has.Count.EqualTo(50));
        var nextRead = await FillReading.ReadAsync(
            Source(new Random(1), all, 20, newest: 50), read.Next, 20, 10, ManualClock.Noon, default);
        Assert.That((nextRead.Gaps.Count, nextRead.Fills.Count, nextRead.Next), Is.EqualTo((0, 1, read.Next)),
            "the last fill shows that nothing is missing");
        // One that was never read before has no fill to look for: where it begins is no gap.
        Assert.That((await FillReading.ReadAsync(Source(new Random(1), all, 20, newest: 50),
            new Watermark(all[0].At, false), 20, 10, ManualClock.Noon, default)).Gaps, Is.Empty);
    }

    [Test]
    public async Task Full_page_of_the_newest_fills_leaves_a_gap_before_it()
    {
        var all = Enumerable.Range(1, 50).Select(i => Fill("A", "Close Long", "market", tid: i, time: Start + (i * 1000))).ToList();
        FillSource newestFirst = (start, _, _, _) =>
            Task.FromResult(new ReadableList<Fill>(
                [.. all.Where(fill => fill.At >= start).OrderByDescending(fill => fill.Time).Take(20)], []));
        var start = DateTimeOffset.FromUnixTimeMilliseconds(Start);
        var read = await FillReading.ReadAsync(newestFirst, new Watermark(start, IsFill: false), 20, 10, ManualClock.Noon, default);
        Assert.That((read.Fills.Count, read.Gaps.Single()), Is.EqualTo((20, new FillGap(start, all[30].At))));
    }

    [Test]
    public async Task Fill_that_is_gone_and_leaves_nothing_is_a_gap_said_once()
    {
        var watermark = new Watermark(DateTimeOffset.FromUnixTimeMilliseconds(Start), IsFill: true);
        var read = await FillReading.ReadAsync(Source(new Random(1), [], 20), watermark, 20, 10, ManualClock.Noon, default);
        Assert.That(read.Gaps, Is.EqualTo(new[] { new FillGap(watermark.At, ManualClock.Noon) }));
        Assert.That((await FillReading.ReadAsync(Source(new Random(1), [], 20), read.Next, 20, 10, ManualClock.Noon, default)).Gaps,
            Is.Empty);
    }

    [TestCase(40, 40, 1)]
    [TestCase(35, 35, 0)]
    [TestCase(90, 40, 1)]
    public async Task Moment_with_more_fills_than_a_page_is_read_from_both_ends_and_left_behind(int crowd, int expected, int gaps)
    {
        var all = Enumerable.Range(1, crowd)
            .Select(i => Fill("A", "Close Long", "market", tid: i, time: Start + 5))
            .Append(Fill("A", "Close Long", "market", tid: 999, time: Start + 6))
            .ToList();
        var asked = 0;
        var read = await FillReading.ReadAsync(Source(new Random(2), all, 20, asked: () => asked++),
            new Watermark(DateTimeOffset.FromUnixTimeMilliseconds(Start), false), 20, 10, ManualClock.Noon, default);
        Assert.That((read.Fills.Count, read.IsBehind, read.Fills[^1].Tid), Is.EqualTo((expected + 1, false, (long?)999)));
        Assert.That(asked, Is.LessThan(6));
        Assert.That(read.Gaps, Has.Count.EqualTo(gaps));
    }
}
