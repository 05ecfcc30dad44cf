namespace Monitoring.Worker.Checks;

/// <summary>The causes that no check has answered yet, each with when it last called.</summary>
internal sealed class PendingCauses
{
    private readonly Lock _lock = new();
    private readonly Dictionary<CheckCause, DateTimeOffset> _calledAt = [];

    /// <summary>Notes that these call now.</summary>
    public void Add(IEnumerable<CheckCause> causes, DateTimeOffset now)
    {
        lock (_lock)
            foreach (var cause in causes)
                _calledAt[cause] = now;
    }

    /// <summary>Takes all out; answers those that are still to be answered, by when they called.</summary>
    public IReadOnlyDictionary<CheckCause, DateTimeOffset> Take(Func<DateTimeOffset, bool> isUnanswered)
    {
        lock (_lock)
        {
            var taken = _calledAt.Where(cause => isUnanswered(cause.Value)).ToDictionary();
            _calledAt.Clear();
            return taken;
        }
    }

    /// <summary>Puts back what was taken and not answered.</summary>
    public void Return(IEnumerable<KeyValuePair<CheckCause, DateTimeOffset>> causes)
    {
        lock (_lock)
            foreach (var (cause, calledAt) in causes)
                _calledAt.TryAdd(cause, calledAt);
    }
}
