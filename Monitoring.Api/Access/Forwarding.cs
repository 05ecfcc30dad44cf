using System.Net;

namespace Monitoring.Api.Access;

/// <summary>
/// What a request says of a proxy in front of this service, noted before anything is taken over from it: whether it came through one, and
/// every name that it calls the service by.
/// </summary>
internal sealed record Forwarding(bool IsForwarded, IReadOnlyList<string> Names)
{
    private static readonly HashSet<string> Marks = new(StringComparer.OrdinalIgnoreCase)
    {
        "Forwarded", "Via", "X-Real-IP", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP", "X-Original-URL",
    };

    private const string Prefix = "X-Forwarded-";

    /// <summary>As it was noted of this request.</summary>
    public static Forwarding Of(HttpContext context) => context.Features.Get<Forwarding>() ?? Read(context);

    /// <summary>Reads it from a request as it came.</summary>
    public static Forwarding Read(HttpContext context)
    {
        var request = context.Request;
        // By default nginx says nothing of itself, but speaks the old HTTP, which no browser and no library does any more.
        var isForwarded = HttpProtocol.IsHttp10(request.Protocol)
            || request.Headers.Keys.Any(name => name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) || Marks.Contains(name));
        List<string> names = IsOwnAddress(request.Host.Host, context.Connection.LocalIpAddress) ? [] : [request.Host.Host];
        if (!isForwarded)
            return new Forwarding(false, names);
        foreach (var header in request.Headers["X-Forwarded-Host"])
            names.AddRange((header ?? "").Split(',', StringSplitOptions.TrimEntries).Select(text => new HostString(text).Host));
        foreach (var header in request.Headers["Forwarded"])
            names.AddRange((header ?? "").Split([',', ';'], StringSplitOptions.TrimEntries)
                .Where(pair => pair.StartsWith("host=", StringComparison.OrdinalIgnoreCase))
                .Select(pair => new HostString(pair["host=".Length..].Trim('"')).Host));
        return new Forwarding(true, names);
    }

    // A proxy calls by the address that it connects to; no page of another site can make that its own name.
    private static bool IsOwnAddress(string host, IPAddress? local) =>
        local is not null && IPAddress.TryParse(host.Trim('[', ']'), out var named)
        && (named.IsIPv4MappedToIPv6 ? named.MapToIPv4() : named).Equals(local.IsIPv4MappedToIPv6 ? local.MapToIPv4() : local);
}
