using Dapper;
using Monitoring.Data.Database;
using Npgsql;

namespace Monitoring.Data.Access;

/// <summary>What a key allows: to ask, to act on events. Neither includes the other.</summary>
public enum ApiScope { Read, Operate }

/// <summary>A key as it is listed; never the key itself.</summary>
public sealed record ApiKey(
    Guid KeyId, string Name, string Prefix, string[] Scopes, int RequestsPerMinute, DateTimeOffset CreatedAt, string CreatedBy,
    DateTimeOffset? ExpiresAt, DateTimeOffset? RevokedAt, string? RevokedBy, DateTimeOffset? LastUsedAt, long Requests);

/// <summary>What a key is checked by.</summary>
public sealed record ApiKeyCheck(
    Guid KeyId, string Name, string Prefix, byte[] KeyHash, string[] Scopes, int RequestsPerMinute, DateTimeOffset? ExpiresAt);

/// <summary>A key to store.</summary>
public sealed record NewApiKey(
    Guid KeyId, string Name, string Prefix, byte[] KeyHash, string[] Scopes, int RequestsPerMinute,
    DateTimeOffset CreatedAt, string CreatedBy, DateTimeOffset? ExpiresAt);

/// <summary>How often a key was used since this was last recorded, and when last.</summary>
public sealed record ApiKeyUse(Guid KeyId, long Requests, DateTimeOffset LastUsedAt);

/// <summary>The table <c>api_keys</c>.</summary>
public sealed class ApiKeys(DatabaseConnections db)
{
    /// <summary>How many keys may be valid at once: the read service holds them all in memory.</summary>
    public const int MaxValid = 10_000;

    private const string AddSql = """
        INSERT INTO api_keys (key_id, name, prefix, key_hash, scopes, requests_per_minute, created_at, created_by, expires_at)
        SELECT @KeyId, @Name, @Prefix, @KeyHash, @Scopes, @RequestsPerMinute, @CreatedAt, @CreatedBy, @ExpiresAt
         WHERE (SELECT count(*) FROM api_keys WHERE revoked_at IS NULL) < @most
        ON CONFLICT (name) WHERE revoked_at IS NULL DO NOTHING
        """;

    /// <summary>Stores a key; false when its name is taken by one that is not revoked, or there are too many.</summary>
    public async Task<bool> AddAsync(NewApiKey key, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        var parameters = new DynamicParameters(key);
        parameters.Add("most", MaxValid);
        return await transaction.Connection!.ExecuteAsync(new(AddSql, parameters, transaction, cancellationToken: cancellationToken)) == 1;
    }

    private const string RevokeSql = """
        UPDATE api_keys
           SET revoked_at = @now, revoked_by = @actor
         WHERE revoked_at IS NULL AND (name = @named OR prefix = @named OR key_id::text = @named)
        RETURNING key_id, name, prefix, scopes, requests_per_minute, created_at, created_by, expires_at, revoked_at, revoked_by,
                  last_used_at, requests
        """;

    /// <summary>Revokes the keys of this name, prefix or id; the answer says which.</summary>
    public async Task<IReadOnlyList<ApiKey>> RevokeAsync(
        string named, string actor, DateTimeOffset now, NpgsqlTransaction transaction, CancellationToken cancellationToken) =>
        (await transaction.Connection!.QueryAsync<ApiKey>(
            new(RevokeSql, new { named, actor, now }, transaction, cancellationToken: cancellationToken))).AsList();

    private const string ListSql = """
        SELECT key_id, name, prefix, scopes, requests_per_minute, created_at, created_by, expires_at, revoked_at, revoked_by, last_used_at,
               requests
          FROM api_keys
         ORDER BY revoked_at NULLS FIRST, name, created_at
         LIMIT @limit
        """;

    /// <summary>All keys, those that are not revoked first.</summary>
    public async Task<IReadOnlyList<ApiKey>> ListAsync(CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<ApiKey>(
            new(ListSql, new { limit = 2 * MaxValid }, cancellationToken: cancellationToken))).AsList();
    }

    private const string ListValidSql = """
        SELECT key_id, name, prefix, key_hash, scopes, requests_per_minute, expires_at
          FROM api_keys
         WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > @now)
         LIMIT @limit
        """;

    /// <summary>The keys that work now.</summary>
    public async Task<IReadOnlyList<ApiKeyCheck>> ListValidAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<ApiKeyCheck>(
            new(ListValidSql, new { now, limit = MaxValid }, cancellationToken: cancellationToken))).AsList();
    }

    private const string RecordUseSql = """
        SELECT record_key_usage(@keyIds, @requestCounts, @times)
        """;

    /// <summary>Adds what was counted since the last call.</summary>
    public async Task RecordUseAsync(IReadOnlyList<ApiKeyUse> uses, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(new(RecordUseSql, new
        {
            keyIds = uses.Select(use => use.KeyId).ToArray(),
            requestCounts = uses.Select(use => use.Requests).ToArray(),
            times = uses.Select(use => use.LastUsedAt.UtcDateTime).ToArray(),
        }, cancellationToken: cancellationToken));
    }
}
