using System.Text.Json.Nodes;
using Monitoring.Data.Database;
using Monitoring.Data.Events;
using Monitoring.Data.Rules;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Watching;

/// <summary>Tells of stored rows that cannot be read: what is left out must not be taken for what is not there.</summary>
internal sealed class UnreadableRowsHealth(UnreadableRows rows) : IWatchdogSource
{
    private const int MostNamed = 20;

    /// <inheritdoc/>
    public IReadOnlyList<Rule> Rules { get; } = [EngineRules.Unreadable];

    /// <inheritdoc/>
    public Task<IReadOnlyList<Finding>> LookAsync(DateTimeOffset at, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<Finding>>([.. rows.Known.GroupBy(row => row.Table).Select(Find)]);

    private static Finding Find(IGrouping<string, UnreadableRow> table)
    {
        var named = table.OrderBy(row => row.Key, StringComparer.Ordinal).Take(MostNamed).ToList();
        var evidence = new Evidence(
            new JsonObject
            {
                ["table"] = table.Key, ["rows"] = table.Count(),
                ["keys"] = new JsonArray([.. named.Select(row => JsonValue.Create(row.Key))]),
            },
            [], [$"rows of {table.Key} that cannot be read = {table.Count()} >= 1: high"]);
        return EngineRules.Unreadable.Find(Severity.High, new EventSubject("table", table.Key),
            $"{table.Count()} rows of {table.Key} cannot be read",
            $"They are left out, the others are read. The first: {named[0].Key}: {named[0].Reason}", evidence,
            threshold: 1);
    }
}
