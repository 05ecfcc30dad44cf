using Monitoring.Data.Database;
using Monitoring.Data.Venues;

namespace Monitoring.Api.Venues;

/// <summary>Reads the oracle's present deviations for the endpoint.</summary>
internal sealed class OracleReader(DatabaseConnections db, ChangeMarks marks, TimeProvider clock)
{
    private readonly HeldRead<IReadOnlyList<OracleDeviation>> _now = new(db, marks, clock, (batch, now) =>
    {
        var rows = OracleDeviations.ListNow(batch, now);
        return () => new TimedRows<IReadOnlyList<OracleDeviation>>(rows.Rows, DateTimeOffset.MaxValue);
    });

    /// <summary>Each asset's newest row, the largest deviation first, and how old the newest of all is.</summary>
    public async Task<OracleNowPage> ListNowAsync(bool activeOnly, CancellationToken cancellationToken)
    {
        var (rows, now) = await _now.FindAsync(cancellationToken);
        DateTimeOffset? newest = rows.Count == 0 ? null : rows.Max(row => row.ObservedAt);
        return new OracleNowPage(newest, newest is { } at ? AgeOf(at, now) : null,
            [.. rows.Where(row => !activeOnly || row.Severity is not null).OrderByDescending(row => row.Severity).ThenByDescending(row =>
                row.MaxDeviationPct)
                .Select(OracleDeviationView.Of)],
            null);
    }

    /// <summary>Seconds from a check to a moment.</summary>
    public static double AgeOf(DateTimeOffset at, DateTimeOffset now) => Math.Round((now - at).TotalSeconds, 1);
}
