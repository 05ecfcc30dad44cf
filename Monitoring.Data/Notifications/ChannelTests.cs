using Dapper;
using Monitoring.Data.Database;

namespace Monitoring.Data.Notifications;

/// <summary>
/// A test message to one channel: <paramref name="Outcome"/> is <c>delivered</c>, <c>retry</c> or <c>dead</c>, the
/// latter two with a reason.
/// </summary>
public sealed record ChannelTest(Guid TestId, string Channel, DateTimeOffset TestedAt, string Outcome, string? Reason);

/// <summary>
/// A channel, when last a worker said that it has it, and when last a message or a test message got through;
/// null where none ever did.
/// </summary>
public sealed record ChannelProof(string Channel, DateTimeOffset ConfiguredAt, DateTimeOffset? ProvenAt);

/// <summary>The table <c>channel_tests</c>.</summary>
public sealed class ChannelTests(DatabaseConnections db)
{
    private const string RecordSql = """
        INSERT INTO channel_tests (test_id, channel, tested_at, outcome, reason)
        VALUES (@TestId, @Channel, @TestedAt, @Outcome, @Reason)
        """;

    /// <summary>Stores what a test found.</summary>
    public async Task RecordAsync(ChannelTest test, CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(new(RecordSql, test, cancellationToken: cancellationToken));
    }

    private const string ListProofsSql = """
        SELECT channel, configured_at,
               greatest(last_delivered_at, (SELECT max(tested_at) FROM channel_tests
                                             WHERE channel_tests.channel = notification_channels.channel
                                               AND outcome = 'delivered')) AS proven_at
          FROM notification_channels
         ORDER BY channel
         LIMIT 100
        """;

    /// <summary>Every channel that a worker ever sent through, by name.</summary>
    public static BatchRows<ChannelProof> ListProofs(DatabaseBatch batch) => batch.Add<ChannelProof>(ListProofsSql);
}
