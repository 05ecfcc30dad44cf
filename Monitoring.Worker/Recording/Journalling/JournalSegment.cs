using Microsoft.Win32.SafeHandles;

namespace Monitoring.Worker.Recording.Journalling;

/// <summary>
/// One file of records. It stays open as long as anything in it waits: what is in a file that somebody removed can be read that way.
/// </summary>
internal sealed class JournalSegment(string path, SafeFileHandle handle, long length, bool isReadOnly = false) : IDisposable
{
    /// <summary>Its name.</summary>
    public string Path => path;

    /// <summary>How many bytes were written to it.</summary>
    public long Length { get; private set; } = length;

    /// <summary>How many of its records the database does not have.</summary>
    public int Waiting { get; set; }

    /// <summary>Whether its name still leads to it.</summary>
    public bool IsInPlace => FileIdentity.IsNamedBy(handle, path);

    /// <summary>Whether it is where it was and as long as it was.</summary>
    public bool IsWhole => RandomAccess.GetLength(handle) == Length && IsInPlace;

    /// <summary>Adds bytes; answers where they begin. They are on the disk when this returns.</summary>
    /// <exception cref="IOException">Nothing of them counts then, and nobody knows what the disk has of the file.</exception>
    public int Append(ReadOnlySpan<byte> bytes)
    {
        var offset = Length;
        RandomAccess.Write(handle, bytes, offset);
        RandomAccess.FlushToDisk(handle);
        Length += bytes.Length;
        return (int)offset;
    }

    /// <summary>Takes back what was written from there on.</summary>
    /// <exception cref="IOException">It stays there.</exception>
    public void CutAt(long offset)
    {
        using var writable = isReadOnly
            ? File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete) : null;
        try
        {
            RandomAccess.SetLength(writable ?? handle, offset);
        }
        finally
        {
            Length = RandomAccess.GetLength(handle);
        }
    }

    /// <summary>Reads into the whole span, as far as there is anything.</summary>
    public void Read(Span<byte> bytes, long offset)
    {
        for (var read = 0; read < bytes.Length && RandomAccess.Read(handle, bytes[read..], offset + read) is var more and > 0;)
            read += more;
    }

    /// <inheritdoc/>
    public void Dispose() => handle.Dispose();
}
