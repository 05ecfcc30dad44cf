using Monitoring.Api.Access;
using Monitoring.Data.Events;

namespace Monitoring.Api.Security;

/// <summary>How many streams are open, in all and of each caller: a key, or an address without one.</summary>
internal sealed class StreamPlaces(AccessOptions options)
{
    /// <summary>So many in all, so that connections are left for everything else.</summary>
    public const int Most = ConnectionLimits.Most / 2;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _ofCallers = [];
    private int _count;

    /// <summary>Takes a place; else the answer that refuses it.</summary>
    public IResult? TryEnter(Operator caller, out IDisposable? place)
    {
        var name = caller.Actor == AccessGate.Anonymous ? caller.Origin : $"key {caller.Actor}";
        place = null;
        lock (_lock)
        {
            if (_count >= Most)
                return TypedResults.Problem($"There are {Most} streams open, which is the most.",
                    statusCode: StatusCodes.Status503ServiceUnavailable);
            var own = _ofCallers.GetValueOrDefault(name);
            if (own >= options.StreamsPerCaller)
                return TypedResults.Problem($"This {(caller.Actor == AccessGate.Anonymous ? "address" : "key")} has {own} streams open, "
                    + "which is the most (API_STREAMS_PER_CALLER); close one first.", statusCode: StatusCodes.Status429TooManyRequests);
            (_ofCallers[name], _count) = (own + 1, _count + 1);
        }

        place = new Place(this, name);
        return null;
    }

    private void Leave(string name)
    {
        lock (_lock)
        {
            _count--;
            if (--_ofCallers[name] == 0)
                _ofCallers.Remove(name);
        }
    }

    private sealed class Place(StreamPlaces places, string name) : IDisposable
    {
        private bool _isLeft;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isLeft, true))
                return;
            places.Leave(name);
        }
    }
}
