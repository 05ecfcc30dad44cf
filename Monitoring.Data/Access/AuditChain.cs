using System.Security.Cryptography;
using System.Text;

namespace Monitoring.Data.Access;

/// <summary>What a reading of the audit log found: how many rows are right from the first on, and the first that is not.</summary>
public sealed record AuditVerdict(long GoodRows, byte[] LastHash, long? BadSeq, string? Problem);

/// <summary>
/// Checks the audit log's chain, with an arithmetic of its own: a changed function in the database cannot hide a changed row.
/// </summary>
public static class AuditChain
{
    private static readonly byte[] Beginning = new byte[SHA256.HashSizeInBytes];

    /// <summary>
    /// Finds the first row that was changed, removed or put in; <paramref name="known"/> is a head that was
    /// noted down elsewhere before.
    /// </summary>
    public static async Task<AuditVerdict> VerifyAsync(
        AuditHead? head, IAsyncEnumerable<AuditRow> rows, AuditHead? known, CancellationToken cancellationToken)
    {
        var (good, last) = (0L, Beginning);
        await foreach (var row in rows.WithCancellation(cancellationToken))
        {
            var next = good + 1;
            var problem = row.Seq > next ? (next, $"is missing; row {row.Seq} follows row {good}")
                : row.Seq < next ? (row.Seq, "was put in: rows are numbered from 1 on")
                : !Hash(row).AsSpan().SequenceEqual(row.Hash) ? (next, "was changed or put in: its hash is not that of its content")
                : !last.AsSpan().SequenceEqual(row.PreviousHash) ? (next, $"does not follow row {good}: one of them was changed or put in")
                : row.Seq == known?.LastSeq && !row.Hash.AsSpan().SequenceEqual(known.LastHash)
                    ? (next, "is not the one that was noted down; it or a row before it was changed")
                : head is not null && next > head.LastSeq ? (next, $"was put in: the log was written up to row {head.LastSeq}")
                : ((long Seq, string Text)?)null;
            if (problem is { } found)
                return new AuditVerdict(good, last, found.Seq, found.Text);
            (good, last) = (next, row.Hash);
        }

        return head is null ? new AuditVerdict(good, last, good + 1, "cannot be judged: the log's head was removed")
            : head.LastSeq > good || known?.LastSeq > good ? new AuditVerdict(
                good, last, good + 1, $"is missing; the log was written up to row {Math.Max(head.LastSeq, known?.LastSeq ?? 0)}")
            : !head.LastHash.AsSpan().SequenceEqual(last)
                ? new AuditVerdict(good, last, Math.Max(good, 1), "was changed: the log's head knows another")
            : new AuditVerdict(good, last, null, null);
    }

    // The same bytes as the database's function audit_log_hash.
    private static byte[] Hash(AuditRow row)
    {
        var text = new StringBuilder().Append(row.Seq).Append(':')
            .Append((row.RecordedAt.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) / TimeSpan.TicksPerMicrosecond);
        foreach (var part in (string[])[row.Actor, row.Origin, row.Action, row.Subject, row.Detail])
            text.Append(':').Append(Encoding.UTF8.GetByteCount(part)).Append(':').Append(part);
        return SHA256.HashData([.. row.PreviousHash, .. Encoding.UTF8.GetBytes(text.ToString())]);
    }
}
