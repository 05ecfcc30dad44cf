using System.Net;
using System.Net.Sockets;

namespace Monitoring.Api.Access;

/// <summary>What a bucket says to a request: how many more it takes at once, and when it takes the next where it took none.</summary>
internal readonly record struct BucketAnswer(bool IsTaken, int Remaining, TimeSpan NextIn, TimeSpan FullIn);

/// <summary>One token bucket per caller: it holds a minute's requests and fills evenly.</summary>
internal sealed class TokenBuckets(TimeProvider clock)
{
    private const int MaxBuckets = 20_000;
    private const string Crowd = "crowd";
    private const double Rounding = 1e-9;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, (double Tokens, long At)> _buckets = [];
    private long _forgotAt;

    /// <summary>Takes a token of this caller's bucket, if there is one.</summary>
    public BucketAnswer Take(string caller, int perMinute)
    {
        var (now, perSecond) = (clock.GetTimestamp(), perMinute / 60d);
        lock (_lock)
        {
            if (_buckets.Count >= MaxBuckets && !_buckets.ContainsKey(caller))
            {
                ForgetFull(now);
                if (_buckets.Count >= MaxBuckets)
                    caller = Crowd; // where there are too many to keep apart, the new ones share one
            }

            var (before, at) = _buckets.GetValueOrDefault(caller, (perMinute, now));
            var tokens = Math.Min(perMinute, before + clock.GetElapsedTime(at, now).TotalSeconds * perSecond);
            var isTaken = tokens >= 1 - Rounding;
            if (isTaken)
                tokens = Math.Max(0, tokens - 1);
            _buckets[caller] = (tokens, now);
            return new BucketAnswer(isTaken, (int)(tokens + Rounding), TimeSpan.FromSeconds(Math.Max(0, 1 - tokens) / perSecond),
                TimeSpan.FromSeconds((perMinute - tokens) / perSecond));
        }
    }

    /// <summary>Whose bucket an address uses: its own, or that of its IPv6 network, which one customer has whole.</summary>
    public static string Of(IPAddress? address)
    {
        if (address is null)
            return "";
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        return address.AddressFamily == AddressFamily.InterNetworkV6
            ? $"{new IPAddress([.. address.GetAddressBytes().AsSpan(0, 8), .. new byte[8]])}/64"
            : address.ToString();
    }

    // After a minute without a request every bucket is full, as a new one is.
    private void ForgetFull(long now)
    {
        if (clock.GetElapsedTime(_forgotAt, now) < TimeSpan.FromSeconds(1))
            return;
        _forgotAt = now;
        foreach (var (caller, bucket) in _buckets)
            if (clock.GetElapsedTime(bucket.At, now) >= TimeSpan.FromMinutes(1))
                _buckets.Remove(caller);
    }
}
