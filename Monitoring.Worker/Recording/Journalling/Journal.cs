using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Monitoring.Worker.Recording.Journalling;

/// <summary>Where a record lies that the database does not have yet.</summary>
internal sealed record JournalSlot(long Sequence, DateTimeOffset At, JournalSegment Segment, int Offset, int Length);

/// <summary>
/// Records on disk in the order in which they came: appended to the newest of several files, flushed before <see cref="Append"/>
/// returns, read and dropped from the front. One process at a time uses a folder. Not safe for several threads.
/// </summary>
internal sealed partial class Journal : IDisposable
{
    private readonly JournalFolder _folder;
    private readonly JournalOptions _options;
    private readonly ILogger _logger;
    private readonly List<JournalSegment> _segments = [];
    private FileStream _lock;
    private SafeFileHandle _position;
    private Queue<JournalSlot> _waiting = [];
    private JournalSegment? _newest; // takes more records
    private long _drained;
    private long _next;

    private Journal(JournalOptions options, ILogger logger)
    {
        (_options, _logger, _folder) = (options, logger, new JournalFolder(options.Path));
        DurableFile.CreateFolder(options.Path);
        _lock = Lock(_folder);
        try
        {
            foreach (var problem in PrivateFiles.Tighten(options.Path, JournalFolder.IsOurs))
                LogOpenToOthers(problem);
            _position = OpenPosition();
            _drained = JournalPosition.Read(_position);
            _next = _drained + 1;
            JournalPosition.Write(_position, _drained); // has its place on the disk before the disk is full
            var found = _folder.Segments.SelectMany(Take).ToList();
            _waiting = new Queue<JournalSlot>(found.OrderBy(slot => slot.Sequence));
        }
        catch
        {
            Close();
            throw;
        }
    }

    /// <summary>Takes the folder, makes it where it is missing, and reads what a worker before left there.</summary>
    /// <exception cref="JournalInUseException">When another worker uses it.</exception>
    /// <exception cref="IOException">When the folder cannot be used.</exception>
    public static Journal Open(JournalOptions options, ILogger logger) => new(options, logger);

    /// <summary>What waits for the database, oldest first.</summary>
    public IReadOnlyCollection<JournalSlot> Waiting => _waiting;

    /// <summary>Bytes on disk.</summary>
    public long Bytes => _segments.Sum(segment => segment.Length);

    /// <summary>Files that were set aside and that nobody has taken away yet.</summary>
    public IReadOnlyList<string> SetAside => _folder.SetAside;

    /// <summary>
    /// Writes a record behind all others; when this returns it is on the disk, in a file that a later process finds.
    /// </summary>
    /// <exception cref="JournalFullException">When it does not fit into the bytes that the journal may take.</exception>
    /// <exception cref="IOException">When the disk does not take it; nothing of it counts then.</exception>
    public JournalSlot Append(ReadOnlySpan<byte> content, DateTimeOffset at)
    {
        if (_waiting.Count == 0 && Bytes + content.Length > _options.MaxBytes)
            _newest = null; // all of it is in the database
        DropDrained();
        var record = JournalFormat.Encode(_next, at, content);
        if (Bytes + record.Length > _options.MaxBytes)
            throw new JournalFullException(
                $"the journal {_options.Path} holds {Bytes} bytes and may hold {_options.MaxBytes} (JOURNAL_MAX_BYTES)");

        var slot = new JournalSlot(_next, at, _newest ??= Begin(_next), (int)_newest.Length, record.Length);
        Write(slot.Segment, record);
        if (FindDisplaced(onlyNewest: true) is { } what)
        {
            Cut(slot.Segment, slot.Offset);
            throw new JournalDisplacedException(what);
        }

        _next++;
        slot.Segment.Waiting++;
        _waiting.Enqueue(slot);
        if (slot.Segment.Length >= _options.SegmentBytes)
            _newest = null;
        return slot;
    }

    /// <summary>The content of a record. Null when it can no longer be read; it is then set aside.</summary>
    public byte[]? Read(JournalSlot slot)
    {
        var (content, bytes) = ReadRecord(slot);
        if (content is null)
            SetAsideBroken(slot.Segment.Path, slot.Offset, bytes);
        return content;
    }

    /// <summary>Says that the oldest record is in the database, or wherever it belongs.</summary>
    public void Drop(JournalSlot oldest)
    {
        if (!_waiting.TryPeek(out var first) || first.Sequence > oldest.Sequence)
            return; // it was lost from the disk since it was read
        if (first.Sequence < oldest.Sequence)
            throw new InvalidOperationException($"record {oldest.Sequence} is not the oldest");
        _waiting.Dequeue();
        first.Segment.Waiting--;
        _drained = first.Sequence;
        try
        {
            JournalPosition.Write(_position, _drained);
        }
        catch (IOException fault)
        {
            // after a restart it is written to the database again, which changes nothing
            LogUnreadable(_folder.PositionFile, _drained, fault.Message);
        }

        if (_newest != first.Segment)
            DropDrained();
    }

    /// <summary>Keeps a record, that is whole and that the database refuses for ever, in a file of its own; answers its name.</summary>
    public string KeepRefused(JournalSlot slot, ReadOnlySpan<byte> content)
    {
        var file = _folder.Refused(slot.Sequence);
        DurableFile.CreateFolder(_folder.Path);
        DurableFile.Write(file, content);
        return file;
    }

    /// <inheritdoc/>
    public void Dispose() => Close();

    private void Close()
    {
        foreach (var segment in _segments)
            segment.Dispose();
        _position?.Dispose();
        _lock.Dispose();
    }

