using System.Threading.RateLimiting;
using Monitoring.Data.Configuration;

namespace Monitoring.Api.Http;

/// <summary>An endpoint that limits by itself how many connections all its requests together use.</summary>
internal sealed record PacesItself;

/// <summary>An endpoint that tells how the service does: it is asked when there is too much to do, too.</summary>
internal sealed record AlwaysServed;

/// <summary>
/// Works on as many requests at once as there are connections to the database but one, which is for those who ask how
/// the service does; lets a few wait a little, and tells the others at once to come again: a queue that only grows
/// answers nobody. A stream counts until it has begun; what it reads later it reads in short statements.
/// </summary>
internal sealed class LoadShedding(DatabaseOptions database, TimeProvider clock) : IMiddleware, IDisposable
{
    private const int WaitingPerConnection = 20;
    private const int RetryAfterSeconds = 1;

    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(2);

    private readonly ConcurrencyLimiter _limiter = new(new ConcurrencyLimiterOptions
    {
        PermitLimit = AtOnce(database),
        QueueLimit = AtOnce(database) * WaitingPerConnection,
        QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
    });

    /// <inheritdoc/>
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        // Files need no connection.
        if (context.GetEndpoint()?.Metadata is not { } endpoint || endpoint.GetMetadata<AlwaysServed>() is not null
            || endpoint.GetMetadata<PacesItself>() is not null)
        {
            await next(context);
            return;
        }

        using var lease = await TryAcquireAsync(context.RequestAborted);
        if (!lease.IsAcquired)
        {
            context.Response.Headers.RetryAfter = $"{RetryAfterSeconds}";
            await TypedResults.Problem("There is more to do than can be done at once; this request was not begun.",
                statusCode: StatusCodes.Status503ServiceUnavailable).ExecuteAsync(context);
            return;
        }

        context.Response.OnStarting(() =>
        {
            lease.Dispose();
            return Task.CompletedTask;
        });
        await next(context);
    }

    public void Dispose() => _limiter.Dispose();

    private static int AtOnce(DatabaseOptions database) => Math.Max(1, database.Connection!.MaxPoolSize - 1);

    private async Task<RateLimitLease> TryAcquireAsync(CancellationToken gone)
    {
        if (_limiter.AttemptAcquire() is { IsAcquired: true } free)
            return free;
        using var patience = new CancellationTokenSource(MaxWait, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, gone);
        try
        {
            return await _limiter.AcquireAsync(cancellationToken: either.Token);
        }
        catch (OperationCanceledException) when (!gone.IsCancellationRequested)
        {
            return new NotAcquired();
        }
    }

    private sealed class NotAcquired : RateLimitLease
    {
        public override bool IsAcquired => false;

        public override IEnumerable<string> MetadataNames => [];

        public override bool TryGetMetadata(string metadataName, out object? metadata)
        {
            metadata = null;
            return false;
        }
    }
}

/// <summary>Registers and installs it.</summary>
internal static class LoadSheddingServices
{
    public static IServiceCollection AddLoadShedding(this IServiceCollection services) => services.AddSingleton<LoadShedding>();

    public static void UseLoadShedding(this IApplicationBuilder app) => app.UseMiddleware<LoadShedding>();
}
