using System.Text;
using Monitoring.Worker.Recording.Journalling;

namespace Monitoring.Tests.Recording;

public sealed class JournalFormatTests
{
    private static readonly string[] Contents = ["{\"a\":1}", "{}",
        "{\"text\":\"ein längerer Satz, so that a number has three digits: " + new string('x', 120) + "\"}", "{\"b\":[1,2,3]}"];

    private static byte[] FileOf(params string[] contents) =>
        [.. contents.SelectMany((content, i) => JournalFormat.Encode(
            i + 1, ManualClock.Noon.AddSeconds(i), Encoding.UTF8.GetBytes(content)))];

    private static List<string> Whole(byte[] file) =>
        [.. JournalFormat.Scan(file).OfType<WholeRecord>()
            .Select(record => Encoding.UTF8.GetString(file, record.ContentOffset, record.ContentLength))];

    private static void CoversAll(byte[] file)
    {
        var end = 0;
        foreach (var piece in JournalFormat.Scan(file))
        {
            Assert.That(piece.Offset, Is.EqualTo(end), "no byte is passed over, none is read twice");
            end += piece.Length;
        }

        Assert.That(end, Is.EqualTo(file.Length));
    }

    [Test]
    public void What_was_written_is_read()
    {
        var file = FileOf(Contents);
        Assert.That(Whole(file), Is.EqualTo(Contents));
        Assert.That(JournalFormat.Scan(file).OfType<WholeRecord>().Select(record => (record.Sequence, record.At)),
            Is.EqualTo(Enumerable.Range(0, 4).Select(i => (i + 1L, ManualClock.Noon.AddSeconds(i)))));
        Assert.That(JournalFormat.Scan([]), Is.Empty);
    }

    [Test]
    public void Last_record_cut_anywhere_is_torn_and_all_before_it_are_whole()
    {
        var file = FileOf(Contents);
        var last = JournalFormat.Scan(file)[^1];
        for (var length = last.Offset + 1; length < file.Length; length++)
        {
            var cut = file[..length];
            CoversAll(cut);
            var complete = length == file.Length - 1; // only the line feed is missing, which proves nothing
            Assert.That(Whole(cut), Is.EqualTo(complete ? Contents : Contents[..^1]), $"cut at {length}");
            if (!complete)
                Assert.That(JournalFormat.Scan(cut)[^1], Is.EqualTo(new BrokenStretch(last.Offset, length - last.Offset, Torn: true)));
        }
    }

    [Test]
    public void Byte_changed_anywhere_costs_its_own_record_at_most_and_is_always_seen()
    {
        var file = FileOf(Contents);
        var records = JournalFormat.Scan(file);
        for (var offset = 0; offset < file.Length; offset++)
            foreach (var mask in (byte[])[0x01, 0x04, 0x20, 0x80, 0xFF])
            {
                var damaged = file.ToArray();
                damaged[offset] ^= mask;
                CoversAll(damaged);
                var hit = records.ToList().FindIndex(record => offset < record.Offset + record.Length);
                var isEnd = offset == records[hit].Offset + records[hit].Length - 1;
                Assert.That(Whole(damaged), Is.EqualTo(Contents.Where((_, i) => isEnd || i != hit)), $"byte {offset} changed by {mask}");
                Assert.That(JournalFormat.Scan(damaged).OfType<BrokenStretch>()
                    .Where(broken => !broken.Torn && offset >= broken.Offset && offset < broken.Offset + broken.Length),
                    Has.Exactly(1).Items, $"byte {offset} changed by {mask} is reported");
            }
    }

    [Test]
    public void Anything_else_is_broken_and_ends_nothing()
    {
        var random = new Random(7);
        for (var i = 0; i < 200; i++)
        {
            var noise = new byte[random.Next(1, 300)];
            random.NextBytes(noise);
            byte[] file = [.. FileOf(Contents[..2]), .. noise, .. FileOf(Contents[2..])];
            CoversAll(file);
            Assert.That(Whole(file), Is.EqualTo(Contents));
        }

        Assert.That(JournalFormat.Scan(new byte[4096]), Is.EqualTo(new[] { new BrokenStretch(0, 4096, Torn: true) }),
            "what a loss of power may leave");
    }
}
