using FluentMigrator;

namespace Monitoring.Migrations.Migrations;

/// <summary>Liquidations at the venue, the patterns they make, and the accounts through which they are seen.</summary>
[Migration(202611211010, "Liquidations, their patterns and their sources")]
public sealed class Liquidations : Migration
{
    /// <inheritdoc/>
    public override void Up() => Execute.Sql("""
        CREATE TABLE liquidations (
            coin            text        NOT NULL,
            tid             bigint      NOT NULL,
            liquidated_user text        NOT NULL,
            observed_at     timestamptz NOT NULL,
            method          text        NOT NULL CHECK (method IN ('market', 'backstop', 'adl')),
            side            text        NOT NULL CHECK (side IN ('long', 'short')),
            price           numeric     NOT NULL,
            size            numeric     NOT NULL,
            notional_usd    numeric     NOT NULL,
            counterparty    text,
            hash            text,
            source_address  text        NOT NULL,
            coverage        text        NOT NULL CHECK (coverage IN ('hlp_complete', 'hlp_sample', 'account')),
            recorded_at     timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (coin, tid, liquidated_user, observed_at)
        ) PARTITION BY RANGE (observed_at);
        COMMENT ON TABLE liquidations IS 'One row per fill of a liquidation, as far as the accounts that are followed let it be seen.';
        COMMENT ON COLUMN liquidations.observed_at IS 'The time of the fill, as the venue states it.';
        COMMENT ON COLUMN liquidations.side IS 'The side of the position that was liquidated.';
        COMMENT ON COLUMN liquidations.hash IS 'The transaction; null where the venue gives none.';
        COMMENT ON COLUMN liquidations.source_address IS 'The account in whose fills the row was found.';
        COMMENT ON COLUMN liquidations.coverage IS 'What that source can see: all of this kind against the HLP vaults, a sample, or all of one account.';
        CREATE INDEX liquidations_observed_idx ON liquidations (observed_at DESC, coin DESC, tid DESC, liquidated_user DESC);
        CREATE INDEX liquidations_coin_idx ON liquidations (coin, observed_at DESC, tid DESC, liquidated_user DESC);

        CREATE TABLE liquidation_patterns (
            pattern_id           text        PRIMARY KEY,
            pattern_type         text        NOT NULL CHECK (pattern_type IN ('flash_loan', 'cascade', 'coordinated', 'manipulation', 'adl')),
            subject              text        NOT NULL,
            start_time           timestamptz NOT NULL,
            end_time             timestamptz NOT NULL,
            duration_seconds     numeric     NOT NULL,
            total_liquidated_usd numeric     NOT NULL,
            affected_users       integer     NOT NULL,
            assets_involved      text[]      NOT NULL,
            suspicion_score      numeric     NOT NULL,
            liquidation_count    integer     NOT NULL,
            price_impact         numeric     NOT NULL,
            indicators           jsonb       NOT NULL,
            recorded_at          timestamptz NOT NULL DEFAULT now(),
            updated_at           timestamptz NOT NULL DEFAULT now()
        );
        COMMENT ON TABLE liquidation_patterns IS 'Liquidations that belong together; the id is made of type, subject and start.';
        COMMENT ON COLUMN liquidation_patterns.price_impact IS 'Signed change in percent from the first price to the last.';
        CREATE INDEX liquidation_patterns_start_idx ON liquidation_patterns (start_time DESC, pattern_id DESC);
        CREATE INDEX liquidation_patterns_end_idx ON liquidation_patterns (end_time DESC);

        CREATE TABLE liquidation_sources (
            source_address text        PRIMARY KEY,
            is_hlp_vault   boolean     NOT NULL,
            watched_since  timestamptz NOT NULL,
            read_until     timestamptz NOT NULL,
            last_fill_at   timestamptz,
            gaps           bigint      NOT NULL,
            last_gap_from  timestamptz,
            last_gap_until timestamptz
        );
        COMMENT ON TABLE liquidation_sources IS 'How far the fills of each account have been read; a gap is a stretch that the venue had dropped before it was read.';

        SELECT grant_monitoring_roles();
        """);

    /// <inheritdoc/>
    public override void Down() => Execute.Sql("""
        DROP TABLE liquidation_sources;
        DROP TABLE liquidation_patterns;
        DROP TABLE liquidations;
        """);
}
