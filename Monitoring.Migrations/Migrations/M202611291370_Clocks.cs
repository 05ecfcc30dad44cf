using FluentMigrator;

namespace Monitoring.Migrations.Migrations;

/// <summary>A check whose worker's clock was wrong is stored under the database's time, and says so.</summary>
[Migration(202611291370, "What the times of a check carry besides its worker's clock")]
public sealed class Clocks : Migration
{
    /// <inheritdoc/>
    public override void Up() => Execute.Sql("""
        -- Metadata-only change: no rewrite, safe on a live table.
        ALTER TABLE check_runs ADD COLUMN clock_offset_seconds numeric;
        COMMENT ON COLUMN check_runs.clock_offset_seconds IS
            'Added to the clock of the worker''s machine, which was wrong by so much; NULL = nothing.';
        """);

    /// <inheritdoc/>
    public override void Down() => Execute.Sql("ALTER TABLE check_runs DROP COLUMN clock_offset_seconds");
}
