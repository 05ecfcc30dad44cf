using System.Text;
using Microsoft.Extensions.Logging;
using Monitoring.Worker.Recording.Journalling;

namespace Monitoring.Tests.Recording;

public sealed class JournalTests
{
    private readonly string _path = TestFolder.Create();
    private readonly TestLogs _logs = new();

    [TearDown]
    public void TakeFolderAway() => TestFolder.Delete(_path);

    private Journal Open(string? path = null, long maxBytes = 1 << 20, long segmentBytes = 1 << 20) =>
        Journal.Open(new JournalOptions(path ?? _path, maxBytes) { SegmentBytes = segmentBytes }, _logs.For<Journal>());

    private static void Append(Journal journal, params IEnumerable<int> numbers)
    {
        foreach (var number in numbers)
            journal.Append(Encoding.UTF8.GetBytes($$"""{"number":{{number}},"text":"{{new string('x', 50)}}"}"""),
                ManualClock.Noon.AddSeconds(number));
    }

    private static int[] Numbers(Journal journal) =>
        [.. journal.Waiting.Select(slot => int.Parse(Encoding.UTF8.GetString(journal.Read(slot)!)["{\"number\":".Length..].Split(',')[0]))];

    private void InCopy(Action<string> look)
    {
        var copy = TestFolder.CopyOfJournal(_path);
        try
        {
            look(copy);
        }
        finally
        {
            TestFolder.Delete(copy);
        }
    }

    [Test]
    public void Records_are_read_in_order_by_the_next_process()
    {
        using var journal = Open(segmentBytes: 300);
        Append(journal, Enumerable.Range(1, 20));
        InCopy(copy =>
        {
            using var next = Open(copy);
            Assert.That(Numbers(next), Is.EqualTo(Enumerable.Range(1, 20)));
            Append(next, 21);
            Assert.That(Numbers(next), Is.EqualTo(Enumerable.Range(1, 21)));
        });
    }

    [Test]
    public void Process_that_ended_while_draining_goes_on_where_it_was()
    {
        using var journal = Open(segmentBytes: 300);
        Append(journal, Enumerable.Range(1, 20));
        for (var drained = 0; drained <= 20; drained++)
        {
            InCopy(copy =>
            {
                using (var next = Open(copy))
                    Assert.That(Numbers(next), Is.EqualTo(Enumerable.Range(drained + 1, 20 - drained)));
                File.Delete(Path.Combine(copy, "position"));
                using (var next = Open(copy))
                    Assert.That(Numbers(next)[^(20 - drained)..], Is.EqualTo(Enumerable.Range(drained + 1, 20 - drained)),
                        "without its position it begins earlier, never later");
            });
            if (drained < 20)
                journal.Drop(journal.Waiting.First());
        }

        Assert.That(new JournalFolder(_path).Segments, Has.Count.LessThanOrEqualTo(1), "files that the database has are gone");
    }

    [Test]
    public void Last_record_cut_at_any_byte_is_cut_off_and_the_others_are_read()
    {
        using (var journal = Open())
            Append(journal, 1, 2, 3);
        var file = new JournalFolder(_path).Segments.Single();
        var bytes = File.ReadAllBytes(file);
        var last = JournalFormat.Scan(bytes)[^1].Offset;
        for (var length = last + 1; length < bytes.Length - 1; length++)
        {
            File.WriteAllBytes(file, bytes[..length]);
            using (var journal = Open())
                Assert.That(Numbers(journal), Is.EqualTo(new[] { 1, 2 }));
            Assert.That(new FileInfo(file).Length, Is.EqualTo(last));
        }

        Assert.That(_logs.Lines, Has.Exactly(bytes.Length - last - 2).Items.And.All.Matches<(LogLevel Level, string Text)>(line =>
            line.Level == LogLevel.Warning && line.Text.Contains("are cut")));
        Assert.That(new JournalFolder(_path).SetAside, Is.Empty);
    }

    [Test]
    public void Byte_changed_anywhere_sets_one_record_aside_and_the_others_are_read()
    {
        using (var journal = Open())
            Append(journal, 1, 2, 3);
        var folder = new JournalFolder(_path);
        var file = folder.Segments.Single();
        var bytes = File.ReadAllBytes(file);
        for (var offset = 0; offset < bytes.Length; offset++)
        {
            var damaged = bytes.ToArray();
            damaged[offset] ^= 0x40;
            File.WriteAllBytes(file, damaged);
            using (var journal = Open())
                Assert.That(Numbers(journal), Has.Length.EqualTo(bytes[offset] == JournalFormat.End ? 3 : 2).And.Ordered, $"byte {offset}");
            using (Open())
                Assert.That(_logs.Lines.Count(line => line.Level == LogLevel.Critical), Is.EqualTo(offset + 1),
                    "reported once, also after another start");
            var aside = File.ReadAllBytes(folder.SetAside.Single());
            Assert.That(damaged.AsSpan().IndexOf(aside), Is.GreaterThanOrEqualTo(0).And.LessThanOrEqualTo(offset));
            File.Delete(folder.SetAside.Single());
        }
    }

