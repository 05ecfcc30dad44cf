using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Monitoring.Data.Configuration;
using Monitoring.Data.Events;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Notifications.Channels;

namespace Monitoring.Tests.Notifications;

/// <summary>Channels that point at a receiver, and messages for them.</summary>
internal static class ChannelSample
{
    public const string Secret = "a secret of at least sixteen characters";
    public const string Token = "123456:AbC-dEf_0123456789";

    /// <summary>The channels that speak HTTP.</summary>
    public static readonly string[] OverHttp = ["webhook", "slack", "discord", "telegram", "pagerduty"];

    public static ChannelOptions Read(params (string Key, string Value)[] settings)
    {
        var reader = new SettingsReader(
            new ConfigurationBuilder().AddInMemoryCollection(settings.Select(v => KeyValuePair.Create(v.Key, (string?)v.Value))).Build());
        var options = ChannelOptions.Read(reader);
        reader.Finish("Notifications");
        return options;
    }

    /// <summary>Every channel over HTTP, as the worker makes them.</summary>
    public static ServiceProvider Channels(string url, TimeProvider clock) => Channels(clock,
        ("WEBHOOK_URL", $"{url}/hook?team=risk"), ("WEBHOOK_SECRET", Secret),
        ("SLACK_WEBHOOK_URL", $"{url}/services/T0/B0/slack-secret"),
        ("DISCORD_WEBHOOK_URL", $"{url}/api/webhooks/1/discord-secret?thread_id=5"),
        ("TELEGRAM_API_URL", url), ("TELEGRAM_BOT_TOKEN", Token), ("TELEGRAM_CHAT_ID", "-100123"),
        ("PAGERDUTY_API_URL", url), ("PAGERDUTY_ROUTING_KEY", "0123456789abcdef0123456789ABCDEF"));

    public static ServiceProvider Channels(TimeProvider clock, params (string Key, string Value)[] settings) =>
        new ServiceCollection().AddSingleton(clock).AddLogging(logging => logging.ClearProviders()).AddChannels(
            Read(settings)).BuildServiceProvider();

    public static INotificationChannel Named(this ServiceProvider channels, string name) =>
        channels.GetServices<INotificationChannel>().Single(channel => channel.Name == name);

    /// <summary>A loss of the vault, with figures of every kind.</summary>
    public static NotificationEntry Loss(ChangeKind kind = ChangeKind.Opened, Severity severity = Severity.Critical, int number = 1) => new(
        new Guid(number, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0]), kind, severity, "hlp.loss", "hlp_exploitation",
        "0xdfc24b077bc1425ad1dea75bcb6f8158e10df303", "HLP vault lost 2.41 M USD in 1 h (0.61 % of capital)",
        "PnL of the vault since 2026-11-21 10:55:00Z is -2412345.68 USD with an account value of 393112345.01 USD. "
        + "Deposits and withdrawals are not part of this figure.",
        ManualClock.Noon.AddMinutes(-5),
        kind == ChangeKind.Opened ? ManualClock.Noon.AddMinutes(-5) : ManualClock.Noon.AddHours(1).AddMinutes(7),
        """{"pnl_1h_usd":-2412345.678901,"pnl_1h_pct":-0.6136,"pnl_1h_since":"2026-11-21T10:55:00Z","duration_seconds":300"""
            + ""","references":{"binance":100.25,"okx":100.3},"left_out":["pyth: stale"],"is_dangerous":true,"floor_pct":null}""",
        ["0xdfc24b077bc1425ad1dea75bcb6f8158e10df303"], kind == ChangeKind.Resolved ? "not found in 3 successful checks in a row" : null,
        new Uri($"https://risk.example.org/#/events/{new Guid(number, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0])}"));

    /// <summary>A message of these entries, always with the same id.</summary>
    public static NotificationMessage Message(params NotificationEntry[] entries) =>
        new(new Guid("c0ffee00-0000-4000-8000-000000000001"), entries);

    /// <summary>So many events on as many subjects, of all severities, some of them over.</summary>
    public static NotificationMessage Storm(int count) => Message([.. Enumerable.Range(1, count).Select(number =>
        Loss(number % 5 == 0 ? ChangeKind.Resolved : ChangeKind.Opened, (Severity)(number % 5), number) with
        {
            RuleId = "oracle.deviation", Subject = $"COIN{number}",
            Title = $"COIN{number} oracle is {number / 100m:0.00} % above its references",
        })]);

    /// <summary>The messages that the golden files show.</summary>
    public static NotificationMessage Case(string name) => name switch
    {
        "opened" => Message(Loss()),
        "escalated" => Message(Loss(ChangeKind.Escalated)),
        "acknowledged" => Message(Loss(ChangeKind.Acknowledged) with { Note = "Ana looks at it" }),
        "resolved" => Message(Loss(ChangeKind.Resolved)),
        "grouped" => Storm(14),
        _ => Message(Loss()) with { IsTest = true },
    };

    /// <summary>Texts that try every service's markup.</summary>
    public static NotificationEntry Hostile(string text) => Loss() with
    {
        Title = text, Description = text, Subject = text, Note = $"note {text}", ThreatType = text,
        Indicators = System.Text.Json.JsonSerializer.Serialize(new Dictionary<string, string> { [text] = text }),
    };
}
