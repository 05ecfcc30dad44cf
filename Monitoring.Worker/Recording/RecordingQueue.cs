using System.Text.Json;
using Monitoring.Worker.Recording.Journalling;

namespace Monitoring.Worker.Recording;

/// <summary>
/// What somebody did to the journal's files, when that was last seen, how many records were written again and how many may be missing.
/// </summary>
internal sealed record JournalIncident(DateTimeOffset At, string What, int Rescued, int Missing);

/// <summary>Why the journal takes nothing, and since when.</summary>
internal sealed record JournalFault(DateTimeOffset Since, bool Full, string Error);

/// <summary>
/// What the database does not have yet, oldest first. It is in the journal as soon as <see cref="Add"/> returns; while the disk does not
/// take it, the newest entries stay in memory up to a bound. Any thread may add; one at a time takes from the front.
/// </summary>
internal sealed partial class RecordingQueue : IDisposable
{
    /// <summary>So many entries are kept in memory at most, and so many bytes of them; past that the oldest are dropped.</summary>
    public const int Capacity = 10_000;

    private const long CapacityBytes = 64 << 20;
    private const int FreshAtMost = 100;
    private const int MovedAtOnce = 100;
    private static readonly TimeSpan OpenEvery = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan IncidentKept = TimeSpan.FromMinutes(10);

    private readonly JournalOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger<RecordingQueue> _logger;
    private readonly Lock _lock = new();
    private readonly LinkedList<(JournalEntry Entry, byte[] Json)> _memory = [];
    private readonly Dictionary<long, JournalEntry> _fresh = []; // spares reading back what was just written
    private Journal? _journal;
    private DateTimeOffset _openedAt = DateTimeOffset.MinValue;
    private long _memoryBytes;
    private long _lookedAt; // at the journal's files
    private (JournalEntry Entry, JournalSlot? Slot)? _oldest; // as last read; without a slot it is in memory alone

    /// <summary>Takes the journal's folder.</summary>
    /// <exception cref="JournalInUseException">Another worker uses it. Other faults of the disk are kept in
    /// <see cref="Fault"/>.</exception>
    public RecordingQueue(JournalOptions options, TimeProvider clock, ILogger<RecordingQueue> logger)
    {
        (_options, _clock, _logger) = (options, clock, logger);
        TryOpen(refuseInUse: true);
    }

    /// <summary>How many entries wait.</summary>
    public int Waiting
    {
        get
        {
            lock (_lock)
                return _memory.Count + (_journal?.Waiting.Count ?? 0);
        }
    }

    /// <summary>How many of them are in memory alone.</summary>
    public int InMemory
    {
        get
        {
            lock (_lock)
                return _memory.Count + (_journal?.FindDisplaced() is null ? 0 : _journal.Waiting.Count);
        }
    }

    /// <summary>Why the journal takes nothing; null while it does.</summary>
    public JournalFault? Fault { get; private set; }

    /// <summary>What was done to the journal's files lately, or null.</summary>
    public JournalIncident? Incident
    {
        get => field is { } incident && (_clock.GetUtcNow() - incident.At).Duration() < IncidentKept ? field : null;
        private set;
    }

    /// <summary>Files that were set aside because they could not be read or stored.</summary>
    public IReadOnlyList<string> SetAside => new JournalFolder(_options.Path).SetAside;

    /// <summary>Adds the newest entry. Returns when it is on the disk, or in memory where the disk does not take it.</summary>
    public void Add(JournalEntry entry)
    {
        var json = entry.ToJson();
        lock (_lock)
        {
            _memory.AddLast((entry, json));
            _memoryBytes += json.Length;
            for (var moved = 0; moved < MovedAtOnce && _memory.First is { } oldest && TryAppend(oldest.Value); moved++)
                RemoveFromMemory(oldest);
            while (_memory.Count > Capacity || (_memoryBytes > CapacityBytes && _memory.Count > 1))
            {
                LogDropped(Encoding(_memory.First!.Value.Json));
                RemoveFromMemory(_memory.First);
            }
        }
    }

    /// <summary>The oldest entry, or null. A record that cannot be read is set aside and passed over.</summary>
    public JournalEntry? Oldest()
    {
        lock (_lock)
        {
            TryOpen(refuseInUse: false);
            if (TimeProvider.System.GetElapsedTime(_lookedAt) >= LookEvery)
                TryRepair();
            while (_journal?.Waiting.FirstOrDefault() is { } slot)
            {
                if ((_fresh.GetValueOrDefault(slot.Sequence) ?? TryRead(slot)) is { } entry)
                {
                    _oldest = (entry, slot);
                    return entry;
                }

                _journal.Drop(slot);
            }

            _oldest = _memory.First is { } first ? (first.Value.Entry, null) : null;
            return _oldest?.Entry;
        }
    }

    /// <summary>Everything that waits and can be read, oldest first. Nothing may be removed meanwhile.</summary>
    public IEnumerable<JournalEntry> ReadAll()
    {
        List<JournalSlot> slots;
        List<JournalEntry> memory;
        lock (_lock)
        {
            TryOpen(refuseInUse: false);
            slots = [.. _journal?.Waiting ?? []];
            memory = [.. _memory.Select(entry => entry.Entry)];
        }

        foreach (var slot in slots)
        {
            JournalEntry? entry;
            lock (_lock)
                entry = _fresh.GetValueOrDefault(slot.Sequence) ?? TryRead(slot);
            if (entry is not null)
                yield return entry;
        }

        foreach (var entry in memory)
            yield return entry;
    }