    [Test]
    public void Record_that_goes_bad_after_it_was_written_is_set_aside_when_it_is_read()
    {
        using var journal = Open();
        Append(journal, 1, 2);
        var file = new JournalFolder(_path).Segments.Single();
        using (var change = new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            change.Position = 40;
            change.WriteByte((byte)'!');
        }

        Assert.That(journal.Read(journal.Waiting.First()), Is.Null);
        Assert.That(journal.SetAside, Has.Count.EqualTo(1));
        Assert.That(journal.Read(journal.Waiting.Last()), Is.Not.Null);
    }

    [TestCase(false)]
    [TestCase(true, Description = "found at the start")]
    public void Bad_record_that_no_disk_takes_is_logged_whole_and_holds_up_nothing(bool atStart)
    {
        var folder = new JournalFolder(_path);
        using (var journal = Open())
        {
            Append(journal, 1, 2);
            Directory.CreateDirectory(folder.Broken(folder.Segments.Single(), 0)); // where its file should be
            Damage();
            if (!atStart)
                Assert.That(journal.Read(journal.Waiting.First()), Is.Null);
        }

        if (atStart)
            using (var journal = Open())
                Assert.That(Numbers(journal), Is.EqualTo(new[] { 2 }));
        Assert.That(_logs.Lines, Has.One.Matches<(LogLevel Level, string Text)>(line =>
            line.Level == LogLevel.Critical && line.Text.Contains("could not be set aside")));

        void Damage()
        {
            using var change = new FileStream(folder.Segments.Single(), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            change.Position = 40;
            change.WriteByte((byte)'!');
        }
    }

    [Test]
    public void It_never_takes_more_bytes_than_it_may_and_takes_more_when_the_database_has_some()
    {
        using var journal = Open(maxBytes: 2000, segmentBytes: 500);
        var written = 0;
        Assert.Throws<JournalFullException>(() =>
        {
            while (true)
                Append(journal, ++written);
        });
        Assert.That(journal.Bytes, Is.LessThanOrEqualTo(2000).And.GreaterThan(1800));
        for (var i = 0; i < 10; i++)
            journal.Drop(journal.Waiting.First());
        Append(journal, written);
        Assert.That(Numbers(journal), Is.EqualTo(Enumerable.Range(11, written - 10)));
        foreach (var slot in journal.Waiting.ToList())
            journal.Drop(slot);
        for (var i = 0; i < 1000; i++)
        {
            Append(journal, i);
            journal.Drop(journal.Waiting.First());
        }

        Assert.That(journal.Bytes, Is.LessThanOrEqualTo(2000), "what the database has takes no room");
        Assert.That(() => journal.Append(new byte[2000], ManualClock.Noon),
            Throws.TypeOf<JournalFullException>().With.Message.Contains("JOURNAL_MAX_BYTES"));
    }

    [Test]
    public void Second_worker_is_told_that_the_folder_is_in_use()
    {
        using (Open())
            Assert.That(() => Open(),
                Throws.TypeOf<JournalInUseException>().With.Message.Contains(_path).And.Message.Contains("JOURNAL_PATH"));
        using (Open())
            Assert.That(JournalStatus.Read(new JournalOptions(_path, 1)).InUse, Is.True);
        Assert.That(JournalStatus.Read(new JournalOptions(_path, 1)).InUse, Is.False);
    }

    [Test]
    public void Empty_files_and_huge_records_are_no_trouble()
    {
        File.WriteAllBytes(Path.Combine(_path, "0000000000000000001.journal"), []);
        File.WriteAllBytes(Path.Combine(_path, "position"), []);
        var huge = Encoding.UTF8.GetBytes($"\"{new string('x', 30_000_000)}\"");
        using (var journal = Open(maxBytes: 1 << 30))
            journal.Append(huge, ManualClock.Noon);
        using (var journal = Open(maxBytes: 1 << 30))
            Assert.That(journal.Read(journal.Waiting.Single()).AsSpan().SequenceEqual(huge));
    }

    [Test]
    public void Folder_that_cannot_be_made_is_a_fault_of_the_disk()
    {
        var file = Path.Combine(_path, "file");
        File.WriteAllText(file, "");
        Assert.That(() => Open(Path.Combine(file, "journal")), Throws.InstanceOf<IOException>().And.Not.TypeOf<JournalInUseException>());
    }

    [Test]
    public void Status_tells_what_waits_without_touching_it()
    {
        using var journal = Open();
        Append(journal, 1, 2, 3);
        journal.Drop(journal.Waiting.First());
        var status = JournalStatus.Read(new JournalOptions(_path, 1 << 20));
        Assert.That((status.Records, status.Bytes, status.Oldest, status.Newest, status.Damaged, status.SetAside.Count),
            Is.EqualTo((2, journal.Bytes, (DateTimeOffset?)ManualClock.Noon.AddSeconds(2),
                (DateTimeOffset?)ManualClock.Noon.AddSeconds(3), 0, 0)));
        Assert.That(JournalStatus.Read(new JournalOptions(Path.Combine(_path, "none"), 1)).Records, Is.Zero);
    }
}
