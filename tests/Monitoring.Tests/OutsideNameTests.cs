using Monitoring.Data.Subjects;

namespace Monitoring.Tests;

/// <summary>Names that others chose: fit ones are left alone, others stay readable, harmless and apart.</summary>
public sealed class OutsideNameTests
{
    [TestCase("BTC"), TestCase("xyz:TSLA"), TestCase("PURR/USDC"), TestCase("@107"), TestCase("#12"), TestCase("ätsch 😀"), TestCase("x")]
    [TestCase("0123456789012345678901234567890123456789012345678901234567890123")]
    public void Fit_name_stays_as_it_is(string name) => Assert.That(OutsideName.Clean(name), Is.SameAs(name));

    [TestCase("BT\0C", "BTC~a2c28a31")]
    [TestCase("", "~e3b0c442")]
    [TestCase("\u202Ecba\u2066", "cba~5e0ac0e3")]
    [TestCase("a\r\nb\tc\u2028d\u200Be\uFEFF", "abcde~a7f8a1f3")]
    public void Bad_name_is_cleaned_and_marked_by_its_raw_value(string raw, string cleaned)
    {
        var hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(raw)))[..8];
        Assert.That(OutsideName.Clean(raw), Is.EqualTo(cleaned[..^8] + hash));
    }

    [Test]
    public void Long_name_is_cut_between_characters_and_two_of_one_beginning_stay_two()
    {
        var raw = string.Concat(Enumerable.Repeat("😀", 40));
        var cleaned = OutsideName.Clean(raw);
        Assert.That((cleaned[..54], cleaned[54], cleaned.Length), Is.EqualTo((raw[..54], '~', 63)));
        Assert.That(OutsideName.Clean(raw + "x"), Is.Not.EqualTo(cleaned));
        Assert.That(OutsideName.Clean("BTC\0"), Is.Not.EqualTo(OutsideName.Clean("BTC\u0001")).And.Not.EqualTo("BTC"));
        Assert.That(OutsideName.Clean(OutsideName.Clean(raw)), Is.EqualTo(cleaned), "a cleaned name is a fit one");
    }

    [Test]
    public void Half_a_character_is_none()
    {
        Assert.That(OutsideName.Clean("BTC\ud800"), Does.StartWith("BTC\uFFFD~"));
        Assert.That(OutsideName.CleanText("a\ud800b\0c", 3), Is.EqualTo("a\uFFFDb"));
    }

    [Test]
    public void Bad_names_are_counted()
    {
        var before = OutsideName.Cleaned;
        OutsideName.Clean("BTC\0");
        Assert.That(OutsideName.Cleaned, Is.GreaterThan(before));
    }
}