    private static FileStream Lock(JournalFolder folder)
    {
        try
        {
            // The system lets go of it however this process ends. Its text is for people.
            var file = new FileStream(folder.LockFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
            file.SetLength(0);
            file.Write(Encoding.ASCII.GetBytes($"{Environment.MachineName}/{Environment.ProcessId}\n"));
            return file;
        }
        catch (IOException fault) when (fault is not (FileNotFoundException or DirectoryNotFoundException or PathTooLongException)
            && JournalStatus.IsInUse(folder))
        {
            throw new JournalInUseException(
                $"the journal {folder.Path} is in use by another worker; give each worker a JOURNAL_PATH of its own");
        }
    }

    private SafeFileHandle OpenPosition() =>
        File.OpenHandle(_folder.PositionFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);

    // Reads a file that another process wrote, and answers what of it waits. New records go to a file of their own.
    private List<JournalSlot> Take(string path)
    {
        byte[] bytes;
        SafeFileHandle handle;
        try
        {
            bytes = File.ReadAllBytes(path);
            handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // It must not keep all others from being taken.
            LogFileSetAside(path, fault.Message, SetAsideFile(path));
            return [];
        }

        var segment = new JournalSegment(path, handle, bytes.Length, isReadOnly: true);
        _segments.Add(segment);
        var slots = new List<JournalSlot>();
        foreach (var piece in JournalFormat.Scan(bytes))
            if (piece is WholeRecord record)
            {
                _next = Math.Max(_next, record.Sequence + 1);
                if (record.Sequence > _drained)
                    slots.Add(new JournalSlot(record.Sequence, record.At, segment, record.Offset, record.Length));
            }
            else if (piece is BrokenStretch { Torn: true })
            {
                Cut(segment, piece.Offset);
                LogCut(path, piece.Offset, piece.Length);
            }
            else
            {
                SetAsideBroken(path, piece.Offset, bytes.AsSpan(piece.Offset, piece.Length));
            }

        segment.Waiting = slots.Count;
        return slots;
    }

    // A record's content, or null; and the bytes where it should be.
    private (byte[]? Content, byte[] Bytes) ReadRecord(JournalSlot slot)
    {
        var bytes = new byte[slot.Length];
        try
        {
            slot.Segment.Read(bytes, slot.Offset);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            LogUnreadable(slot.Segment.Path, slot.Offset, fault.Message);
        }

        return JournalFormat.ReadAt(bytes, 0) is { } record && record.Sequence == slot.Sequence
            ? (bytes.AsSpan(record.ContentOffset, record.ContentLength).ToArray(), bytes) : (null, bytes);
    }

    private void SetAsideBroken(string segment, int offset, ReadOnlySpan<byte> bytes)
    {
        var file = _folder.Broken(segment, offset);
        if (new FileInfo(file) is { Exists: true } known && known.Length == bytes.Length)
            return; // since an earlier start
        try
        {
            DurableFile.Write(file, bytes);
            LogSetAside(bytes.Length, segment, offset, file);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            LogNotSetAside(bytes.Length, segment, offset, fault.Message, Convert.ToBase64String(bytes));
        }
    }

    private JournalSegment Begin(long first)
    {
        while (File.Exists(_folder.Segment(first)))
            first++;
        var path = _folder.Segment(first);
        var segment = new JournalSegment(path, DurableFile.Create(path), 0);
        _segments.Add(segment);
        return segment;
    }

    private void Write(JournalSegment segment, byte[] record)
    {
        var offset = segment.Length;
        try
        {
            segment.Append(record);
        }
        catch (IOException)
        {
            // What was written of it must not count, and after a failed flush nobody knows what the disk has: go on in another file.
            Cut(segment, offset);
            _newest = null;
            if (offset == 0)
                Remove(segment);
            throw;
        }
    }

    private void Cut(JournalSegment segment, long offset)
    {
        try
        {
            segment.CutAt(offset);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            LogUnreadable(segment.Path, offset, fault.Message); // the next start finds the stretch by its checksum
        }
    }

    private void DropDrained()
    {
        foreach (var segment in _segments.Where(segment => segment != _newest && segment.Waiting == 0).ToList())
            Remove(segment);
    }

    // What has taken the place of the file since is not ours.
    private void Remove(JournalSegment segment)
    {
        if (segment.IsInPlace)
            File.Delete(segment.Path);
        segment.Dispose();
        _segments.Remove(segment);
    }

    [LoggerMessage(LogLevel.Warning, "{Problem}")]
    private partial void LogOpenToOthers(string problem);

    [LoggerMessage(LogLevel.Warning, "journal {Segment}: its last {Length} bytes, from {Offset} on, are the beginning of a record that was "
        + "never finished; they are cut")]
    private partial void LogCut(string segment, int offset, int length);

    [LoggerMessage(LogLevel.Critical, "journal: {Length} bytes of {Segment} at {Offset} are damaged; they are set aside in {File}")]
    private partial void LogSetAside(int length, string segment, int offset, string file);

    [LoggerMessage(
        LogLevel.Critical, "{Bytes} bytes of {Segment} from {Offset} are no record, and could not be set aside ({Error}): {Base64}")]
    private partial void LogNotSetAside(int bytes, string segment, int offset, string error, string base64);

    [LoggerMessage(LogLevel.Error, "journal {Segment} at {Offset}: {Error}")]
    private partial void LogUnreadable(string segment, long offset, string error);

    [LoggerMessage(LogLevel.Critical, "journal {Segment} cannot be read ({Error}); it is set aside whole as {File}")]
    private partial void LogFileSetAside(string segment, string error, string file);
}
