using System.Buffers.Binary;

namespace Monitoring.Api.Http;

/// <summary>
/// The text of a <c>numeric</c> from the bytes that PostgreSQL sends of it: how many groups of four decimal digits there are, the weight of
/// the first, the sign and the scale, 16 bits each, then the groups. By way of a decimal it takes longer, and more than 28 digits fail.
/// </summary>
internal static class NumericText
{
    private const int HeadBytes = 8;
    private const int GroupDigits = 4;
    private const ushort Negative = 0x4000;

    /// <summary>How many bytes the text takes at most.</summary>
    public static int MaxLength(ReadOnlySpan<byte> wire)
    {
        var (groups, weight) = Head(wire);
        return GroupDigits * (Math.Max(weight + 1, 0) + Math.Max(groups - weight - 1, 0)) + "-0.".Length;
    }

    /// <summary>Writes the number without trailing zeros; answers the text's length. JSON has no text for NaN and infinity.</summary>
    public static int Format(ReadOnlySpan<byte> wire, Span<byte> text)
    {
        var ((groups, weight), sign) = (Head(wire), BinaryPrimitives.ReadUInt16BigEndian(wire[4..]));
        if (sign is not (0 or Negative))
            throw new InvalidCastException("a numeric that is not a finite number cannot be written as JSON");

        var length = 0;
        if (sign == Negative)
            text[length++] = (byte)'-';
        if (weight < 0)
            text[length++] = (byte)'0';
        else
            length += WriteFirst(Group(wire, groups, 0), text[length..]);
        for (var group = 1; group <= weight; group++)
            length += WriteGroup(Group(wire, groups, group), text[length..]);
        if (groups <= weight + 1)
            return length;

        text[length++] = (byte)'.';
        for (var group = weight + 1; group < groups; group++)
            length += WriteGroup(Group(wire, groups, group), text[length..]);
        return text[..length].TrimEnd((byte)'0').Length;
    }

    private static (int Groups, int Weight) Head(ReadOnlySpan<byte> wire) =>
        (BinaryPrimitives.ReadInt16BigEndian(wire), BinaryPrimitives.ReadInt16BigEndian(wire[2..]));

    // Groups that are zero stand neither before the first nor after the last that is sent.
    private static int Group(ReadOnlySpan<byte> wire, int groups, int group) =>
        group < 0 || group >= groups ? 0 : BinaryPrimitives.ReadInt16BigEndian(wire[(HeadBytes + 2 * group)..]);

    private static int WriteFirst(int value, Span<byte> text)
    {
        var length = value switch { < 10 => 1, < 100 => 2, < 1000 => 3, _ => GroupDigits };
        for (var at = length; at > 0; value /= 10)
            text[--at] = (byte)('0' + value % 10);
        return length;
    }

    private static int WriteGroup(int value, Span<byte> text)
    {
        text[3] = (byte)('0' + value % 10);
        text[2] = (byte)('0' + value / 10 % 10);
        text[1] = (byte)('0' + value / 100 % 10);
        text[0] = (byte)('0' + value / 1000);
        return GroupDigits;
    }
}
