using System.Runtime.CompilerServices;
using Monitoring.Worker.Subjects;
using Monitoring.Worker.Venues.HlpVault;
using Monitoring.Worker.Venues.Hyperliquid;
using Monitoring.Worker.Venues.Hyperliquid.Feed;
using Monitoring.Worker.Venues.Inventory;
using Monitoring.Worker.Venues.Liquidations;
using Monitoring.Worker.Venues.Oracle;

namespace Monitoring.Worker.Venues;

/// <summary>The subject <c>Venues</c> as it is configured.</summary>
internal sealed class VenuesSetup(VenuesOptions options) : ISubjectSetup
{
    /// <summary>What it is configured by.</summary>
    public VenuesOptions Options => options;

    /// <inheritdoc/>
    public string Summary => $"venue {options.Hyperliquid.Url}";

    /// <inheritdoc/>
    public IReadOnlyList<string> Warnings => options.Weight.Problem is { } problem ? [problem] : [];

    /// <inheritdoc/>
    public void AddServices(IServiceCollection services, bool withoutDatabase)
    {
        // Between grid times only the live feed calls for a check.
        var spacing = options.Feed.IsOn ? options.Feed.Spacing : (TimeSpan?)null;
        services.AddHyperliquid(options.Hyperliquid);
        services.AddHlpVault(options.HlpVault);
        services.AddInventory(options.Inventory, spacing, withoutDatabase);
        services.AddOracle(options.Oracle, spacing, withoutDatabase);
        services.AddLiquidations(options.Liquidations, spacing, withoutDatabase);
        services.AddHyperliquidFeed(options.Feed);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<CheckLine> CheckConnectionsAsync(
        IServiceProvider services, ConnectionProbe probe, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        yield return await probe.TryAsync($"venue {options.Hyperliquid.Url}", isFault: true, async token =>
        {
            await services.GetRequiredService<HyperliquidClient>().GetVaultDetailsAsync(options.HlpVault.VaultAddress, token);
            return null;
        }, cancellationToken);
        yield return new CheckLine($"request weight: {options.Weight}", options.Weight.Problem is null ? null : "little room is left");
        // Without its feed or one of its price sources the worker has less, not nothing.
        if (options.Feed.IsOn)
            yield return await probe.TryAsync($"live feed {options.Feed.Url}", isFault: false,
                services.GetRequiredService<HyperliquidFeed>().FindProblemAsync, cancellationToken);
        foreach (var line in await services.GetRequiredService<ReferenceCheck>().RunAsync(cancellationToken))
            yield return line;
    }
}
