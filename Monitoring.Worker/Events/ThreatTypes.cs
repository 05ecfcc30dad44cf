namespace Monitoring.Worker.Events;

/// <summary>The kinds of threat that rules find (CONTRACT §5).</summary>
internal static class ThreatTypes
{
    public const string NotificationUndelivered = "notification_undelivered";

    /// <summary>All of them: a route that names another would never match.</summary>
    public static readonly IReadOnlyList<string> All =
    [
        "hlp_exploitation", "hlp_anomaly", "hlp_concentration", "oracle_deviation", "oracle_manipulation", "quote_depeg", "flash_loan_attack", "cascade_liquidation",
        "suspicious_liquidation", "auto_deleveraging", "monitor_stale", "feed_down", "database_unavailable", NotificationUndelivered,
    ];
}
