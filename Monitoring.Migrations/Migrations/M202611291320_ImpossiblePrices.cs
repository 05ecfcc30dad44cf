using FluentMigrator;

namespace Monitoring.Migrations.Migrations;

/// <summary>A price that nothing has is judged without references, so its row has no reference price.</summary>
[Migration(202611291320, "Oracle prices that are judged without a reference")]
public sealed class ImpossiblePrices : Migration
{
    /// <inheritdoc/>
    public override void Up() => Execute.Sql("""
        ALTER TABLE oracle_deviations ALTER COLUMN reference_price DROP NOT NULL;
        COMMENT ON COLUMN oracle_deviations.reference_price IS
            'Median of the references that were used; null where a price of 0 or below was judged without any.';
        """);

    /// <inheritdoc/>
    public override void Down() => Execute.Sql("""
        UPDATE oracle_deviations SET reference_price = 0 WHERE reference_price IS NULL;
        ALTER TABLE oracle_deviations ALTER COLUMN reference_price SET NOT NULL;
        COMMENT ON COLUMN oracle_deviations.reference_price IS 'Median of the references that were used.';
        """);
}
