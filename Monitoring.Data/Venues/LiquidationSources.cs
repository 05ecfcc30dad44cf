using System.Text.Json.Serialization;
using Dapper;
using Monitoring.Data.Checks;
using Monitoring.Data.Database;
using Npgsql;

namespace Monitoring.Data.Venues;

/// <summary>
/// How far the fills of one account have been read: without a hole from <paramref name="WatchedSince"/> to
/// <paramref name="ReadUntil"/>, save for the <paramref name="Gaps"/> times that the venue had dropped fills before
/// they were read, last those after <paramref name="LastGapFrom"/>.
/// </summary>
public sealed record LiquidationSource(
    string SourceAddress, bool IsHlpVault, DateTimeOffset WatchedSince, DateTimeOffset ReadUntil, DateTimeOffset? LastFillAt,
    long Gaps, DateTimeOffset? LastGapFrom, DateTimeOffset? LastGapUntil) : Observation
{
    /// <summary>
    /// Whether what was stored lay ahead of its time, because a clock was wrong: then this takes its place though it ends before it.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsSetBack { get; init; }

    /// <summary>The same, set back to what can have been read at a moment: to its last fill, or so far before now.</summary>
    public LiquidationSource NotAhead(DateTimeOffset now, TimeSpan otherwise)
    {
        if (!ReadUntil.IsAhead(now))
            return this;
        var until = LastFillAt is { } fill && !fill.IsAhead(now) ? fill : now - otherwise;
        return this with
        {
            ReadUntil = until, LastFillAt = until == LastFillAt ? until : null, IsSetBack = true,
            WatchedSince = WatchedSince < until ? WatchedSince : until,
        };
    }
}

/// <summary>The table <c>liquidation_sources</c>: the accounts whose fills are followed.</summary>
public sealed class LiquidationSources(DatabaseConnections db) : IObservationTable
{
    private const string Columns = """
        source_address, is_hlp_vault, watched_since, read_until, last_fill_at, gaps, last_gap_from, last_gap_until
        """;

    // A reading that began after the end of what is known leaves a hole between them: it does not move the end, so that the
    // hole is read yet. Times that may be missing travel as text: an array of them cannot be told from one without a time zone.
    private const string UpsertSql = $"""
        INSERT INTO liquidation_sources AS known ({Columns})
        SELECT source_address, is_hlp_vault, watched_since, read_until, last_fill_at::timestamptz, gaps, last_gap_from::timestamptz,
               last_gap_until::timestamptz
          FROM unnest(@addresses, @hlpVaults, @sinces, @untils, @lastFills, @gaps, @gapFroms, @gapUntils) AS row ({Columns})
        ON CONFLICT (source_address) DO UPDATE
           SET is_hlp_vault = excluded.is_hlp_vault, read_until = excluded.read_until, last_fill_at = excluded.last_fill_at,
               gaps = greatest(known.gaps, excluded.gaps), last_gap_from = excluded.last_gap_from, last_gap_until = excluded.last_gap_until
         WHERE (excluded.read_until >= known.read_until AND excluded.watched_since <= known.read_until)
            OR known.source_address = ANY (@setBack)
        """;

    /// <inheritdoc/>
    public KeyedBy KeyedBy => KeyedBy.Source;

    /// <inheritdoc/>
    public async Task<int> InsertAsync(
        IReadOnlyList<Observation> observations, bool someAreThere, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        var rows = observations.OfType<LiquidationSource>().ToList();
        return rows.Count == 0 ? 0 : await transaction.Connection!.ExecuteAsync(new(UpsertSql, new
        {
            addresses = rows.Select(row => row.SourceAddress).ToArray(),
            hlpVaults = rows.Select(row => row.IsHlpVault).ToArray(),
            sinces = rows.Select(row => row.WatchedSince.UtcDateTime).ToArray(),
            untils = rows.Select(row => row.ReadUntil.UtcDateTime).ToArray(),
            lastFills = rows.Select(row => Text(row.LastFillAt)!).ToArray(),
            gaps = rows.Select(row => row.Gaps).ToArray(),
            gapFroms = rows.Select(row => Text(row.LastGapFrom)!).ToArray(),
            setBack = rows.Where(row => row.IsSetBack).Select(row => row.SourceAddress).ToArray(),
            gapUntils = rows.Select(row => Text(row.LastGapUntil)!).ToArray(),
        }, transaction, cancellationToken: cancellationToken));
    }

    private static string? Text(DateTimeOffset? at) => at?.UtcDateTime.ToString("O");

    private const string ListSql = $"""
        SELECT {Columns}
          FROM liquidation_sources
         ORDER BY source_address
         LIMIT 1000
        """;

    /// <summary>As <see cref="ListAsync"/>, as one read among others.</summary>
    public static BatchRows<LiquidationSource> List(DatabaseBatch batch) => batch.Add<LiquidationSource>(ListSql);

    /// <summary>Every account that was ever followed, by address.</summary>
    public async Task<IReadOnlyList<LiquidationSource>> ListAsync(CancellationToken cancellationToken)
    {
        await using var connection = await db.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<LiquidationSource>(new(ListSql, cancellationToken: cancellationToken))).AsList();
    }
}
