using FluentMigrator;

namespace Monitoring.Migrations.Migrations;

/// <summary>What <c>notify test</c> found.</summary>
[Migration(202611211110, "Tests of notification channels")]
public sealed class ChannelTests : Migration
{
    /// <inheritdoc/>
    public override void Up() => Execute.Sql("""
        CREATE TABLE channel_tests (
            test_id   uuid        PRIMARY KEY,
            channel   text        NOT NULL,
            tested_at timestamptz NOT NULL,
            outcome   text        NOT NULL CHECK (outcome IN ('delivered', 'retry', 'dead')),
            reason    text
        );
        COMMENT ON TABLE channel_tests IS 'Each test message that an operator sent, and what came of it.';
        COMMENT ON COLUMN channel_tests.test_id IS 'The notification id that the receiver saw.';
        CREATE INDEX channel_tests_channel_idx ON channel_tests (channel, outcome, tested_at DESC);

        SELECT grant_monitoring_roles();
        """);

    /// <inheritdoc/>
    public override void Down() => Execute.Sql("DROP TABLE channel_tests;");
}
