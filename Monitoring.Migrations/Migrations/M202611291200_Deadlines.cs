using FluentMigrator;

namespace Monitoring.Migrations.Migrations;

/// <summary>A monitor says how long its checks may take, so that a check that is at work is not read as a gap.</summary>
[Migration(202611291200, "The deadline of each monitor's checks")]
public sealed class Deadlines : Migration
{
    /// <inheritdoc/>
    public override void Up() => Execute.Sql("""
        -- The default is for a worker of before, which does not say it.
        ALTER TABLE monitors ADD COLUMN deadline_seconds integer NOT NULL DEFAULT 60 CHECK (deadline_seconds > 0);
        COMMENT ON COLUMN monitors.deadline_seconds IS 'How long one check may take; until then its absence says nothing.';
        UPDATE monitors SET deadline_seconds = least(greatest(interval_seconds, 5), 60);
        """);

    /// <inheritdoc/>
    public override void Down() => Execute.Sql("ALTER TABLE monitors DROP COLUMN deadline_seconds");
}
