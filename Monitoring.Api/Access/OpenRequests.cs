using System.Collections.Concurrent;
using Monitoring.Data.Access;
using Monitoring.Data.Supervision;

namespace Monitoring.Api.Access;

/// <summary>The requests that are being answered by the word of a key. A stream may last for days; it ends when its key does.</summary>
internal sealed class OpenRequests(KeyCache keys, Supervisor supervisor, TimeProvider clock) : SupervisedService(supervisor)
{
    private readonly ConcurrentDictionary<HttpContext, ApiKeyCheck> _open = [];

    /// <summary>Runs the rest of the request, which is cut off once its key is revoked or expired.</summary>
    internal async Task ServeAsync(HttpContext context, ApiKeyCheck key, RequestDelegate next)
    {
        _open[context] = key;
        try
        {
            await next(context);
        }
        finally
        {
            _open.TryRemove(context, out _);
        }
    }

    /// <inheritdoc/>
    protected override IEnumerable<ServiceLoop> Loops => [new("requests of revoked keys", CutAsync)];

    // While the database is away no key can be revoked there, and there is nothing to stream.
    private async Task<TimeSpan?> CutAsync(CancellationToken cancellationToken)
    {
        if (!_open.IsEmpty)
        {
            var valid = await keys.ReadAsync(cancellationToken);
            foreach (var (context, key) in _open)
                if (!valid.Works(key, clock.GetUtcNow()))
                    context.Abort();
        }

        return KeyCache.MaxAge;
    }
}
