using Monitoring.Api.Monitors;
using Monitoring.Data.Database;

namespace Monitoring.Api.Dashboard;

/// <summary>
/// A member that a subject adds to the dashboard's answer, or, with <paramref name="IsOfDatabase"/>, to its sums from the database.
/// </summary>
internal sealed record DashboardSection(string Name, Type Type, bool IsNullable = false, bool IsOfDatabase = false);

/// <summary>A subject's share of one answer: what its sections show, in their order, and its parts of the overall risk.</summary>
internal sealed record DashboardShare(IReadOnlyList<object?> Sections, IReadOnlyList<RiskPart> Risks);

/// <summary>Makes the share of a moment from rows that hold then: ages and freshness move with time alone.</summary>
internal delegate DashboardShare ShowShare(DateTimeOffset now, IReadOnlyList<MonitorView> monitors);

/// <summary>A subject's part of the dashboard.</summary>
internal interface IDashboardPart
{
    /// <summary>The members that it adds, in the order of the answer.</summary>
    IReadOnlyList<DashboardSection> Sections { get; }

    /// <summary>Adds its statements to the dashboard's batch; the result is called once, when their rows are there.</summary>
    Func<TimedRows<ShowShare>> Ask(DatabaseBatch batch, DateTimeOffset now);
}
