using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.Extensions.Options;
using Monitoring.Data.Database;
using JsonOptions = Microsoft.AspNetCore.Http.Json.JsonOptions;

namespace Monitoring.Api.Http;

/// <summary>Reads at most so many rows of a window, in the list's order, after a position.</summary>
internal delegate Task<IReadOnlyList<TRow>> ReadRows<TRow, TPosition>(
    Window window, TPosition? after, int limit, CancellationToken cancellationToken);

/// <summary>
/// A list that is read stretch by stretch by key. As JSON it comes in pages; as CSV or NDJSON whole, or up to
/// <c>limit</c> rows. A long answer is many short statements: no connection, snapshot or lock is held while a client
/// takes its time, and rows that come meanwhile neither shift nor double any.
/// </summary>
internal sealed class ListOf<TPage, TRow, TView, TPosition>(
    WholeParameter limit, Func<TRow, TPosition> positionOf, Func<TRow, TView> show,
    Func<IReadOnlyList<TView>, string?, TPage> toPage, WindowParameters? window = null)
    where TPage : Page<TView> where TPosition : class
{
    private const int StretchRows = 1000;
    private const int RowBytes = 600; // about; a page that is larger takes a larger array

    /// <summary>Declares the list's parameters and forms on its endpoint.</summary>
    public RouteHandlerBuilder Describe(RouteHandlerBuilder endpoint, params QueryParameter[] filters) =>
        PageResult<TPage, TView>.Describe(endpoint).WithParameters([.. filters, .. window?.Parameters ?? [], limit, new CursorParameter()]);

    /// <summary>Answers the request from the rows that <paramref name="read"/> gives.</summary>
    public IResult Answer(ReadRows<TRow, TPosition> read) => new Result(this, read, null);

    /// <summary>As above, but a page of JSON is written from what <paramref name="stream"/> gives, without rows in between.</summary>
    public IResult Answer(ReadRows<TRow, TPosition> read, StreamRows<TPosition> stream) => new Result(this, read, stream);

    /// <summary>How a page of JSON is written from the database's own rows.</summary>
    public RowJson<TPosition>? Json { get; init; }

    private sealed class Result(ListOf<TPage, TRow, TView, TPosition> list, ReadRows<TRow, TPosition> read, StreamRows<TPosition>? stream)
        : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) => list.ExecuteAsync(httpContext, read, stream);
    }

    private async Task ExecuteAsync(HttpContext context, ReadRows<TRow, TPosition> read, StreamRows<TPosition>? stream)
    {
        var services = context.RequestServices;
        var key = await services.GetRequiredService<CursorKey>().ReadAsync(context.RequestAborted);
        Cursor<TPosition>? cursor = null;
        if (context.Request.Query.TryGetValue("before", out var text)
            && (cursor = CursorSeal.Read<TPosition>(key, context.Request, text.ToString())) is null)
        {
            await QueryParameterFilter.Refuse("before", "must be the next of an earlier page of this list, with the same filters")
                .ExecuteAsync(context);
            return;
        }

        var now = services.GetRequiredService<TimeProvider>().GetUtcNow();
        var range = cursor?.WindowAt(now) ?? window?.Read(context.Request, now) ?? Window.UpTo(now);
        if (RowForms.Wanted(context) is var form and not RowForm.Json)
            await WriteRowsAsync(context, form, read, range, cursor?.After);
        else if (stream is not null)
            await StreamPageAsync(context, key, stream, range, cursor?.After);
        else
            await WritePageAsync(context, key, read, range, cursor?.After);
    }

    // The rows are written as they come, and held: how many they are stands before them in the page.
    private async Task StreamPageAsync(HttpContext context, byte[] key, StreamRows<TPosition> stream, Window range, TPosition? after)
    {
        var (count, rows, isMore, last) = (limit.Read(context.Request), 0, false, default(TPosition));
        var encoder = context.RequestServices.GetRequiredService<IOptions<JsonOptions>>().Value.SerializerOptions.Encoder
            ?? JavaScriptEncoder.Default;
        using var held = new PooledBuffer(RowBytes * Math.Min(count, StretchRows));
        await stream(range, after, count + 1, reader =>
        {
            if (isMore = rows == count)
                return;
            held.Write(rows == 0 ? "["u8 : ","u8);
            Json!.Write(held, reader, encoder);
            if (++rows == count)
                last = Json.PositionOf(reader);
        }, context.RequestAborted);
        held.Write(rows == 0 ? "[]"u8 : "]"u8);

        var next = isMore ? CursorSeal.Write(key, context.Request, Cursor<TPosition>.Of(range, last!)) : null;
        context.Response.ContentType = "application/json; charset=utf-8";
        var body = context.Response.Body;
        await body.WriteAsync(Encoding.UTF8.GetBytes($"{{\"success\":true,\"count\":{rows},\"{Json!.Items}\":"), context.RequestAborted);
        await body.WriteAsync(held.Written, context.RequestAborted);
        await body.WriteAsync(Encoding.UTF8.GetBytes(next is null ? ",\"next\":null}" : $",\"next\":\"{next}\"}}"), context.RequestAborted);
    }

    // One row more than asked for tells whether the list goes on.
    private async Task WritePageAsync(HttpContext context, byte[] key, ReadRows<TRow, TPosition> read, Window range, TPosition? after)
    {
        var count = limit.Read(context.Request);
        var rows = await read(range, after, count + 1, context.RequestAborted);
        var next = rows.Count > count
            ? CursorSeal.Write(key, context.Request, Cursor<TPosition>.Of(range, positionOf(rows[count - 1])))
            : null;
        await TypedResults.Ok(toPage([.. rows.Take(count).Select(show)], next)).ExecuteAsync(context);
    }

    private async Task WriteRowsAsync(HttpContext context, RowForm form, ReadRows<TRow, TPosition> read, Window range, TPosition? after)
    {
        var left = context.IsHead() ? 1 : context.Request.Query.ContainsKey("limit") ? limit.Read(context.Request) : int.MaxValue;
        var writer = new RowWriter<TView>(context, form);
        try
        {
            for (var more = true; more;)
            {
                var wanted = Math.Min(left, StretchRows);
                var rows = await read(range, after, wanted, context.RequestAborted);
                foreach (var row in rows)
                    await writer.WriteAsync(show(row));
                await writer.FlushAsync();
                left -= rows.Count;
                more = rows.Count == wanted && left > 0;
                if (more)
                    after = positionOf(rows[^1]);
            }
        }
        catch (Exception fault) when (DatabaseFaults.Covers(fault) && context.Response.HasStarted)
        {
            // The client must not take what it has for the whole: its connection breaks, the answer has no end.
            FaultHandler.LogCutOff(context, fault);
            context.Abort();
        }
    }
}
