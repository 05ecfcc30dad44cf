using FluentMigrator;

namespace Monitoring.Migrations.Migrations;

/// <summary>The venue's oracle prices against those of other markets.</summary>
[Migration(202611211000, "Deviations of the venue's oracle prices")]
public sealed class OracleDeviations : Migration
{
    /// <inheritdoc/>
    public override void Up() => Execute.Sql("""
        CREATE TABLE oracle_deviations (
            asset                text        NOT NULL,
            observed_at          timestamptz NOT NULL,
            hyperliquid_price    numeric     NOT NULL,
            mark_price           numeric     NOT NULL,
            binance_price        numeric,
            coinbase_price       numeric,
            pyth_price           numeric,
            kraken_price         numeric,
            okx_price            numeric,
            reference_price      numeric     NOT NULL,
            reference_count      integer     NOT NULL,
            left_out             text[]      NOT NULL,
            max_deviation_pct    numeric     NOT NULL,
            max_deviation_source text        NOT NULL,
            breached_since       timestamptz,
            duration_seconds     integer     NOT NULL,
            floor_pct            numeric,
            is_dangerous         boolean     NOT NULL,
            severity             text        CHECK (severity IN ('info', 'low', 'medium', 'high', 'critical')),
            risk_score           numeric,
            recorded_at          timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (asset, observed_at)
        ) PARTITION BY RANGE (observed_at);
        COMMENT ON TABLE oracle_deviations IS 'One row per asset and check wherever a reference price exists; prices in the quote of the venue''s oracle.';
        COMMENT ON COLUMN oracle_deviations.hyperliquid_price IS 'The venue''s oracle price, not its mid.';
        COMMENT ON COLUMN oracle_deviations.reference_price IS 'Median of the references that were used.';
        COMMENT ON COLUMN oracle_deviations.left_out IS 'References that were not used, each with the reason.';
        COMMENT ON COLUMN oracle_deviations.breached_since IS 'First check of the breach without interruption; duration_seconds counts from here.';
        COMMENT ON COLUMN oracle_deviations.floor_pct IS 'The asset''s own floor: below it a deviation is ordinary. Null without enough history.';
        COMMENT ON COLUMN oracle_deviations.risk_score IS 'Null where there were too few references to judge.';
        CREATE INDEX oracle_deviations_observed_idx ON oracle_deviations (observed_at DESC, asset DESC);
        CREATE INDEX oracle_deviations_large_idx ON oracle_deviations (observed_at DESC, asset DESC) WHERE max_deviation_pct >= 0.3;

        SELECT grant_monitoring_roles();
        """);

    /// <inheritdoc/>
    public override void Down() => Execute.Sql("DROP TABLE oracle_deviations;");
}
