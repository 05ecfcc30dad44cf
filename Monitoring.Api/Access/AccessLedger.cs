using System.Text.RegularExpressions;
using Monitoring.Data.Access;
using Monitoring.Data.Logging;
using Monitoring.Data.Supervision;

namespace Monitoring.Api.Access;

/// <summary>
/// Counts the use of keys and the refused requests in memory and writes both twice a minute, off the path of any
/// request. Refusals become a handful of rows in the audit log however many there are: whoever is refused a million
/// times must not fill a disk with it.
/// </summary>
internal sealed partial class AccessLedger(ApiKeys keys, AuditLog audit, Supervisor supervisor, TimeProvider clock)
    : SupervisedService(supervisor)
{
    private const int MaxGroups = 5;
    private const int MaxSampleLength = 200;

    private static readonly TimeSpan Every = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LastWrite = TimeSpan.FromSeconds(3);

    private readonly Lock _lock = new();
    private Dictionary<Guid, ApiKeyUse> _uses = [];
    private Dictionary<(string Origin, int Status), Refusals> _refusals = [];

    private sealed record Refusals(long Count, string First, DateTimeOffset Since);

    /// <summary>Counts one request of a key.</summary>
    public void Used(Guid keyId)
    {
        lock (_lock)
            Add(new ApiKeyUse(keyId, 1, clock.GetUtcNow()));
    }

    /// <summary>Counts one refused request.</summary>
    public void Refused(string origin, int status, HttpRequest request)
    {
        lock (_lock)
        {
            var group = (origin, status);
            if (!_refusals.ContainsKey(group) && _refusals.Count >= MaxGroups)
                group = ("other addresses", 0);
            _refusals[group] = _refusals.TryGetValue(group, out var before)
                ? before with { Count = before.Count + 1 }
                : new Refusals(1, Sample(request), clock.GetUtcNow());
        }
    }

    /// <summary>Writes what was counted; what cannot be written is kept for the next time. Throws what the database throws.</summary>
    public async Task WriteAsync(CancellationToken cancellationToken)
    {
        Dictionary<Guid, ApiKeyUse> uses;
        Dictionary<(string Origin, int Status), Refusals> refusals;
        lock (_lock)
        {
            ((uses, _uses), (refusals, _refusals)) = ((_uses, []), (_refusals, []));
        }

        try
        {
            if (uses.Count > 0)
                await keys.RecordUseAsync([.. uses.Values], cancellationToken);
            uses = [];
            if (refusals.Count > 0)
                await audit.RecordRefusalsAsync([.. refusals.Keys.Select(group => group.Origin)],
                    [.. refusals.Select(group => Describe(group.Key.Status, group.Value))], cancellationToken);
        }
        catch
        {
            Keep(uses, refusals);
            throw;
        }
    }

    /// <inheritdoc/>
    protected override IEnumerable<ServiceLoop> Loops => [new("access ledger", async stopping =>
    {
        await WriteAsync(stopping);
        return Every;
    })];

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        using var patience = new CancellationTokenSource(LastWrite, TimeProvider.System);
        await WriteAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // what is lost then are counts of use
    }

    private void Keep(Dictionary<Guid, ApiKeyUse> uses, Dictionary<(string Origin, int Status), Refusals> refusals)
    {
        lock (_lock)
        {
            foreach (var use in uses.Values)
                Add(use);
            foreach (var (group, earlier) in refusals)
                _refusals[group] =
                    _refusals.TryGetValue(group, out var later) ? earlier with { Count = earlier.Count + later.Count } : earlier;
            while (_refusals.Count > MaxGroups + 1)
                _refusals.Remove(_refusals.MinBy(group => group.Value.Count).Key);
        }
    }

    private void Add(ApiKeyUse use) => _uses[use.KeyId] = _uses.TryGetValue(use.KeyId, out var before)
        ? before with
        {
            Requests = before.Requests + use.Requests,
            LastUsedAt = before.LastUsedAt > use.LastUsedAt ? before.LastUsedAt : use.LastUsedAt,
        }
        : use;

    private static string Describe(int status, Refusals refusals) =>
        $"{(status == 0 ? "refused" : $"{status}")}, {refusals.Count} requests since "
        + $"{refusals.Since.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}, the first {refusals.First}";

    [GeneratedRegex("mk_[A-Za-z0-9_-]{8,}", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex KeyLike();

    private static string Sample(HttpRequest request)
    {
        // Without the query, and without a key that somebody put into the path.
        var text = PlainText.OneLine(KeyLike().Replace($"{request.Method} {request.Path}", "mk_***"));
        return string.Concat(text.Take(MaxSampleLength).Select(c => char.IsSurrogate(c) ? '?' : c));
    }
}
