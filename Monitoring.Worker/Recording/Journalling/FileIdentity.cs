using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Monitoring.Worker.Recording.Journalling;

/// <summary>
/// Whether an open file is still the one that a path names: a file that was removed, moved or replaced takes everything that is written to
/// it, and nobody finds it again.
/// </summary>
internal static class FileIdentity
{
    // statx is the one call whose answer looks the same on every Linux.
    private const int CurrentFolder = -100;
    private const int EmptyPath = 0x1000;
    private const uint Inode = 0x100;
    private const int AnswerLength = 256;
    private const int InodeOffset = 32;
    private const int DeviceOffset = 136;

    /// <summary>
    /// Whether the path leads to this file. Where the system cannot say it, whether there is a file of at least this length.
    /// </summary>
    public static bool IsNamedBy(SafeFileHandle file, string path)
    {
        if (!OperatingSystem.IsLinux())
            return new FileInfo(path) is { Exists: true } named && named.Length >= RandomAccess.GetLength(file);
        Span<byte> open = stackalloc byte[AnswerLength], found = stackalloc byte[AnswerLength];
        return Stat((int)file.DangerousGetHandle(), "", EmptyPath, open) && Stat(CurrentFolder, path, 0, found)
            && open.Slice(InodeOffset, sizeof(ulong)).SequenceEqual(found.Slice(InodeOffset, sizeof(ulong)))
            && open.Slice(DeviceOffset, sizeof(ulong)).SequenceEqual(found.Slice(DeviceOffset, sizeof(ulong)));
    }

    private static bool Stat(int folder, string path, int flags, Span<byte> answer)
    {
        ref var first = ref MemoryMarshal.GetReference(answer);
        return statx(folder, path, flags, Inode, ref first) == 0 && (BinaryPrimitives.ReadUInt32LittleEndian(answer) & Inode) != 0;
    }

    [DllImport("libc", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int statx(
        int folder, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, uint mask, ref byte answer);
}
