using Dapper;
using Monitoring.Data.Database;

namespace Monitoring.Data.Notifications;

/// <summary>No messages about what this fingerprint names until then, unless it was ended before.</summary>
public sealed record Silence(
    Guid SilenceId, string Fingerprint, DateTimeOffset Until, string? Note, string CreatedBy, DateTimeOffset CreatedAt,
    DateTimeOffset? EndedAt);

/// <summary>Where a page of silences goes on: after this one.</summary>
public sealed record SilenceCursor(DateTimeOffset CreatedAt, Guid SilenceId);

/// <summary>The table <c>silences</c>. They are made by <see cref="Events.OperatorActions"/>.</summary>
public sealed class Silences(DatabaseConnections db, UnreadableRows? unreadable = null)
{
    private const string Table = "silences";

    private readonly UnreadableRows _unreadable = unreadable ?? new UnreadableRows();

    private const string ListSql = """
        SELECT silence_id, fingerprint, until, left(note, 2000) AS note, left(created_by, 100) AS created_by, created_at, ended_at
          FROM silences
         WHERE (NOT @activeOnly OR silence_id IN (SELECT silence_id FROM silences_in_force(@now)))
           AND silence_id <> ALL (@leftOut)
           AND (@afterSilenceId::uuid IS NULL OR (created_at, silence_id) < (@afterCreatedAt, @afterSilenceId))
         ORDER BY created_at DESC, silence_id DESC
         LIMIT @limit
        """;

    /// <summary>Silences, newest first: those in force at <paramref name="now"/>, or all.</summary>
    public async Task<IReadOnlyList<Silence>> ListAsync(
        bool activeOnly, DateTimeOffset now, SilenceCursor? after, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return await _unreadable.ListAsync<Silence, Guid>(connection, Table, leftOut => new(ListSql, new
        {
            activeOnly, now, afterCreatedAt = after?.CreatedAt, afterSilenceId = after?.SilenceId, limit, leftOut,
        }, cancellationToken: cancellationToken), cancellationToken);
    }

    private const string ListInForceSql = """
        SELECT fingerprint, least(max(until), '9999-01-01Z') AS until
          FROM silences_in_force(@now)
         GROUP BY fingerprint
         ORDER BY fingerprint
         LIMIT 10000
        """;

    /// <summary>The fingerprints that are silenced at <paramref name="now"/>, and until when.</summary>
    public async Task<IReadOnlyDictionary<string, DateTimeOffset>> ListInForceAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<(string Fingerprint, DateTimeOffset Until)>(
            new(ListInForceSql, new { now }, cancellationToken: cancellationToken)))
            .ToDictionary(silence => silence.Fingerprint, silence => silence.Until);
    }

    private const string FindSql = """
        SELECT silence_id, fingerprint, until, left(note, 2000) AS note, left(created_by, 100) AS created_by, created_at, ended_at
          FROM silences
         WHERE silence_id = @silenceId
        """;

    /// <summary>One silence, or null.</summary>
    public async Task<Silence?> FindAsync(Guid silenceId, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return await UnreadableRows.FindAsync<Silence>(
            connection, Table, silenceId, new(FindSql, new { silenceId }, cancellationToken: cancellationToken));
    }
}