    /// <summary>Removes what <see cref="Oldest"/> has answered: the database has it.</summary>
    public void RemoveOldest()
    {
        lock (_lock)
            if (_oldest is not { } oldest)
            {
                throw new InvalidOperationException("nothing was read");
            }
            else if (oldest.Slot is { } slot)
            {
                _fresh.Remove(slot.Sequence);
                _journal!.Drop(slot);
            }
            else if (_memory.First is { } first && ReferenceEquals(first.Value.Entry, oldest.Entry))
            {
                RemoveFromMemory(first); // else it went to the journal meanwhile, and is written once more
            }
    }

    /// <summary>Sets aside what <see cref="Oldest"/> has answered, or the part of it that the database will never take.</summary>
    public void SetAsideOldest(JournalEntry? part = null)
    {
        lock (_lock)
            if (_oldest is { Slot: { } slot, Entry: var entry })
                TryKeep(slot, (part ?? entry).ToJson());
        RemoveOldest();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
            _journal?.Dispose();
    }

    private void RemoveFromMemory(LinkedListNode<(JournalEntry Entry, byte[] Json)> node)
    {
        _memoryBytes -= node.Value.Json.Length;
        _memory.Remove(node);
    }

    private bool TryAppend((JournalEntry Entry, byte[] Json) one)
    {
        if (!TryOpen(refuseInUse: false) || !TryRepair())
            return false;
        try
        {
            var slot = Append(_journal!, one.Json);
            if (_fresh.Count < FreshAtMost)
                _fresh[slot.Sequence] = one.Entry;
            if (Fault is { } over)
                LogWritable((_clock.GetUtcNow() - over.Since).TotalSeconds);
            Fault = null;
            return true;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            Report(fault);
            return false;
        }
    }

    // What happens to the files between two looks is repaired, and the record written once more.
    private JournalSlot Append(Journal journal, byte[] json)
    {
        try
        {
            return journal.Append(json, _clock.GetUtcNow());
        }
        catch (JournalDisplacedException)
        {
            Repair(journal);
            return journal.Append(json, _clock.GetUtcNow());
        }
    }

    // Answers whether what waits in the journal is where a later process finds it.
    private bool TryRepair()
    {
        _lookedAt = TimeProvider.System.GetTimestamp();
        if (_journal is null)
            return true;
        try
        {
            Repair(_journal);
            return true;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            Report(fault);
            return false;
        }
    }

    private void Repair(Journal journal)
    {
        if (journal.Repair(sequence => Remember(sequence)?.ToJson()) is not { } repair)
            return;
        var before = Incident;
        Incident = new JournalIncident(
            _clock.GetUtcNow(), repair.What, repair.Rescued + (before?.Rescued ?? 0), repair.Missing + (before?.Missing ?? 0));
    }

    private JournalEntry? Remember(long sequence) =>
        _fresh.GetValueOrDefault(sequence) ?? (_oldest is { Slot: { } slot } oldest && slot.Sequence == sequence ? oldest.Entry : null);

    private bool TryOpen(bool refuseInUse)
    {
        if (_journal is not null)
            return true;
        if ((_clock.GetUtcNow() - _openedAt).Duration() < OpenEvery)
            return false;
        _openedAt = _clock.GetUtcNow();
        try
        {
            _journal = Journal.Open(_options, _logger);
            if (_journal.Waiting.Count > 0)
                LogFound(_journal.Waiting.Count, _options.Path);
            return true;
        }
        catch (Exception fault)
            when ((fault is IOException or UnauthorizedAccessException) && !(refuseInUse && fault is JournalInUseException))
        {
            Report(fault);
            return false;
        }
    }

    private JournalEntry? TryRead(JournalSlot slot)
    {
        if (_journal!.Read(slot) is not { } json)
            return null;
        try
        {
            return JournalEntry.Parse(json);
        }
        catch (Exception fault) when (fault is JsonException or NotSupportedException)
        {
            LogUnknown(slot.Sequence, fault.Message);
            TryKeep(slot, json);
            return null;
        }
    }

    private void TryKeep(JournalSlot slot, byte[] json)
    {
        try
        {
            _journal!.KeepRefused(slot, json);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            LogNotKept(slot.Sequence, fault.Message, Encoding(json));
        }
    }

    private void Report(Exception fault)
    {
        if (Fault is null)
            LogUnwritable(fault.Message, Capacity);
        Fault = new JournalFault(Fault?.Since ?? _clock.GetUtcNow(), fault is JournalFullException, fault.Message);
    }

    private static string Encoding(byte[] json) => System.Text.Encoding.UTF8.GetString(json);

    [LoggerMessage(LogLevel.Information, "{Count} records of an earlier run wait in the journal {Path}")]
    private partial void LogFound(int count, string path);

    [LoggerMessage(LogLevel.Error,
        "the journal does not take results: {Error}. The newest {Capacity} that the database does not have stay in memory")]
    private partial void LogUnwritable(string error, int capacity);

    [LoggerMessage(LogLevel.Information, "the journal takes results again after {Seconds:0} s")]
    private partial void LogWritable(double seconds);

    [LoggerMessage(LogLevel.Critical,
        "neither the database nor the journal takes results and memory holds as many as it may; this one is dropped: {Result}")]
    private partial void LogDropped(string result);

    [LoggerMessage(LogLevel.Critical, "journal record {Sequence} is whole, but this program cannot read it ({Error}); it is set aside")]
    private partial void LogUnknown(long sequence, string error);

    [LoggerMessage(LogLevel.Critical, "journal record {Sequence} could not be set aside ({Error}): {Json}")]
    private partial void LogNotKept(long sequence, string error, string json);
}
