using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Monitoring.Worker.Recording.Journalling;

/// <summary>Where a record lies that the database does not have yet.</summary>
internal sealed record JournalSlot(long Sequence, DateTimeOffset At, string Segment, int Offset, int Length);

/// <summary>
/// Records on disk in the order in which they came: appended to the newest of several files, flushed before <see cref="Append"/>
/// returns, read and dropped from the front. One process at a time uses a folder. Not safe for several threads.
/// </summary>
internal sealed partial class Journal : IDisposable
{
    private readonly JournalFolder _folder;
    private readonly JournalOptions _options;
    private readonly ILogger _logger;
    private readonly FileStream _lock;
    private readonly SafeFileHandle _position;
    private readonly Queue<JournalSlot> _waiting = [];
    private readonly Dictionary<string, long> _lengths = []; // of every segment
    private (string Path, SafeFileHandle Handle)? _newest;
    private long _next = 1;

    private Journal(JournalOptions options, ILogger logger)
    {
        (_options, _logger, _folder) = (options, logger, new JournalFolder(options.Path));
        DurableFile.CreateFolder(options.Path);
        _lock = Lock(_folder);
        try
        {
            foreach (var problem in PrivateFiles.Tighten(options.Path, JournalFolder.IsOurs))
                LogOpenToOthers(problem);
            _position = File.OpenHandle(_folder.PositionFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
            var drained = JournalPosition.Read(_position);
            _next = drained + 1;
            JournalPosition.Write(_position, drained); // has its place on the disk before the disk is full
            foreach (var segment in _folder.Segments)
                Take(segment, drained);
        }
        catch
        {
            _position?.Dispose();
            _lock.Dispose();
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
    public long Bytes => _lengths.Values.Sum();

    /// <summary>Files that were set aside and that nobody has taken away yet.</summary>
    public IReadOnlyList<string> SetAside => _folder.SetAside;

    /// <summary>Writes a record behind all others; it is on the disk when this returns.</summary>
    /// <exception cref="JournalFullException">When it does not fit into the bytes that the journal may take.</exception>
    /// <exception cref="IOException">When the disk does not take it; nothing of it counts then.</exception>
    public JournalSlot Append(ReadOnlySpan<byte> content, DateTimeOffset at)
    {
        if (_waiting.Count == 0 && Bytes + content.Length > _options.MaxBytes)
            Seal(); // all of it is in the database
        DropDrained();
        var record = JournalFormat.Encode(_next, at, content);
        if (Bytes + record.Length > _options.MaxBytes)
            throw new JournalFullException(
                $"the journal {_options.Path} holds {Bytes} bytes and may hold {_options.MaxBytes} (JOURNAL_MAX_BYTES)");

        var (path, handle) = _newest ??= Begin();
        var offset = _lengths[path];
        try
        {
            RandomAccess.Write(handle, record, offset);
            RandomAccess.FlushToDisk(handle);
        }
        catch (IOException)
        {
            // What was written of it must not count, and after a failed flush nobody knows what the disk has: go on in another file.
            Abandon(path, handle, offset);
            throw;
        }

        _lengths[path] = offset + record.Length;
        var slot = new JournalSlot(_next++, at, path, (int)offset, record.Length);
        _waiting.Enqueue(slot);
        if (_lengths[path] >= _options.SegmentBytes)
            Seal();
        return slot;
    }

    /// <summary>The content of a record. Null when it can no longer be read; it is then set aside.</summary>
    public byte[]? Read(JournalSlot slot)
    {
        var bytes = new byte[slot.Length];
        try
        {
            using var handle = File.OpenHandle(slot.Segment, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var read = 0;
            while (read < bytes.Length && RandomAccess.Read(handle, bytes.AsSpan(read), slot.Offset + read) is var more and > 0)
                read += more;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            LogUnreadable(slot.Segment, slot.Offset, fault.Message);
        }

        if (JournalFormat.ReadAt(bytes, 0) is { } record && record.Sequence == slot.Sequence)
            return bytes.AsSpan(record.ContentOffset, record.ContentLength).ToArray();
        SetAsideBroken(slot.Segment, slot.Offset, bytes);
        return null;
    }

    /// <summary>Says that the oldest record is in the database, or wherever it belongs.</summary>
    public void Drop(JournalSlot oldest)
    {
        if (_waiting.Count == 0 || _waiting.Peek() != oldest)
            throw new InvalidOperationException($"record {oldest.Sequence} is not the oldest");
        _waiting.Dequeue();
        try
        {
            JournalPosition.Write(_position, oldest.Sequence);
        }
        catch (IOException fault)
        {
            // after a restart it is written to the database again, which changes nothing
            LogUnreadable(_folder.PositionFile, oldest.Sequence, fault.Message);
        }

        if (_newest?.Path != oldest.Segment)
            DropDrained();
    }

    /// <summary>Keeps a record, that is whole and that the database refuses for ever, in a file of its own; answers its name.</summary>
    public string KeepRefused(JournalSlot slot, ReadOnlySpan<byte> content)
    {
        var file = _folder.Refused(slot.Sequence);
        DurableFile.Write(file, content);
        return file;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Seal();
        _position.Dispose();
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

    // Reads a file that another process wrote. New records go to a file of their own.
    private void Take(string segment, long drained)
    {
        var bytes = File.ReadAllBytes(segment);
        _lengths[segment] = bytes.Length;
        foreach (var piece in JournalFormat.Scan(bytes))
            if (piece is WholeRecord record)
            {
                _next = Math.Max(_next, record.Sequence + 1);
                if (record.Sequence > drained)
                    _waiting.Enqueue(new JournalSlot(record.Sequence, record.At, segment, record.Offset, record.Length));
            }
            else if (piece is BrokenStretch { Torn: true })
            {
                using var handle = File.OpenHandle(segment, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
                RandomAccess.SetLength(handle, piece.Offset);
                RandomAccess.FlushToDisk(handle);
                _lengths[segment] = piece.Offset;
                LogCut(segment, piece.Offset, piece.Length);
            }
            else
            {
                SetAsideBroken(segment, piece.Offset, bytes.AsSpan(piece.Offset, piece.Length));
            }
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

    private (string, SafeFileHandle) Begin()
    {
        while (File.Exists(_folder.Segment(_next)))
            _next++;
        var path = _folder.Segment(_next);
        var handle = DurableFile.Create(path);
        _lengths[path] = 0;
        return (path, handle);
    }

    private void Seal()
    {
        _newest?.Handle.Dispose();
        _newest = null;
    }

    private void Abandon(string path, SafeFileHandle handle, long length)
    {
        try
        {
            RandomAccess.SetLength(handle, length);
        }
        catch (IOException fault)
        {
            _lengths[path] = RandomAccess.GetLength(handle);
            LogUnreadable(path, length, fault.Message); // the next start finds the stretch by its checksum
        }

        Seal();
        if (length > 0)
            return;
        File.Delete(path);
        _lengths.Remove(path);
    }

    private void DropDrained()
    {
        var oldest = _waiting.TryPeek(out var slot) ? slot.Segment : null;
        foreach (var segment in _lengths.Keys
            .Where(path => path != _newest?.Path && (oldest is null || string.CompareOrdinal(path, oldest) < 0))
            .ToList())
        {
            File.Delete(segment);
            _lengths.Remove(segment);
        }
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
}
