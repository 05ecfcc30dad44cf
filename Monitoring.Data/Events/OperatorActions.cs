using Dapper;
using Monitoring.Data.Database;

namespace Monitoring.Data.Events;

/// <summary>
/// What came of an operator's action: it was done, was so already, came after the event was resolved, or named nothing known.
/// </summary>
public enum ActionOutcome { Done, Unchanged, Resolved, NotFound }

/// <summary>Who acts, and from where: an address or a machine.</summary>
public sealed record Operator(string Actor, string Origin);

/// <summary>
/// The outcome of a silence, and the silence that is now in force; null where nothing was ever found by that fingerprint.
/// </summary>
public sealed record SilenceOutcome(ActionOutcome Outcome, Guid? SilenceId);

/// <summary>What operators do to events, through functions of the database: event, change and audit row in one transaction.</summary>
public sealed class OperatorActions(DatabaseConnections db)
{
    /// <summary>Characters of the longest note.</summary>
    public const int MaxNoteLength = 1000;

    private const string AcknowledgeSql = """
        SELECT acknowledge_event(@eventId, @actor, @origin, @note, @now) AS outcome
        """;

    /// <summary>Somebody looks after the event; it stays open.</summary>
    public Task<ActionOutcome> AcknowledgeAsync(
        Guid eventId, Operator by, string? note, DateTimeOffset now, CancellationToken cancellationToken) =>
        ActAsync(AcknowledgeSql, eventId, by, note, now, cancellationToken);

    private const string ResolveSql = """
        SELECT resolve_event(@eventId, @actor, @origin, @note, @now) AS outcome
        """;

    /// <summary>The event is over; its finding, should it come again, opens another.</summary>
    public Task<ActionOutcome> ResolveAsync(
        Guid eventId, Operator by, string note, DateTimeOffset now, CancellationToken cancellationToken) =>
        ActAsync(ResolveSql, eventId, by, note, now, cancellationToken);

    private const string SilenceSql = """
        SELECT outcome, made_silence AS silence_id
          FROM silence_event(@fingerprint, @until, @actor, @origin, @note, @now)
         LIMIT 1
        """;

    /// <summary>No messages about this fingerprint until then, in place of the silence in force.</summary>
    public async Task<SilenceOutcome> SilenceAsync(
        string fingerprint, DateTimeOffset until, Operator by, string? note, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleAsync<SilenceOutcome>(
            new(SilenceSql, new { fingerprint, until, actor = by.Actor, origin = by.Origin, note, now },
                cancellationToken: cancellationToken));
    }

    private async Task<ActionOutcome> ActAsync(
        string sql, Guid eventId, Operator by, string? note, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QuerySingleAsync<Answer>(
            new(sql, new { eventId, actor = by.Actor, origin = by.Origin, note, now }, cancellationToken: cancellationToken))).Outcome;
    }

    private sealed record Answer(ActionOutcome Outcome);
}
