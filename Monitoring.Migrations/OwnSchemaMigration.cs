using System.Text.RegularExpressions;
using FluentMigrator;
using FluentMigrator.Expressions;
using FluentMigrator.Infrastructure;

namespace Monitoring.Migrations;

/// <summary>
/// Runs a migration on our own schema and our own tables, whatever else is in the database: a schema of the account's name, or a
/// search_path without ours, does not lead it elsewhere, and what a released migration grants on all tables of the schema it grants
/// on those that are ours.
/// </summary>
internal sealed partial class OwnSchemaMigration(IMigration migration, bool inTransaction) : IMigration
{
    // In the transaction alone: a session that a pooler gives to another program next must not keep it.
    private const string OwnPathSql = "SET LOCAL search_path = public";

    // Ours is what the migration makes or changes, and the table that counts the migrations.
    private const string OwnTablesSql = """
        pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
                                AND (xmin = pg_current_xact_id()::xid OR relname = 'VersionInfo')
        """;

    /// <summary>The same migration, run on our own.</summary>
    public static MigrationInfo Of(IMigrationInfo migration) => new(
        migration.Version, migration.Description, migration.TransactionBehavior, migration.IsBreakingChange,
        () => new OwnSchemaMigration(migration.Migration, migration.TransactionBehavior == TransactionBehavior.Default));

    /// <inheritdoc/>
    public string ConnectionString => migration.ConnectionString;

    /// <inheritdoc/>
    public void GetUpExpressions(IMigrationContext context) => Narrow(context, migration.GetUpExpressions);

    /// <inheritdoc/>
    public void GetDownExpressions(IMigrationContext context) => Narrow(context, migration.GetDownExpressions);

    private void Narrow(IMigrationContext context, Action<IMigrationContext> getExpressions)
    {
        if (inTransaction)
            context.Expressions.Add(new ExecuteSqlStatementExpression { SqlStatement = OwnPathSql });
        getExpressions(context);
        foreach (var sql in context.Expressions.OfType<ExecuteSqlStatementExpression>())
            sql.SqlStatement = OnAllTables().Replace(sql.SqlStatement,
                $"EXECUTE (SELECT coalesce(string_agg(format('${{grant}} ON public.%I TO ${{role}}', relname), '; '), 'SELECT')\n"
                + $"                                FROM {OwnTablesSql});");
    }

    [GeneratedRegex(@"(?<grant>GRANT [A-Z, ]+?) ON ALL TABLES IN SCHEMA public TO (?<role>\w+);", RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex OnAllTables();
}
