using System.Buffers;
using System.IO.Hashing;

namespace Monitoring.Api.Http;

/// <summary>
/// Gives a successful answer to a GET an ETag over its bytes, and answers 304 when the client has them already. Streams,
/// and rows beyond a megabyte, go out as they come and have none: their bytes are not known before the last of them.
/// </summary>
internal static class EntityTags
{
    private const int MaxHeldBytes = 1024 * 1024;

    public static void UseEntityTags(this IApplicationBuilder app) => app.Use(async (context, next) =>
    {
        if (!HttpMethods.IsGet(context.Request.Method))
        {
            await next(context);
            return;
        }

        var response = context.Response;
        var wire = response.Body;
        await using var held = new HeldBody(response, wire);
        response.Body = held;
        try
        {
            await next(context);
        }
        finally
        {
            response.Body = wire;
        }

        if (held.IsReleased)
            return;
        if (response.StatusCode == StatusCodes.Status200OK)
        {
            // Weak: the same content has other bytes when it is compressed on the way.
            var tag = $"W/\"{XxHash128.HashToUInt128(held.Bytes):x32}\"";
            response.Headers.ETag = tag;
            if (response.Headers.CacheControl.Count == 0)
                response.Headers.CacheControl = "no-cache";
            if (context.Request.Headers.IfNoneMatch.Any(header => header!.Split(',', StringSplitOptions.TrimEntries)
                .Any(given => given is "*" || Bare(given) == Bare(tag))))
            {
                response.StatusCode = StatusCodes.Status304NotModified;
                response.ContentLength = null;
                response.Headers.ContentType = default;
                return;
            }
        }

        response.ContentLength = response.StatusCode is 204 or 304 ? null : held.Length;
        await wire.WriteAsync(held.Memory, context.RequestAborted);
    });

    private static string Bare(string tag) => tag.StartsWith("W/", StringComparison.Ordinal) ? tag[2..] : tag;

    /// <summary>Holds what is written until it is too much, or is the start of an event stream; then passes everything on.</summary>
    private sealed class HeldBody(HttpResponse response, Stream wire) : Stream
    {
        private readonly PooledBuffer _held = new();

        public bool IsReleased { get; private set; }

        public ReadOnlySpan<byte> Bytes => Memory.Span;

        public ReadOnlyMemory<byte> Memory => _held.Written;

        public override bool CanRead => false;

        // Lets a fault throw away what was written before it.
        public override bool CanSeek => !IsReleased;

        public override bool CanWrite => true;

        public override long Length => _held.Length;

        public override long Position { get => _held.Length; set => SetLength(value); }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (!IsReleased && _held.Length + buffer.Length <= MaxHeldBytes
                && response.ContentType?.StartsWith("text/event-stream", StringComparison.Ordinal) != true)
            {
                _held.Write(buffer.Span);
                return;
            }

            if (!IsReleased)
            {
                IsReleased = true;
                response.ContentLength = null;
                response.Headers.CacheControl = "no-store";
                await wire.WriteAsync(Memory, cancellationToken);
                _held.Dispose();
            }

            await wire.WriteAsync(buffer, cancellationToken);
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override Task FlushAsync(CancellationToken cancellationToken) =>
            IsReleased ? wire.FlushAsync(cancellationToken) : Task.CompletedTask;

        // Back alone: to throw away what was written.
        public override void SetLength(long value) => _held.Length = value <= _held.Length ? (int)value
            : throw new NotSupportedException("an answer is only cut");

        public override long Seek(long offset, SeekOrigin origin) =>
            throw new NotSupportedException("an answer is written from its beginning to its end");

        public override void Write(byte[] buffer, int offset, int count) =>
            throw new NotSupportedException("answers are written asynchronously");

        public override void Flush()
        {
        }

        protected override void Dispose(bool disposing)
        {
            _held.Dispose();
            base.Dispose(disposing);
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("an answer is not read");
    }
}
