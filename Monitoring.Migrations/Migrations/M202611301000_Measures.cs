using FluentMigrator;

namespace Monitoring.Migrations.Migrations;

/// <summary>How bad an event is now and was at its worst.</summary>
[Migration(202611301000, "Events say how bad they are and were")]
public sealed class Measures : Migration
{
    /// <inheritdoc/>
    public override void Up() => Execute.Sql("""
        -- Metadata-only change: no rewrite, safe on a live table. None of these stands in an index: every check changes them.
        ALTER TABLE security_events
            ADD COLUMN worsened_at     timestamptz,
            ADD COLUMN measure         text,
            ADD COLUMN unit            text,
            ADD COLUMN current_value   numeric,
            ADD COLUMN worst_value     numeric,
            ADD COLUMN worst_at        timestamptz,
            ADD COLUMN threshold_value numeric,
            ADD COLUMN situation_id    uuid;
        COMMENT ON COLUMN security_events.title IS 'Of the worst so far, at worst_at.';
        COMMENT ON COLUMN security_events.description IS 'Of now, at last_seen_at.';
        COMMENT ON COLUMN security_events.told_measure IS 'The worst value of its measure that people heard of.';
        COMMENT ON COLUMN security_events.worsened_at IS 'When people last heard that it grew worse.';
        COMMENT ON COLUMN security_events.measure IS
            'The value of its evidence that says how bad it is. Null, as the other values, before they were kept.';
        COMMENT ON COLUMN security_events.unit IS 'USD, %, points, s, h, x, or empty.';
        COMMENT ON COLUMN security_events.current_value IS 'At last_seen_at.';
        COMMENT ON COLUMN security_events.threshold_value IS 'Of the severity reached; null where that asks for no value of the measure.';
        COMMENT ON COLUMN security_events.situation_id IS 'The situation that it is part of.';

        SELECT grant_monitoring_roles();
        """);

    /// <inheritdoc/>
    public override void Down() => Execute.Sql("""
        COMMENT ON COLUMN security_events.title IS NULL;
        COMMENT ON COLUMN security_events.description IS NULL;
        COMMENT ON COLUMN security_events.told_measure IS 'While it flaps: the worst measure that people heard of.';
        ALTER TABLE security_events
            DROP COLUMN situation_id, DROP COLUMN threshold_value, DROP COLUMN worst_at, DROP COLUMN worst_value,
            DROP COLUMN current_value, DROP COLUMN unit, DROP COLUMN measure, DROP COLUMN worsened_at;
        """);
}
