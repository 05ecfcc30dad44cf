using System.Text.Json;
using Npgsql;

namespace Monitoring.Api.Http;

/// <summary>
/// Gives the rows of a page one after the other as the database sends them: at most so many, in the list's order, after a position.
/// </summary>
internal delegate Task StreamRows<TPosition>(Window window, TPosition? after, int limit, Action<NpgsqlDataReader> row,
    CancellationToken cancellationToken);

/// <summary>
/// How a list that is asked for all the time writes its rows without making objects of them: each member of a row is a column of the
/// statement. The bytes are those of the row's view, member by member; the recorded answers hold them together.
/// </summary>
internal sealed class RowJson<TPosition>(string items, Func<NpgsqlDataReader, TPosition> positionOf,
    params (string Name, JsonColumn Kind, int Column)[] members)
{
    private readonly (JsonEncodedText Name, JsonColumn Kind, int Column)[] _members =
        [.. members.Select(member => (JsonEncodedText.Encode(member.Name), member.Kind, member.Column))];

    /// <summary>The name of the list in the page.</summary>
    public string Items => items;

    /// <summary>Where the row stands in the list.</summary>
    public TPosition PositionOf(NpgsqlDataReader reader) => positionOf(reader);

    /// <summary>Writes the row that the reader stands on.</summary>
    public void Write(Utf8JsonWriter json, NpgsqlDataReader reader)
    {
        json.WriteStartObject();
        foreach (var (name, kind, column) in _members)
        {
            json.WritePropertyName(name);
            if (reader.IsDBNull(column))
                json.WriteNullValue();
            else
                Write(json, reader, kind, column);
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, NpgsqlDataReader reader, JsonColumn kind, int column)
    {
        switch (kind)
        {
            case JsonColumn.Time:
                json.WriteTime(reader.GetFieldValue<DateTime>(column));
                break;
            case JsonColumn.Decimal:
                json.WriteDecimal(reader.GetFieldValue<decimal>(column));
                break;
            case JsonColumn.Whole:
                json.WriteNumberValue(reader.GetInt32(column));
                break;
            case JsonColumn.Long:
                json.WriteNumberValue(reader.GetInt64(column));
                break;
            case JsonColumn.Flag:
                json.WriteBooleanValue(reader.GetBoolean(column));
                break;
            case JsonColumn.Text:
                json.WriteStringValue(reader.GetString(column));
                break;
            case JsonColumn.Texts:
                json.WriteStartArray();
                foreach (var text in reader.GetFieldValue<string[]>(column))
                    json.WriteStringValue(text);
                json.WriteEndArray();
                break;
            case JsonColumn.TextCount:
                json.WriteNumberValue(reader.GetFieldValue<string[]>(column).Length);
                break;
        }
    }
}

/// <summary>What a column holds, and so how it is written.</summary>
internal enum JsonColumn { Time, Decimal, Whole, Long, Flag, Text, Texts, TextCount }
