namespace Monitoring.Worker.Recording.Journalling;

/// <summary>
/// What was done about a journal whose files are no longer where they were: <paramref name="Rescued"/> records were written again,
/// <paramref name="Missing"/> could not be had any more.
/// </summary>
internal sealed record JournalRepair(string What, int Rescued, int Missing);

/// <content>
/// What is done when somebody removed, moved or replaced the folder or a file of it: it is made again, and what waits is written there from
/// the files that are still open or from memory. What somebody else has put there is set aside.
/// </content>
internal sealed partial class Journal
{
    /// <summary>
    /// Sees to it that every record that waits is in a file that a later process finds; null where that was so.
    /// <paramref name="remembered"/> gives the content of a record that can no longer be read, where it is known.
    /// </summary>
    /// <exception cref="IOException">It cannot be had at present; the records are read from the open files meanwhile.</exception>
    public JournalRepair? Repair(Func<long, byte[]?> remembered)
    {
        if (FindDisplaced() is not { } what)
            return null;
        DurableFile.CreateFolder(_folder.Path);
        if (!FileIdentity.IsNamedBy(_lock.SafeFileHandle, _folder.LockFile))
        {
            var taken = Lock(_folder);
            _lock.Dispose();
            _lock = taken;
        }

        foreach (var foreign in _folder.Segments.Where(path => !_segments.Exists(segment => segment.Path == path && segment.IsInPlace)))
            LogForeign(foreign, SetAsideFile(foreign));
        var (rescued, missing) = Rewrite(remembered);
        if (!FileIdentity.IsNamedBy(_position, _folder.PositionFile))
        {
            var position = OpenPosition();
            _position.Dispose();
            _position = position;
        }

        JournalPosition.Write(_position, _drained);
        if (FindDisplaced() is { } again)
            throw new JournalDisplacedException(again);
        LogRepaired(what, rescued, missing);
        return new JournalRepair(what, rescued, missing);
    }

    /// <summary>What is not where it was, in words; null where all is.</summary>
    public string? FindDisplaced(bool onlyNewest = false) =>
        _segments.Find(segment =>
            (segment == _newest || (segment.Waiting > 0 && !onlyNewest)) && !segment.IsWhole) is { } segment
            ? Directory.Exists(_folder.Path)
                ? $"the journal's file {segment.Path} was removed, replaced or cut" : $"the journal's folder {_folder.Path} is gone"
        : !FileIdentity.IsNamedBy(_position, _folder.PositionFile)
            ? $"the journal's file {_folder.PositionFile} was removed or replaced"
        : !FileIdentity.IsNamedBy(_lock.SafeFileHandle, _folder.LockFile)
            ? $"the journal's file {_folder.LockFile} was removed or replaced"
        : null;

    // Writes what waits in files that are not whole to new ones, in their order, and lets go of the old ones.
    private (int Rescued, int Missing) Rewrite(Func<long, byte[]?> remembered)
    {
        var displaced = _segments.Where(segment => !segment.IsWhole).ToList();
        if (_newest is not null && displaced.Contains(_newest))
            _newest = null;
        var (kept, missing) = (new Queue<JournalSlot>(), 0);
        var began = new List<JournalSegment>();
        JournalSegment? to = null;
        try
        {
            foreach (var slot in _waiting)
                if (!displaced.Contains(slot.Segment))
                {
                    kept.Enqueue(slot);
                }
                else if ((ReadRecord(slot).Content ?? remembered(slot.Sequence)) is { } content)
                {
                    var record = JournalFormat.Encode(slot.Sequence, slot.At, content);
                    if (to is null || to.Length >= _options.SegmentBytes)
                        began.Add(to = Begin(slot.Sequence));
                    kept.Enqueue(slot with { Segment = to, Offset = to.Append(record), Length = record.Length });
                    to.Waiting++;
                }
                else
                {
                    missing++;
                }
        }
        catch (Exception)
        {
            foreach (var segment in began)
                Remove(segment);
            throw;
        }

        _waiting = kept;
        foreach (var segment in displaced)
            LetGo(segment, missing > 0);
        return (began.Sum(segment => segment.Waiting), missing);
    }

    private void LetGo(JournalSegment segment, bool setAside)
    {
        if (setAside && segment.IsInPlace)
            LogForeign(segment.Path, SetAsideFile(segment.Path));
        Remove(segment);
    }

    // Moves a file out of the way, whole; answers its new name.
    private string SetAsideFile(string path)
    {
        var aside = _folder.Whole(path);
        File.Move(path, aside);
        return aside;
    }

    [LoggerMessage(LogLevel.Critical, "{What}: it was made again, {Rescued} records were written there, {Missing} may be missing")]
    private partial void LogRepaired(string what, int rescued, int missing);

    [LoggerMessage(LogLevel.Critical, "journal: {Segment} is not what this worker wrote; it is set aside whole as {File}")]
    private partial void LogForeign(string segment, string file);
}
