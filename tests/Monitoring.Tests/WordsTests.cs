using Monitoring.Data.Wording;

namespace Monitoring.Tests;

public sealed class WordsTests
{
    [TestCase(2_283_000, "2.28 M USD")]
    [TestCase(-2_412_345.67, "-2.41 M USD")]
    [TestCase(1_234_567_890, "1.23 B USD")]
    [TestCase(999_995_000, "1.00 B USD")]
    [TestCase(999_994_999, "999.99 M USD")]
    [TestCase(999_950, "1.00 M USD")]
    [TestCase(999_949, "999.9 k USD")]
    [TestCase(39_100, "39.1 k USD")]
    [TestCase(999.5, "1.0 k USD")]
    [TestCase(950, "950 USD")]
    [TestCase(9.99, "9.99 USD")]
    [TestCase(0, "0 USD")]
    public void Amounts_have_one_style(decimal amount, string text) => Assert.That(Words.Usd(amount), Is.EqualTo(text));

    [TestCase(1.5, "%", "", "1.50 %")]
    [TestCase(0.0034, "%", "", "0.0034 %")]
    [TestCase(42.44, "points", "", "42.4 points")]
    [TestCase(75, "s", "", "75 s")]
    [TestCase(-61.4, "s", "", "-61 s")]
    [TestCase(754, "s", "", "12 min")]
    [TestCase(143.9, "h", "", "143.9 h")]
    [TestCase(3, "x", "", "3 x")]
    [TestCase(-1077.25, "", "deviations", "-1,077.3 deviations")]
    [TestCase(1, "", "rows", "1 row")]
    [TestCase(1077.25, "", "", "1,077.25")]
    public void Values_are_written_in_their_unit(decimal value, string unit, string counts, string text) =>
        Assert.That(Words.Value(value, unit, counts), Is.EqualTo(text));

    [TestCase(1, "liquidations", "1 liquidation")]
    [TestCase(15, "liquidations", "15 liquidations")]
    [TestCase(1, "entries", "1 entry")]
    [TestCase(0, "fills", "0 fills")]
    [TestCase(12345, "fills", "12,345 fills")]
    public void Counts_know_one_from_many(int number, string many, string text) => Assert.That(Words.Count(number, many), Is.EqualTo(text));

    [TestCase(119, "119 s")]
    [TestCase(120, "2 min")]
    [TestCase(3600, "1 h")]
    [TestCase(4320, "1 h 12 min")]
    [TestCase(90000, "1 d 1 h")]
    [TestCase(-5, "0 s")]
    public void Spans_have_two_parts(int seconds, string text) => Assert.That(Words.Span(TimeSpan.FromSeconds(seconds)), Is.EqualTo(text));

    [Test]
    public void Moments_of_one_day_leave_the_date_out()
    {
        var noon = ManualClock.Noon;
        Assert.That((Words.At(noon), Words.At(noon, noon.AddHours(11)), Words.At(noon, noon.AddHours(12))),
            Is.EqualTo(("2026-11-21 12:00:00 UTC", "12:00:00 UTC", "2026-11-21 12:00:00 UTC")));
    }

    [Test]
    public void Addresses_are_shown_by_their_ends()
    {
        const string address = "0x2e3d94f0562703b25c83308a05046ddaf9a8dd14";
        Assert.That((Words.Address(address), Words.Address("0xab"), Words.Address("BTC")), Is.EqualTo(("0x2e3d…dd14", "0xab", "BTC")));
        Assert.That(Words.ShortAddresses($"component {address}:BTC failed"), Is.EqualTo("component 0x2e3d…dd14:BTC failed"));
    }
}
