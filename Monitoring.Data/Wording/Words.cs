using System.Text.RegularExpressions;

namespace Monitoring.Data.Wording;

/// <summary>Amounts, counts, times and addresses as every sentence of the programs writes them.</summary>
public static partial class Words
{
    /// <summary>An amount in three digits or so: <c>2.28 M USD</c>, <c>39.1 k USD</c>, <c>950 USD</c>.</summary>
    public static string Usd(decimal amount) => Math.Abs(amount) switch
    {
        >= 999_995_000 => $"{amount / 1_000_000_000:#,0.00} B USD",
        >= 999_950 => $"{amount / 1_000_000:0.00} M USD",
        >= 999.5m => $"{amount / 1000:0.0} k USD",
        >= 9.995m => $"{amount:0} USD",
        _ => $"{amount:0.##} USD",
    };

    /// <summary>The same with its sign, also where it is a gain.</summary>
    public static string SignedUsd(decimal amount) => amount > 0 ? $"+{Usd(amount)}" : Usd(amount);

    /// <summary>A share: two digits after the point, and as many as show something where it is small.</summary>
    public static string Percent(decimal percent) => Math.Abs(percent) switch
    {
        0 => "0 %",
        < 0.01m => $"{percent:0.######} %",
        _ => $"{percent:#,0.00} %",
    };

    /// <summary>A value in a unit of the rule catalogue; <paramref name="counts"/> is what a number without one counts.</summary>
    public static string Value(decimal value, string unit, string counts = "") => unit switch
    {
        "USD" => Usd(value),
        "%" => Percent(value),
        "points" => $"{value:#,0.0} points",
        "s" => value < 0 ? $"-{Span(TimeSpan.FromSeconds(-(double)value))}" : Span(TimeSpan.FromSeconds((double)value)),
        "h" => $"{value:#,0.#} h",
        "x" => $"{value:#,0.##} x",
        _ => counts.Length == 0 ? $"{value:#,0.##}" : Count(value, counts),
    };

    /// <summary>A number of things, of which <paramref name="many"/> is the plural: <c>15 rows</c>, <c>1 row</c>.</summary>
    public static string Count(decimal number, string many) =>
        $"{number:#,0.#} {(number == 1 ? One(many) : many)}";

    /// <summary>How long, in its two largest parts: <c>40 s</c>, <c>12 min</c>, <c>2 h 5 min</c>, <c>3 d 4 h</c>.</summary>
    public static string Span(TimeSpan span) => span switch
    {
        { TotalSeconds: < 0 } => "0 s",
        { TotalMinutes: < 2 } => $"{Math.Floor(span.TotalSeconds):0} s",
        { TotalHours: < 1 } => $"{span.Minutes} min",
        { TotalDays: < 1 } => span.Minutes == 0 ? $"{span.Hours} h" : $"{span.Hours} h {span.Minutes} min",
        _ => span.Hours == 0 ? $"{span.Days} d" : $"{span.Days} d {span.Hours} h",
    };

    /// <summary>A moment: <c>2026-11-21 10:04:00 UTC</c>.</summary>
    public static string At(DateTimeOffset at) => $"{at.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC";

    /// <summary>A moment beside another, without the date where both are of one day: <c>10:04:00 UTC</c>.</summary>
    public static string At(DateTimeOffset at, DateTimeOffset beside) =>
        at.UtcDateTime.Date == beside.UtcDateTime.Date ? $"{at.UtcDateTime:HH:mm:ss} UTC" : At(at);

    /// <summary>An address by its ends, <c>0x2e3d…dd14</c>; whatever is none stays as it is.</summary>
    public static string Address(string address) => Whole().IsMatch(address) ? $"{address[..6]}…{address[^4..]}" : address;

    /// <summary>A text with every address in it by its ends.</summary>
    public static string ShortAddresses(string text) => Within().Replace(text, match => Address(match.Value));

    // Of the plurals that rules name: accounts, deviations, entries.
    private static string One(string many) => many.EndsWith("ies", StringComparison.Ordinal) ? $"{many[..^3]}y"
        : many.EndsWith('s') ? many[..^1] : many;

    [GeneratedRegex("^0x[0-9a-fA-F]{16,64}$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Whole();

    [GeneratedRegex(@"\b0x[0-9a-fA-F]{16,64}\b", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Within();
}
