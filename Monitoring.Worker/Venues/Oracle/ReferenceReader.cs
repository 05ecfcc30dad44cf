using System.Collections.Concurrent;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.Oracle.Sources;

namespace Monitoring.Worker.Venues.Oracle;

/// <summary>What one source gave in one check, and when it had done so; null quotes and an error when it failed.</summary>
internal sealed record SourceAnswer(
    IReferenceSource Source, IReadOnlyDictionary<string, ReferenceQuote>? Quotes, DateTimeOffset At, string? Error = null);

/// <summary>
/// Asks all sources side by side, each with a deadline of its own. One that fails is logged once and left
/// out until it answers again.
/// </summary>
internal sealed partial class ReferenceReader(IEnumerable<IReferenceSource> sources, TimeProvider clock, ILogger<ReferenceReader> logger)
{
    /// <summary>How long one source may take; below the deadline of the shortest check.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(4);

    private readonly ConcurrentDictionary<string, int> _failuresInARow = [];

    /// <summary>Answers for every source; never throws for a fault of a source.</summary>
    public Task<SourceAnswer[]> ReadAsync(IReadOnlyCollection<AssetSymbols> assets, CancellationToken cancellationToken) =>
        Task.WhenAll(sources.Select(source => ReadOneAsync(source, assets, cancellationToken)));

    private async Task<SourceAnswer> ReadOneAsync(
        IReferenceSource source, IReadOnlyCollection<AssetSymbols> assets, CancellationToken cancellationToken)
    {
        var symbols = assets.Select(source.SymbolOf).Append(source.UsdtSymbol).OfType<string>().Distinct().ToList();
        using var deadline = new CancellationTokenSource(Deadline, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            var quotes = await source.ReadAsync(symbols, either.Token);
            if (symbols.Count > 0 && quotes.Values.All(quote => quote.Problem is not null))
                throw new MissingDataException(
                    quotes.Values.FirstOrDefault()?.Problem ?? $"none of {symbols.Count} pairs is in the answer");
            if (_failuresInARow.TryRemove(source.Name, out var failures))
                LogAnswersAgain(source.Name, failures);
            return new SourceAnswer(source, quotes, clock.GetUtcNow());
        }
        catch (Exception fault) when (!cancellationToken.IsCancellationRequested) // whatever it is, the other sources are there
        {
            var failures = _failuresInARow.AddOrUpdate(source.Name, 1, (_, before) => before + 1);
            var error = deadline.IsCancellationRequested
                ? $"no answer within {Deadline.TotalSeconds:0} s" : SourceFaults.Clean(fault.Message);
            LogFailed(failures == 1 ? LogLevel.Warning : LogLevel.Debug, source.Name, failures, error);
            return new SourceAnswer(source, null, clock.GetUtcNow(), error);
        }
    }

    [LoggerMessage("reference {Source} is left out, failed {FailuresInARow} in a row: {Error}")]
    private partial void LogFailed(LogLevel level, string source, int failuresInARow, string error);

    [LoggerMessage(LogLevel.Information, "reference {Source} answers again after {Failures} failures")]
    private partial void LogAnswersAgain(string source, int failures);
}
