using Monitoring.Data.Access;
using Npgsql;

namespace Monitoring.Tests.Api;

/// <summary>Keys as the operator's command makes them.</summary>
internal static class KeySample
{
    /// <summary>Stores a key and answers its text.</summary>
    public static async Task<string> AddAsync(
        NpgsqlDataSource db, string name, DateTimeOffset now, int rate = 600, DateTimeOffset? expires = null, params string[] scopes)
    {
        var text = ApiKeyText.Create();
        await using var connection = await db.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await new ApiKeys(db).AddAsync(
            new NewApiKey(Guid.NewGuid(), name, ApiKeyText.Prefix(text), ApiKeyText.Hash(text), scopes, rate, now, "test", expires),
            transaction, default);
        await transaction.CommitAsync();
        return text;
    }
}
