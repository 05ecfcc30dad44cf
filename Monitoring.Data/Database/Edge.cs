namespace Monitoring.Data.Database;

/// <summary>The time of the row that is the first to leave a window; null where nothing is in it.</summary>
public sealed record Edge(DateTimeOffset? At)
{
    /// <summary>The time to the microsecond, as the database knows it: on both sides of an edge code and statements must agree.</summary>
    public static DateTimeOffset Now(TimeProvider clock)
    {
        var now = clock.GetUtcNow();
        return now.AddTicks(-(now.UtcTicks % TimeSpan.TicksPerMicrosecond));
    }

    /// <summary>The first of these moments that there is; never without any.</summary>
    public static DateTimeOffset Earliest(params ReadOnlySpan<DateTimeOffset?> moments)
    {
        var earliest = DateTimeOffset.MaxValue;
        foreach (var moment in moments)
            if (moment < earliest)
                earliest = moment.Value;
        return earliest;
    }
}
