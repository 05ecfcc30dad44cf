using System.Text.Json.Nodes;
using Monitoring.Simulator.Model;

namespace Monitoring.Simulator.Info;

/// <summary>The answer to portfolio: eight periods of fixed samples on an absolute grid, each ending in a live point.</summary>
internal static class PortfolioAnswer
{
    private const long Day = 86_400_000;

    private static readonly (string Name, long Length, long Step, decimal Turnover)[] Periods =
    [
        ("day", Day, 20 * 60_000, 0.35m),
        ("week", 7 * Day, 168 * 60_000, 2.6m),
        ("month", 30 * Day, Day, 11.2m),
    ];

    private const long LifeStep = 7 * Day;
    private const decimal LifeTurnover = 1000m;

    /// <summary>The periods of a vault, or eight empty ones for an account that never was one.</summary>
    public static JsonArray Of(Account? account, Moment now)
    {
        var answer = new JsonArray();
        foreach (var prefix in (string[])["", "perp"])
        {
            foreach (var (name, length, step, turnover) in Periods)
            {
                var first = (now.UnixMilliseconds - length) / step * step;
                answer.Add(Pair(Named(prefix, name), account, now, Grid(first, step, now.UnixMilliseconds), turnover));
            }

            answer.Add(Pair(
                Named(prefix, "allTime"), account, now, account is null ? [] : Life(account, now, prefix.Length > 0), LifeTurnover));
        }

        return answer;
    }

    /// <summary>Weekly from the creation on; the perp account of a vault was opened after a third of its life.</summary>
    private static IEnumerable<long> Life(Account account, Moment now, bool perp)
    {
        var created = now.UnixMilliseconds + (long)((account.CreatedAt - now.Seconds) * 1000);
        var from = perp ? created + ((now.UnixMilliseconds - (long)(now.Seconds * 1000) - created) / 3) : created;
        return Grid(((from / LifeStep) + 1) * LifeStep, LifeStep, now.UnixMilliseconds).Prepend(from);
    }

    private static IEnumerable<long> Grid(long first, long step, long now)
    {
        for (var time = first; time < now; time += step)
            yield return time;
        yield return now;
    }

    private static JsonArray Pair(string name, Account? account, Moment now, IEnumerable<long> times, decimal turnover)
    {
        var (values, pnls) = (new JsonArray(), new JsonArray());
        if (account is not null)
            AddPoints(account, [.. times.Select(now.To)], startsAtZero: name.EndsWith("llTime", StringComparison.Ordinal), values, pnls);
        var volume = account is null ? 0 : decimal.Round(account.AccountValueAt(0) * turnover, 6);
        return new(name, new JsonObject
        {
            ["accountValueHistory"] = values,
            ["pnlHistory"] = pnls,
            ["vlm"] = WireNumber.Text(volume),
        });
    }

    private static void AddPoints(Account account, Moment[] moments, bool startsAtZero, JsonArray values, JsonArray pnls)
    {
        var baseline = account.PnlAt(moments[0].Seconds);
        foreach (var (index, moment) in moments.Index())
        {
            var value = startsAtZero && index == 0 ? 0 : account.AccountValueAt(moment.Seconds);
            values.Add(new JsonArray(moment.UnixMilliseconds, WireNumber.Text(value)));
            pnls.Add(new JsonArray(moment.UnixMilliseconds, WireNumber.Text(account.PnlAt(moment.Seconds) - baseline)));
        }
    }

    private static string Named(string prefix, string period) =>
        prefix.Length == 0 ? period : prefix + char.ToUpperInvariant(period[0]) + period[1..];
}
