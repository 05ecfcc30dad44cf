using Monitoring.Data.Checks;
using Monitoring.Data.Database;
using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;

namespace Monitoring.Benchmarks.Speed;

/// <summary>Results as an oracle check brings them: so many assets, each against five references.</summary>
internal static class OracleRows
{
    public static CheckResult Result(DateTimeOffset scheduledAt, int assets)
    {
        var rows = Enumerable.Range(0, assets).Select(i => Row($"COIN{i:000}", scheduledAt, 1 + (i * 7.25m))).ToArray<Observation>();
        return new CheckResult(
            new CheckRun("oracle", scheduledAt, CheckTrigger.Grid, scheduledAt, scheduledAt.AddMilliseconds(180),
                CheckOutcome.Succeeded, rows.Length, 0, null, "bench"),
            rows, [], []);
    }

    private static OracleDeviation Row(string asset, DateTimeOffset at, decimal price) => new(
        asset, at, price, price * 1.0001m, price * 1.0002m, price * 0.9999m, price * 1.0003m, price * 0.9998m,
        price * 1.0001m, price, 5, [], 0.0312m, "binance", null, 0, 0.11m, false, null, 2.08m);
}
