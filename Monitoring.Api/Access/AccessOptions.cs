using System.Net;
using Monitoring.Data.Configuration;

namespace Monitoring.Api.Access;

/// <summary>Who may ask: anybody who reaches the port, or holders of a key.</summary>
public enum ApiAuth { None, Keys }

/// <summary>
/// Who may ask, from where, and how often. <paramref name="IsLoopback"/>: only this machine reaches the port.
/// <paramref name="RequestsPerMinute"/> holds per address where there is no key; no allowed host means any.
/// </summary>
public sealed record AccessOptions(
    ApiAuth Auth, bool IsLoopback, int RequestsPerMinute, IReadOnlyList<IPNetwork> TrustedProxies, IReadOnlyList<string> AllowedHosts)
{
    /// <summary>
    /// Nobody said whether there are keys: what comes through a proxy then needs one, because it is not this machine that asks.
    /// </summary>
    public bool IsAuthImplied { get; init; } = true;

    /// <summary>So many streams one key, or one address without a key, may have open.</summary>
    public int StreamsPerCaller { get; init; } = 100;

    private static readonly string[] LoopbackHosts = ["localhost", "127.0.0.1", "[::1]"];

    /// <summary>Reads the settings of a service that listens on <paramref name="host"/>.</summary>
    public static AccessOptions Read(SettingsReader settings, string host)
    {
        var isLoopback = host == "localhost" || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));
        var proxies = settings.List("Api:TrustedProxies", "API_TRUSTED_PROXIES",
            "addresses or networks of the proxies in front, like 10.0.0.0/8, separated by commas", ParseNetwork);
        var auth = settings.Choice("Api:Auth", "API_AUTH", isLoopback && proxies.Count == 0 ? ApiAuth.None : ApiAuth.Keys,
            "keys; none on a loopback address without proxies");
        var hosts = settings.List("Api:AllowedHosts", "API_ALLOWED_HOSTS",
            "names that requests may call this service by, separated by commas (default: any with keys, else this machine's own)",
            text => Uri.CheckHostName(text.Trim('[', ']')) != UriHostNameType.Unknown ? text.ToLowerInvariant() : null);
        return new AccessOptions(
            auth, isLoopback,
            settings.Whole("Api:RequestsPerMinute", "API_REQUESTS_PER_MINUTE", 600, 1, 1_000_000),
            proxies,
            // Without keys a page of another site could reach this machine's port under a name of its own; it cannot under these.
            hosts.Count == 0 && auth == ApiAuth.None && isLoopback ? LoopbackHosts : hosts)
        {
            IsAuthImplied = !settings.IsGiven("Api:Auth", "API_AUTH"),
            StreamsPerCaller = settings.Whole("Api:StreamsPerCaller", "API_STREAMS_PER_CALLER", 100, 1, 1000),
        };
    }

    private static IPNetwork? ParseNetwork(string text) =>
        IPNetwork.TryParse(text, out var network) ? network
        : IPAddress.TryParse(text, out var address) ? new IPNetwork(address, address.GetAddressBytes().Length * 8)
        : null;
}
