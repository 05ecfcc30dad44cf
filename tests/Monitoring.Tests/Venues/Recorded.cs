using System.Text.Json;
using Monitoring.Worker.Venues.Hyperliquid;

namespace Monitoring.Tests.Venues;

/// <summary>Recorded answers of the real venue.</summary>
internal static partial class RecordedAnswers
{
    public static string Text(string file) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Recorded", file));

    public static T Parse<T>(string json) => JsonSerializer.Deserialize<T>(json, HyperliquidJson.Options)!;

    /// <summary><c>portfolio</c> of HLP Strategy B, 2025-08-22.</summary>
    public static Portfolio StrategyB => Parse<Portfolio>(Text("hl_portfolio_HLP-StrategyB_2025-08-22.json"));
}
