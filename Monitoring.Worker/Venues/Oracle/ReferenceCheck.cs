using Monitoring.Worker.Checks;
using Monitoring.Worker.Subjects;
using Monitoring.Worker.Venues.Hyperliquid;

namespace Monitoring.Worker.Venues.Oracle;

/// <summary>Tries the price sources and holds the symbol table against what they and the venue list.</summary>
internal sealed class ReferenceCheck(HyperliquidClient venue, ReferenceReader references, ReferenceSelection selection, TimeProvider clock)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(15);

    /// <summary>One line per source and, where the venue answers, those of the symbol table.</summary>
    public async Task<IReadOnlyList<CheckLine>> RunAsync(CancellationToken cancellationToken)
    {
        var markets = await FindMarketsAsync(cancellationToken);
        var assets = markets is null ? SymbolTable.All : SymbolTable.ListedIn(markets);
        var answers = await references.ReadAsync(assets, cancellationToken);
        var lines = answers.Select(answer => new CheckLine($"price source {answer.Source.Name}", answer.Error)).ToList();
        if (answers.Count(answer => answer.Quotes is not null) < OracleThresholds.MinReferences)
            lines.Add(new("price sources", $"fewer than {OracleThresholds.MinReferences} answer, so no oracle price can be judged",
                IsFault: answers.All(answer => answer.Quotes is null)));
        return markets is null ? lines : [.. lines, .. CheckSymbols(assets, markets, answers)];
    }

    private IEnumerable<CheckLine> CheckSymbols(IReadOnlyList<AssetSymbols> assets, Markets markets, SourceAnswer[] answers)
    {
        var now = clock.GetUtcNow();
        var usdtInUsd = ReferenceSelection.UsdtInUsd(answers, now);
        var readings = assets.Select(symbols => selection.Select(symbols, markets.ByCoin[symbols.Asset], answers, usdtInUsd, now)).ToList();
        var unjudged = readings.Where(reading => reading.References.Count < OracleThresholds.MinReferences)
            .Select(reading => reading.Asset).ToList();
        yield return new CheckLine($"symbol table: {readings.Count} of {SymbolTable.All.Count} assets are listed, "
            + $"{readings.Count - unjudged.Count} can be judged");
        if (unjudged.Count > 0)
            yield return new CheckLine(
                "symbol table", $"fewer than {OracleThresholds.MinReferences} references for {string.Join(", ", unjudged)}");
        foreach (var reading in readings)
            foreach (var refused in reading.Refused)
                yield return new CheckLine("symbol table",
                    $"what {refused} calls {reading.Asset} is off by more than a fifth from the oracle: another asset, left out");
    }

    private async Task<Markets?> FindMarketsAsync(CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(Deadline, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            return await venue.GetMarketsAsync(either.Token);
        }
        catch (Exception fault) when (fault is SourceUnavailableException or MissingDataException
            || (fault is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return null; // the venue has a line of its own
        }
    }
}
