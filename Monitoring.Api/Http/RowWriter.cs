using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Options;
using JsonOptions = Microsoft.AspNetCore.Http.Json.JsonOptions;

namespace Monitoring.Api.Http;

/// <summary>How the items of a list are answered.</summary>
internal enum RowForm { Json, Csv, NdJson }

/// <summary>Chooses the form by the request's <c>Accept</c>.</summary>
internal static class RowForms
{
    public const string Csv = "text/csv";
    public const string NdJson = "application/x-ndjson";

    /// <summary>The best that the client accepts and we have; JSON when it names none of ours.</summary>
    public static RowForm Wanted(HttpContext context)
    {
        context.Response.Headers.Append("Vary", "Accept");
        return (context.Request.GetTypedHeaders().Accept ?? []).OrderByDescending(accepted => accepted.Quality ?? 1)
            .Select(accepted => accepted.MediaType.Value?.ToLowerInvariant() switch
            {
                Csv => RowForm.Csv,
                NdJson => RowForm.NdJson,
                "application/json" or "application/*" or "*/*" => RowForm.Json,
                _ => (RowForm?)null,
            }).FirstOrDefault(form => form is not null) ?? RowForm.Json;
    }
}

/// <summary>
/// Writes rows one after the other as CSV (RFC 4180, with a heading) or NDJSON, and waits whenever the
/// client is slower than we are.
/// </summary>
internal sealed class RowWriter<T>
{
    private const int FlushBytes = 16 * 1024;

    private readonly RowForm _form;
    private readonly JsonSerializerOptions _options;
    private readonly IReadOnlyList<JsonPropertyInfo> _columns;
    private readonly PipeWriter _output;
    private readonly CancellationToken _gone;
    private readonly ArrayBufferWriter<char> _line = new(1024);

    /// <summary>Says in the response's headers what comes, and writes the heading.</summary>
    public RowWriter(HttpContext context, RowForm form)
    {
        (_form, _output, _gone) = (form, context.Response.BodyWriter, context.RequestAborted);
        _options = context.RequestServices.GetRequiredService<IOptions<JsonOptions>>().Value.SerializerOptions;
        _columns = [.. _options.GetTypeInfo(typeof(T)).Properties];
        context.Response.ContentType = form == RowForm.Csv ? $"{RowForms.Csv}; charset=utf-8" : $"{RowForms.NdJson}; charset=utf-8";
        if (form == RowForm.Csv)
            WriteLine((column, _) => column.Name, default!);
    }

    public async ValueTask WriteAsync(T row)
    {
        if (_form == RowForm.Csv)
        {
            WriteLine((column, of) => column.Get!(of!), row);
        }
        else
        {
            using (var json = new Utf8JsonWriter(_output, new JsonWriterOptions { Encoder = _options.Encoder, SkipValidation = true }))
                JsonSerializer.Serialize(json, row, _options);
            _output.Write("\n"u8);
        }

        if (_output.UnflushedBytes >= FlushBytes)
            await FlushAsync();
    }

    public async ValueTask FlushAsync() => await _output.FlushAsync(_gone);

    private void WriteLine(Func<JsonPropertyInfo, T, object?> valueOf, T row)
    {
        _line.ResetWrittenCount();
        for (var i = 0; i < _columns.Count; i++)
        {
            if (i > 0)
                _line.Write(",");
            WriteCell(valueOf(_columns[i], row));
        }

        _line.Write("\r\n");
        Encoding.UTF8.GetBytes(_line.WrittenSpan, _output);
    }

    private void WriteCell(object? value)
    {
        switch (value)
        {
            case null:
                break;
            case string text:
                WriteText(AsText(text));
                break;
            case decimal number:
                WriteFormatted(number, Json.DecimalForm);
                break;
            case DateTimeOffset time:
                WriteFormatted(time.UtcDateTime, Json.TimeForm);
                break;
            case bool yes:
                _line.Write(yes ? "true" : "false");
                break;
            case int or long or double or Guid:
                WriteFormatted((ISpanFormattable)value, default);
                break;
            default:
                var json = JsonSerializer.SerializeToElement(value, value.GetType(), _options);
                WriteText(json.ValueKind == JsonValueKind.String ? AsText(json.GetString()!) : json.GetRawText());
                break;
        }
    }

    private void WriteFormatted(ISpanFormattable value, ReadOnlySpan<char> form)
    {
        value.TryFormat(_line.GetSpan(64), out var written, form, null);
        _line.Advance(written);
    }

    // A spreadsheet reckons with a cell that begins so, and others may have chosen the text.
    private static string AsText(string text) => text.Length > 0 && "=+-@".Contains(text[0], StringComparison.Ordinal) ? $"'{text}" : text;

    private void WriteText(string text) =>
        _line.Write(text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"");
}
