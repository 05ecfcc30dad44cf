using Monitoring.Worker.Events;

namespace Monitoring.Tests.Events;

public sealed class FingerprintEntriesTests
{
    [TestCase("r:a", false)]
    [TestCase("r:ab", true)]
    [TestCase("r:abc", true)]
    [TestCase("r:ac", false)]
    [TestCase("q:x", true)]
    [TestCase("q:xy", false)]
    [TestCase("s:1", true)]
    public void Unjudged_entries_name_one_or_all_that_begin_like_them(string fingerprint, bool contained) =>
        Assert.That(new FingerprintEntries(["r:abc*", "r:ab*", "q:x", "r:abb:*", "s:*"]).Contains(fingerprint), Is.EqualTo(contained));
}
