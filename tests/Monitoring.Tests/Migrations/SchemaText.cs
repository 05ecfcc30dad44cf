using System.Diagnostics;
using Dapper;
using Npgsql;

namespace Monitoring.Tests.Migrations;

/// <summary>A database's schema as a text that is the same for the same schema.</summary>
internal static class SchemaText
{
    /// <summary>The version whose pg_dump wrote schema.sql; those of other versions write the same schema in other words.</summary>
    private const int DumpedVersion = 15;

    // Comments, settings and the random key of newer versions say nothing of the schema.
    private static readonly string[] NotSchema = ["--", "SET ", "SELECT pg_catalog.set_config", "\\restrict", "\\unrestrict"];

    // In words that every version has in common: NOT NULL is a mark of the column, which is a constraint of its own from 18 on.
    private const string CatalogueSql = """
        WITH relations AS (
            SELECT oid, relname, relkind, relpersistence, reloptions, relpartbound
              FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')
        ), lines (line) AS (
            SELECT concat_ws(' ', 'relation', relname, 'kind', relkind, relpersistence, reloptions::text, pg_get_expr(relpartbound, oid),
                             CASE relkind WHEN 'p' THEN 'partitioned by ' || pg_get_partkeydef(oid) END)
              FROM relations
            UNION ALL
            SELECT concat_ws(' ', 'column', r.relname, to_char(row_number() OVER (PARTITION BY r.oid ORDER BY a.attnum), 'FM000'),
                             a.attname, format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'not null' END,
                             'default ' || pg_get_expr(d.adbin, d.adrelid),
                             'identity ' || nullif(a.attidentity::text, ''), 'generated ' || nullif(a.attgenerated::text, ''))
              FROM relations AS r
              JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
              LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
             WHERE r.relkind <> 'S'
            UNION ALL
            SELECT concat_ws(' ', 'constraint', r.relname, c.conname, pg_get_constraintdef(c.oid))
              FROM relations AS r JOIN pg_constraint AS c ON c.conrelid = r.oid WHERE c.contype <> 'n'
            UNION ALL
            SELECT concat_ws(' ', 'index', pg_get_indexdef(i.indexrelid), CASE WHEN NOT i.indisvalid THEN 'invalid' END)
              FROM relations AS r JOIN pg_index AS i ON i.indrelid = r.oid
            UNION ALL
            SELECT concat_ws(' ', 'trigger', pg_get_triggerdef(t.oid), t.tgenabled)
              FROM relations AS r JOIN pg_trigger AS t ON t.tgrelid = r.oid WHERE NOT t.tgisinternal
            UNION ALL
            SELECT concat_ws(' ', 'sequence', r.relname, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqcycle)
              FROM relations AS r JOIN pg_sequence AS s ON s.seqrelid = r.oid
            UNION ALL
            SELECT concat_ws(' ', 'function', oid::regprocedure, md5(pg_get_functiondef(oid)))
              FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind IN ('f', 'p')
            UNION ALL
            SELECT concat_ws(' ', 'type', typname, typtype)
              FROM pg_type
             WHERE typnamespace = 'public'::regnamespace AND typtype IN ('d', 'e', 'r')
            UNION ALL
            SELECT concat_ws(' ', 'comment', pg_describe_object(d.classoid, d.objoid, d.objsubid), md5(d.description))
              FROM pg_description AS d
             WHERE d.classoid = 'pg_class'::regclass AND d.objoid IN (SELECT oid FROM relations)
                OR d.classoid = 'pg_proc'::regclass AND d.objoid IN (SELECT oid FROM pg_proc WHERE pronamespace = 'public'::regnamespace)
        )
        SELECT line FROM lines ORDER BY line COLLATE "C"
        """;

    /// <summary>The fullest text there is for this server: what pg_dump writes, or else the catalogue.</summary>
    public static async Task<string> ReadAsync(NpgsqlDataSource db) =>
        await CanDumpAsync(db) ? await DumpAsync(db) : await CatalogueAsync(db);

    /// <summary>Whether the server is of the version that schema.sql was written with.</summary>
    public static async Task<bool> CanDumpAsync(NpgsqlDataSource db)
    {
        await using var connection = await db.OpenConnectionAsync();
        return connection.PostgreSqlVersion.Major == DumpedVersion;
    }

    /// <summary>What the catalogue says of the schema, one line for each part; the same on every version.</summary>
    public static async Task<string> CatalogueAsync(NpgsqlDataSource db)
    {
        await using var connection = await db.OpenConnectionAsync();
        return string.Join('\n', await connection.QueryAsync<string>(CatalogueSql));
    }

    /// <summary>What pg_dump writes.</summary>
    public static async Task<string> DumpAsync(NpgsqlDataSource db)
    {
        var connection = TestDatabase.ConnectionTo(db);
        var start = new ProcessStartInfo("pg_dump")
        {
            ArgumentList =
            {
                "--schema-only", "--no-owner", "--no-privileges", "-h", connection.Host!, "-p", $"{connection.Port}",
                "-U", connection.Username!, connection.Database!,
            },
            Environment = { ["PGPASSWORD"] = connection.Password },
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var dump = Process.Start(start)!;
        var errors = dump.StandardError.ReadToEndAsync();
        var text = await dump.StandardOutput.ReadToEndAsync();
        await dump.WaitForExitAsync();
        Assert.That(dump.ExitCode, Is.Zero, await errors);
        return string.Join('\n', text.Split('\n').Where(line => line.Length > 0 && !NotSchema.Any(line.StartsWith)));
    }
}
