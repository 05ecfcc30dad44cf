using FluentMigrator;

namespace Monitoring.Migrations.Migrations;

/// <summary>Indexes that lead to a monitor's newest success and newest failure, however long ago either was.</summary>
[Migration(202611211500, "The newest success and failure of a monitor are found without reading its ledger")]
public sealed class LatestChecks : Migration
{
    /// <inheritdoc/>
    public override void Up() => Execute.Sql("""
        CREATE INDEX check_runs_success_idx ON check_runs (monitor, scheduled_at) WHERE outcome = 'succeeded' AND trigger = 'grid';
        CREATE INDEX check_runs_failure_idx ON check_runs (monitor, scheduled_at) WHERE outcome <> 'succeeded';
        """);

    /// <inheritdoc/>
    public override void Down() => Execute.Sql("""
        DROP INDEX check_runs_failure_idx;
        DROP INDEX check_runs_success_idx;
        """);
}
