using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.Hyperliquid;

namespace Monitoring.Tests.Venues;

public sealed class HyperliquidClientTests
{
    private const string A = "0xAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    private const string a = "0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    private const string B = "0xbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    private static VaultDetails Related(string relationship) => new()
    {
        VaultAddress = Sample.Vault, Portfolio = RecordedAnswers.StrategyB,
        Relationship = RecordedAnswers.Parse<VaultRelationship>(relationship),
    };

    [TestCase("""{"type":"normal"}""", "")]
    [TestCase("""{"type":"child"}""", "")]
    [TestCase($$"""{"type":"parent","data":{"childAddresses":["{{A}}","{{B}}","{{a}}"]} }""", $"{a} {B}")]
    [TestCase($$"""{"type":"parent","data":{"childAddresses":["{{A}}",null,"0xb",7]} }""", a)]
    public void Components_are_those_that_the_venue_names(string relationship, string components) =>
        Assert.That(string.Join(' ', Related(relationship).ReadComponents()), Is.EqualTo(components));

    [Test]
    public void Component_that_has_no_address_is_left_out_by_its_place() =>
        Assert.That(Related($$"""{"type":"parent","data":{"childAddresses":["{{A}}",null,"0xb"]} }""").ReadComponents().Unreadable,
            Is.EqualTo(new[]
            {
                UnreadablePart.At("childAddresses", 1, "'Null' is no address"),
                UnreadablePart.At("childAddresses", 2, "'0xb' is no address"),
            }));

    [TestCase("null")]
    [TestCase("""{"type":"parent"}""")]
    [TestCase("""{"type":"parent","data":null}""")]
    [TestCase("""{"type":"parent","data":{}}""")]
    [TestCase("""{"type":"parent","data":{"childAddresses":null}}""")]
    [TestCase("""{"type":"parent","data":{"childAddresses":[]}}""")]
    [TestCase("""{"type":"other"}""")]
    public void Components_that_are_not_named_are_missing_and_not_none(string relationship) =>
        Assert.That(() => Related(relationship).ReadComponents(), Throws.InstanceOf<MissingDataException>());
}
