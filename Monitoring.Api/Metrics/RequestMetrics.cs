using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Monitoring.Api.Metrics;

/// <summary>Adds up the durations of requests that ASP.NET Core measures, by method, route and status.</summary>
internal sealed class RequestMetrics : IDisposable
{
    /// <summary>Upper bounds of the histogram, seconds.</summary>
    public static readonly IReadOnlyList<double> Bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<(string Method, string Route, string Status), Histogram> _byRequest = [];

    public RequestMetrics(IMeterFactory meters)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            // Of this service alone: several may live in one process.
            if (instrument is { Name: "http.server.request.duration", Meter: var meter } && ReferenceEquals(meter.Scope, meters))
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<double>((_, seconds, tags, _) => Add(seconds, tags));
        _listener.Start();
    }

    /// <summary>What was measured since the start, in a steady order.</summary>
    public IEnumerable<((string Method, string Route, string Status) Request, Histogram Durations)> Read() =>
        _byRequest.OrderBy(entry => entry.Key).Select(entry => (entry.Key, entry.Value));

    public void Dispose() => _listener.Dispose();

    private void Add(double seconds, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var (method, route, status) = ("", "", "");
        foreach (var (name, value) in tags)
            _ = name switch
            {
                "http.request.method" => method = $"{value}",
                "http.route" => route = $"{value}",
                "http.response.status_code" => status = $"{value}",
                _ => null,
            };
        _byRequest.GetOrAdd((method, route, status), _ => new Histogram()).Add(seconds);
    }

    /// <summary>Counts by upper bound; the last is for what exceeds all.</summary>
    internal sealed class Histogram
    {
        private readonly long[] _counts = new long[Bounds.Count + 1];
        private readonly Lock _lock = new();
        private double _sum;

        public void Add(double seconds)
        {
            var bucket = 0;
            while (bucket < Bounds.Count && seconds > Bounds[bucket])
                bucket++;
            lock (_lock)
            {
                _counts[bucket]++;
                _sum += seconds;
            }
        }

        public (long[] Counts, double Sum) Read()
        {
            lock (_lock)
                return ([.. _counts], _sum);
        }
    }
}
