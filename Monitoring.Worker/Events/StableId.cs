using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Monitoring.Worker.Events;

/// <summary>
/// Ids that follow from what they name, so that two workers, or one before and after the database was away, give
/// the same thing the same id.
/// </summary>
internal static class StableId
{
    /// <summary>
    /// An id in the form of a UUID of version 7: <paramref name="at"/> in milliseconds, then a hash of the
    /// parts instead of random bits.
    /// </summary>
    public static Guid Of(DateTimeOffset at, params IEnumerable<string> parts)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{at.UtcTicks}\n{string.Join('\n', parts)}"));
        Span<byte> id = stackalloc byte[16];
        hash.AsSpan(0, id.Length).CopyTo(id);
        Span<byte> time = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(time, at.ToUnixTimeMilliseconds());
        time[2..].CopyTo(id);
        id[6] = (byte)(0x70 | (id[6] & 0x0F));
        id[8] = (byte)(0x80 | (id[8] & 0x3F));
        return new Guid(id, bigEndian: true);
    }
}
