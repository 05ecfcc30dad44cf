using Microsoft.Extensions.DependencyInjection;
using Monitoring.Data.Database;
using Monitoring.Data.Rules;

namespace Monitoring.Data.Subjects;

/// <summary>
/// What a subject brings to the data: its tables, the schema that they need, and its rules. Read before any container is built.
/// </summary>
public interface IDataSubject
{
    /// <summary>The name of its folders, the same in every project.</summary>
    string Name { get; }

    /// <summary>The newest migration that its tables need.</summary>
    long SchemaVersion { get; }

    /// <summary>The tables that the recorder fills.</summary>
    IReadOnlyList<RowTable> RowTables { get; }

    /// <summary>Its rules.</summary>
    IReadOnlyList<Rule> Rules { get; }

    /// <summary>Registers what else it has: tables that are no observations, such as a list that operators keep.</summary>
    void AddServices(IServiceCollection services)
    {
    }
}

/// <summary>
/// A table of observations: the class that holds its SQL, its row type, and its name, which its rows have in JSON too. The name stands in
/// journals, so it never changes. A table that is kept by day is partitioned by day, and each day is dropped when its retention is over.
/// </summary>
public sealed record RowTable(Type Table, Type Row, string Name, bool IsKeptByDay)
{
    /// <summary>The table <typeparamref name="TTable"/> of rows <typeparamref name="TRow"/>.</summary>
    public static RowTable Of<TTable, TRow>(string name, bool keptByDay = false)
        where TTable : class, IObservationTable where TRow : Observation => new(typeof(TTable), typeof(TRow), name, keptByDay);
}
