using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.Hyperliquid;

namespace Monitoring.Tests.Venues;

public sealed class HyperliquidClientTests
{
    private static VaultDetails Related(string relationship) => new()
    {
        VaultAddress = Sample.Vault, Portfolio = RecordedAnswers.StrategyB,
        Relationship = RecordedAnswers.Parse<VaultRelationship>(relationship),
    };

    [TestCase("""{"type":"normal"}""", "")]
    [TestCase("""{"type":"child"}""", "")]
    [TestCase("""{"type":"parent","data":{"childAddresses":["0xA","0xB","0xa"]}}""", "0xa 0xb")]
    public void Components_are_those_that_the_venue_names(string relationship, string components) =>
        Assert.That(string.Join(' ', Related(relationship).ReadComponents()), Is.EqualTo(components));

    [TestCase("null")]
    [TestCase("""{"type":"parent"}""")]
    [TestCase("""{"type":"parent","data":null}""")]
    [TestCase("""{"type":"parent","data":{}}""")]
    [TestCase("""{"type":"parent","data":{"childAddresses":null}}""")]
    [TestCase("""{"type":"parent","data":{"childAddresses":[]}}""")]
    [TestCase("""{"type":"parent","data":{"childAddresses":["0xa",null]}}""")]
    [TestCase("""{"type":"other"}""")]
    public void Components_that_are_not_named_are_missing_and_not_none(string relationship) =>
        Assert.That(() => Related(relationship).ReadComponents(), Throws.InstanceOf<MissingDataException>());
}
