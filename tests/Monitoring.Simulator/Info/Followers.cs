using System.Text.Json.Nodes;
using Monitoring.Simulator.Model;

namespace Monitoring.Simulator.Info;

/// <summary>Invented depositors: the list is cut at 100 as the venue cuts it, and is not all of the vault.</summary>
internal static class Followers
{
    private const int Cap = 100;
    private const decimal LargestShare = 0.05m;
    private const long Day = 86_400_000;
    private const long LockUp = 4 * Day;

    public static JsonObject[] Of(Account account, bool isParent, Moment now)
    {
        var value = account.AccountValueAt(now.Seconds);
        return isParent
            ? [.. Enumerable.Range(1, Cap)
                .Select(rank => Follower($"0x{rank:x4}{new string('5', 36)}", value * LargestShare / rank, 30 + rank, now))]
            : [Follower("Leader", value, (int)((now.Seconds - account.CreatedAt) / 86_400), now)];
    }

    private static JsonObject Follower(string user, decimal equity, int days, Moment now)
    {
        var entry = now.UnixMilliseconds - (now.UnixMilliseconds % Day) - (days * Day);
        return new()
        {
            ["user"] = user,
            ["vaultEquity"] = WireNumber.Text(equity),
            ["pnl"] = WireNumber.Text(equity * 0.01m),
            ["allTimePnl"] = WireNumber.Text(equity * 0.02m),
            ["daysFollowing"] = days,
            ["vaultEntryTime"] = entry,
            ["lockupUntil"] = entry + LockUp,
        };
    }
}
