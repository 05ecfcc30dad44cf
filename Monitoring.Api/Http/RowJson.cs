using System.Buffers.Text;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Npgsql;

namespace Monitoring.Api.Http;

/// <summary>
/// Gives the rows of a page one after the other as the database sends them: at most so many, in the list's order, after a position.
/// </summary>
internal delegate Task StreamRows<TPosition>(
    Window window, TPosition? after, int limit, Action<NpgsqlDataReader> row, CancellationToken cancellationToken);

/// <summary>What a column holds, and so how it is written.</summary>
internal enum JsonColumn { Time, Decimal, DecimalOrNull, Whole, Flag, Text, TextOrNull, Texts, TextCount }

/// <summary>
/// How a list that is asked for all the time writes its rows without making objects of them: each member of a row is a column of the
/// statement. The bytes are those of the row's view, member by member; the recorded answers hold them together.
/// </summary>
internal sealed class RowJson<TPosition>(
    string items, Func<NpgsqlDataReader, TPosition> positionOf, params (string Name, JsonColumn Kind, int Column)[] members)
{
    private const int MaxNumberLength = 40;
    private const int MaxNumericBytes = 512;

    [ThreadStatic] private static byte[]? _wire;

    // With what stands before the value: {"name": or ,"name":
    private readonly (byte[] Start, JsonColumn Kind, int Column)[] _members =
        [.. members.Select((member, i) =>
            (Encoding.UTF8.GetBytes($"{(i == 0 ? '{' : ',')}\"{member.Name}\":"), member.Kind, member.Column))];

    /// <summary>The name of the list in the page.</summary>
    public string Items => items;

    /// <summary>Where the row stands in the list.</summary>
    public TPosition PositionOf(NpgsqlDataReader reader) => positionOf(reader);

    /// <summary>Writes the row that the reader stands on.</summary>
    public void Write(PooledBuffer output, NpgsqlDataReader reader, JavaScriptEncoder encoder)
    {
        foreach (var (start, kind, column) in _members)
        {
            Put(output, start);
            if (kind is JsonColumn.DecimalOrNull or JsonColumn.TextOrNull && reader.IsDBNull(column))
                Put(output, "null"u8);
            else
                Write(output, reader, kind, column, encoder);
        }

        Put(output, "}"u8);
    }

    private static void Write(PooledBuffer output, NpgsqlDataReader reader, JsonColumn kind, int column, JavaScriptEncoder encoder)
    {
        switch (kind)
        {
            case JsonColumn.Time:
                Put(output, "\""u8);
                output.Advance(JsonText.Format(reader.GetFieldValue<DateTime>(column), output.GetSpan(MaxNumberLength)));
                Put(output, "\""u8);
                break;
            case JsonColumn.Decimal or JsonColumn.DecimalOrNull:
                WriteNumber(output, reader, column);
                break;
            case JsonColumn.Whole:
                WriteWhole(output, reader.GetFieldValue<int>(column));
                break;
            case JsonColumn.TextCount:
                WriteWhole(output, reader.GetFieldValue<string[]>(column).Length);
                break;
            case JsonColumn.Flag:
                Put(output, reader.GetFieldValue<bool>(column) ? "true"u8 : "false"u8);
                break;
            case JsonColumn.Text or JsonColumn.TextOrNull:
                WriteText(output, reader.GetFieldValue<string>(column), encoder);
                break;
            case JsonColumn.Texts:
                WriteTexts(output, reader.GetFieldValue<string[]>(column), encoder);
                break;
        }
    }

    private static void WriteNumber(PooledBuffer output, NpgsqlDataReader reader, int column)
    {
        var wire = _wire ??= new byte[MaxNumericBytes];
        var length = (int)reader.GetBytes(column, 0, wire, 0, MaxNumericBytes);
        if (length == MaxNumericBytes)
            throw new InvalidCastException($"column {reader.GetName(column)} holds a number of a thousand digits or more");
        var number = wire.AsSpan(0, length);
        output.Advance(NumericText.Format(number, output.GetSpan(NumericText.MaxLength(number))));
    }

    private static void WriteWhole(PooledBuffer output, int value)
    {
        Utf8Formatter.TryFormat(value, output.GetSpan(MaxNumberLength), out var length);
        output.Advance(length);
    }

    private static void WriteTexts(PooledBuffer output, string[] texts, JavaScriptEncoder encoder)
    {
        Put(output, "["u8);
        for (var i = 0; i < texts.Length; i++)
        {
            if (i > 0)
                Put(output, ","u8);
            WriteText(output, texts[i], encoder);
        }

        Put(output, "]"u8);
    }

    private static void WriteText(PooledBuffer output, string text, JavaScriptEncoder encoder)
    {
        Put(output, "\""u8);
        if (Ascii.IsValid(text) && !text.AsSpan().ContainsAnyExceptInRange(' ', '~')
            && text.AsSpan().IndexOfAny('"', '\\') < 0 && encoder == Plain)
            output.Advance(Encoding.ASCII.GetBytes(text, output.GetSpan(text.Length)));
        else
            Put(output, JsonEncodedText.Encode(text, encoder).EncodedUtf8Bytes);
        Put(output, "\""u8);
    }

    // What the answers of this service are written by: it leaves printable ASCII as it is, but for quotes and backslashes.
    private static readonly JavaScriptEncoder Plain = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    private static void Put(PooledBuffer output, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(output.GetSpan(bytes.Length));
        output.Advance(bytes.Length);
    }
}
