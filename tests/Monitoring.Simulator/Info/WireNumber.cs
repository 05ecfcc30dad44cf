using System.Globalization;

namespace Monitoring.Simulator.Info;

/// <summary>Amounts in the venue's spelling: decimal strings with one to ten fractional digits.</summary>
internal static class WireNumber
{
    public static string Text(decimal value) => decimal.Round(value, 10).ToString("0.0#########", CultureInfo.InvariantCulture);
}
