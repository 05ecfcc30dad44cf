using System.Globalization;
using Monitoring.Api.Http;
using Monitoring.Data.Access;
using Monitoring.Data.Configuration;
using Monitoring.Data.Events;

namespace Monitoring.Api.Access;

/// <summary>
/// Lets a request in or refuses it, before anything else looks at it: by the name it calls us, its key, its share of
/// requests, the key's scope, and, for what changes something, the page it came from. Only the two probes are open.
/// </summary>
internal sealed class AccessGate(
    AccessOptions options, KeyCache keys, AccessLedger ledger, OpenRequests open, TimeProvider clock) : IMiddleware
{
    /// <summary>Who makes a request without a key.</summary>
    public const string Anonymous = "anonymous";

    private const string NotAllowed = "This needs a key that is valid for it.";

    private const string NoKeysBehindProxy = "This came through a proxy, so it needs a key that is valid for it. Make one with "
        + "Monitoring.Worker keys create; API_AUTH=none, said outright, lets everybody read who reaches the proxy.";

    private readonly TokenBuckets _ofKeys = new(clock);
    private readonly TokenBuckets _ofAddresses = new(clock);

    /// <inheritdoc/>
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request.Path.Value is "/health/live" or "/health/ready")
        {
            await next(context);
            return;
        }

        var address = TokenBuckets.Of(context.Connection.RemoteIpAddress);
        if (FindForeignHost(context) is { } host)
        {
            await RefuseAsync(context, address, StatusCodes.Status400BadRequest,
                $"Host: this service is not called {host}; API_ALLOWED_HOSTS says what it is called.");
            return;
        }

        var key = await FindKeyAsync(context);
        var origin = key is null ? address : $"{address} key {key.Name} {key.Prefix}";
        var share = key is null ? _ofAddresses.Take(address, options.RequestsPerMinute) : _ofKeys.Take(key.Prefix, key.RequestsPerMinute);
        Tell(context.Response, key is null ? "address" : "key", key?.RequestsPerMinute ?? options.RequestsPerMinute, share);
        // A browser that is not asked for its key would never send one, however much others of its address ask.
        if (!share.IsTaken && !(NeedsKey(context) && Credentials.AreAbsent(context.Request.Headers)))
        {
            context.Response.Headers.RetryAfter = WholeSeconds(share.NextIn);
            await RefuseAsync(context, origin, StatusCodes.Status429TooManyRequests,
                "There were more requests than agreed; Retry-After says when the next is taken.");
            return;
        }

        if (key is not null)
            ledger.Used(key.KeyId);
        if (FindRefusal(context, key) is var (status, detail))
        {
            if (status == StatusCodes.Status401Unauthorized)
                context.Response.Headers.WWWAuthenticate = Credentials.Challenges;
            await RefuseAsync(context, origin, status, detail);
            return;
        }

        context.Features.Set(new Operator(key?.Name ?? Anonymous, origin));
        await (key is null ? next(context) : open.ServeAsync(context, key, next));
    }

    private async Task<ApiKeyCheck?> FindKeyAsync(HttpContext context)
    {
        if (!NeedsKey(context) || Credentials.Find(context.Request.Headers) is not { } text)
            return null;
        var valid = context.GetEndpoint()?.Metadata.GetMetadata<NoDatabase>() is null
            ? await keys.ReadAsync(context.RequestAborted) : await keys.ReadOrRecallAsync(context.RequestAborted);
        return valid.Find(text, clock.GetUtcNow());
    }

    // One text for whatever is wrong with a key: a thief learns nothing from it.
    private (int Status, string Detail)? FindRefusal(HttpContext context, ApiKeyCheck? key)
    {
        var scope = RequiredScope.Of(context);
        if (NeedsKey(context) && key is null)
            return (StatusCodes.Status401Unauthorized, options.Auth == ApiAuth.Keys ? NotAllowed : NoKeysBehindProxy);
        if (key is not null && !key.Scopes.Contains(SnakeCase.Of(scope)))
            return (StatusCodes.Status403Forbidden, NotAllowed);
        if (scope == ApiScope.Read && RequiredScope.IsReading(context.Request))
            return null;
        if (key is null && (!options.IsLoopback || options.TrustedProxies.Count > 0 || Forwarding.Of(context).IsForwarded))
            return (StatusCodes.Status403Forbidden,
                "Without keys nobody could say who did it: actions need API_AUTH=keys, "
                + "or a service that listens on a loopback address alone, with no proxy in front.");
        return IsFromAnotherSite(context.Request) ? (StatusCodes.Status403Forbidden, "A page of another site may not do this.") : null;
    }

    // Whoever comes through a proxy may be anybody, though the proxy is on this machine.
    private bool NeedsKey(HttpContext context) =>
        options.Auth == ApiAuth.Keys || (options.IsAuthImplied && Forwarding.Of(context).IsForwarded);

    // A browser sends a stored password with every request, whichever page made it; it also says which page that was. Where it says
    // that the page is ours, it knows better than we do: a proxy may have changed the name and the port that we are called by.
    private static bool IsFromAnotherSite(HttpRequest request) => request.Headers["Sec-Fetch-Site"] is { Count: > 0 } sites
        ? sites.Any(site => site is not ("same-origin" or "none"))
        : request.Headers.Origin.Any(origin => !Uri.TryCreate(origin, UriKind.Absolute, out var page)
            || !page.Host.Equals(request.Host.Host, StringComparison.OrdinalIgnoreCase)
            || (request.Host.Port is { } port ? page.Port != port : !page.IsDefaultPort));

    // Not the framework's host filter: that answers a page of its own, before the access log can count the refusal, and knows no probe that
    // is open to any name.
    private string? FindForeignHost(HttpContext context) => options.AllowedHosts.Count == 0 ? null
        : Forwarding.Of(context).Names.FirstOrDefault(name => !options.AllowedHosts.Contains(name, StringComparer.OrdinalIgnoreCase)) switch
        {
            null => null,
            "" => "by no name",
            var foreign => $"'{foreign}'",
        };

    private async Task RefuseAsync(HttpContext context, string origin, int status, string detail)
    {
        ledger.Refused(origin, status, context.Request);
        await TypedResults.Problem(detail, statusCode: status).ExecuteAsync(context);
    }

    private static void Tell(HttpResponse response, string policy, int perMinute, BucketAnswer share)
    {
        response.Headers["RateLimit-Policy"] = $"\"{policy}\";q={perMinute};w=60";
        response.Headers["RateLimit"] =
            $"\"{policy}\";r={share.Remaining};t={WholeSeconds(share.Remaining > 0 ? share.FullIn : share.NextIn)}";
    }

    private static string WholeSeconds(TimeSpan span) => Math.Ceiling(span.TotalSeconds - 1e-6).ToString(CultureInfo.InvariantCulture);
}
