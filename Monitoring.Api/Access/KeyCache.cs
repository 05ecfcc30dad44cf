using System.Security.Cryptography;
using Monitoring.Data.Access;
using Monitoring.Data.Database;

namespace Monitoring.Api.Access;

/// <summary>
/// The valid keys, read anew at most every two seconds: a revoked key stops working by then, and a flood of wrong ones
/// costs the database nothing.
/// </summary>
internal sealed class KeyCache(ApiKeys table, TimeProvider clock)
{
    /// <summary>How old the keys in memory may be.</summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(2);

    /// <summary>How old they may be for what needs no database, while that is away.</summary>
    public static readonly TimeSpan MaxAgeInOutage = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1); // who scrapes does not wait long

    private readonly Lock _lock = new();
    private Task<KeySet>? _reading;
    private KeySet? _last;

    /// <summary>
    /// The keys as they were within the last two seconds. Throws what the database throws; nobody is let in on an older word.
    /// </summary>
    public async Task<KeySet> ReadAsync(CancellationToken cancellationToken)
    {
        Task<KeySet> reading;
        lock (_lock)
        {
            if (_reading is null
                || (_reading.IsCompleted && (!_reading.IsCompletedSuccessfully || clock.GetElapsedTime(_reading.Result.ReadAt) >= MaxAge)))
                _reading = LoadAsync();
            reading = _reading; // all who ask meanwhile wait for the one reading
        }

        return await reading.WaitAsync(cancellationToken);
    }

    /// <summary>
    /// As above; but where the database does not answer, the keys that were read last, if that is at most five minutes ago.
    /// </summary>
    public async Task<KeySet> ReadOrRecallAsync(CancellationToken cancellationToken)
    {
        var reading = ReadAsync(cancellationToken);
        if (_last is not { } last || clock.GetElapsedTime(last.ReadAt) > MaxAgeInOutage)
            return await reading;
        try
        {
            return await reading.WaitAsync(Patience, clock, cancellationToken);
        }
        catch (Exception fault) when (DatabaseFaults.Covers(fault))
        {
            return last;
        }
    }

    private async Task<KeySet> LoadAsync()
    {
        var readAt = clock.GetTimestamp();
        return _last = new KeySet(readAt, await table.ListValidAsync(clock.GetUtcNow(), CancellationToken.None));
    }
}

/// <summary>The keys that were valid at one moment.</summary>
internal sealed class KeySet(long readAt, IReadOnlyList<ApiKeyCheck> keys)
{
    private readonly ILookup<string, ApiKeyCheck> _byPrefix = keys.ToLookup(key => key.Prefix);
    private readonly HashSet<Guid> _ids = [.. keys.Select(key => key.KeyId)];

    /// <summary>The clock's timestamp from before they were read.</summary>
    public long ReadAt => readAt;

    public int Count => keys.Count;

    /// <summary>
    /// The key of this text that works at this time, or null; how long it takes does not tell how much of the text was right.
    /// </summary>
    public ApiKeyCheck? Find(string text, DateTimeOffset now)
    {
        var hash = ApiKeyText.Hash(text);
        ApiKeyCheck? found = null;
        foreach (var key in _byPrefix[ApiKeyText.Prefix(text)])
            if (CryptographicOperations.FixedTimeEquals(key.KeyHash, hash))
                found = key;
        return found is not null && Works(found, now) ? found : null;
    }

    /// <summary>Whether a key that was let in before still works.</summary>
    public bool Works(ApiKeyCheck key, DateTimeOffset now) => _ids.Contains(key.KeyId) && (key.ExpiresAt is null || key.ExpiresAt > now);
}
