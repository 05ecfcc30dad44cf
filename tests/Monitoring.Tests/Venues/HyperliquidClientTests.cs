using Microsoft.Extensions.DependencyInjection;
using Monitoring.Worker.Venues.Hyperliquid;

namespace Monitoring.Tests.Venues;

public sealed class HyperliquidClientTests
{
    [Test]
    public async Task Portfolio_is_the_one_inside_the_vaults_details()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(new ManualClock(ManualClock.Noon));
        var client = worker.Services.GetRequiredService<HyperliquidClient>();
        var portfolio = await client.GetPortfolioAsync(Sample.Vault, default);
        var details = await client.GetVaultDetailsAsync(Sample.Vault, default);
        Assert.That(portfolio.At, Is.EqualTo(ManualClock.Noon));
        Assert.That(portfolio.AllTime.Points, Is.EqualTo(details.Portfolio.AllTime.Points));
        Assert.That(portfolio.Day.Points, Is.EqualTo(details.Portfolio.Day.Points));
    }
}
