using Monitoring.Simulator.Feed;

namespace Monitoring.Simulator;

/// <summary>GET /stats: what was asked of the venue, and how near to its limit.</summary>
internal sealed record StatsView(
    IReadOnlyDictionary<string, long> Requests, int WeightLastMinute, int MaxWeightLastMinute, long Rejected, FeedCounts Feed)
{
    public static StatsView Of(Venue venue) =>
        new(venue.Requests.Snapshot(), venue.Weight.LastMinute, venue.Weight.MaxLastMinute, venue.Weight.Rejected, venue.Feed.Counts);
}
