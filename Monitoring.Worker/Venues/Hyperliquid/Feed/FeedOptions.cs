using Monitoring.Data.Configuration;

namespace Monitoring.Worker.Venues.Hyperliquid.Feed;

/// <summary>
/// Whether the websocket is listened to, how many coins of it, the price jump in percent that calls for a look at the
/// oracle, and how long after one triggered check the next of the same monitor may begin.
/// </summary>
internal sealed record FeedOptions(bool IsOn, Uri Url, int Coins, decimal JumpPct, TimeSpan Spacing)
{
    /// <summary>Reads the settings; the websocket is where the venue is.</summary>
    public static FeedOptions Read(SettingsReader settings, Uri venue) => new(
        settings.IsOn("Venues:Hyperliquid:Feed", "HYPERLIQUID_FEED", true),
        new UriBuilder(venue) { Scheme = venue.Scheme == Uri.UriSchemeHttps ? Uri.UriSchemeWss : Uri.UriSchemeWs, Path = "/ws" }.Uri,
        settings.Whole("Venues:Hyperliquid:FeedCoins", null, 20, 0, 200),
        settings.Number("Venues:Hyperliquid:FeedJumpPct", 0.5m, 0.05m, 100),
        settings.Seconds("Venues:Hyperliquid:FeedSpacing", null, 5, 1, 300));
}
