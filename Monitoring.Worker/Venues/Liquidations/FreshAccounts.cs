namespace Monitoring.Worker.Venues.Liquidations;

/// <summary>Accounts in which the live feed saw a liquidation since they were last read: a triggered check need ask for no others.</summary>
internal sealed class FreshAccounts
{
    private readonly Lock _lock = new();
    private HashSet<string> _accounts = [];

    public void Add(string account)
    {
        lock (_lock)
            _accounts.Add(account);
    }

    /// <summary>Puts back what was taken and not read.</summary>
    public void Return(IEnumerable<string> accounts)
    {
        lock (_lock)
            _accounts.UnionWith(accounts);
    }

    /// <summary>Takes all that were added.</summary>
    public IReadOnlySet<string> Take()
    {
        lock (_lock)
            return Interlocked.Exchange(ref _accounts, []);
    }
}
