namespace Monitoring.Simulator.Model;

/// <summary>The parent vault and its children, made from a scenario.</summary>
internal sealed class VaultTree
{
    private readonly Dictionary<string, Account> _accounts = new(StringComparer.OrdinalIgnoreCase);

    public VaultTree(Scenario scenario)
    {
        var createdAt = -86_400m * scenario.Vault.CreatedDaysAgo;
        var noise = new Noise(scenario.Seed, scenario.Vault.HourlyNoiseUsd);
        var (prices, sizes) = (new PriceBook(scenario), SizeBook.Of(scenario));
        Children = [.. scenario.Components.Zip(Shares(scenario.Components),
            (setup, share) => new ComponentAccount(scenario, setup, createdAt, share, noise, prices, sizes))];
        Parent = new(scenario, createdAt, Children);
        foreach (var account in (Account[])[Parent, .. Children])
            _accounts.Add(account.Address, account);
    }

    public ParentAccount Parent { get; }

    public IReadOnlyList<ComponentAccount> Children { get; }

    /// <summary>The vault at an address, upper or lower case; null for any other account.</summary>
    public Account? Find(string address) => _accounts.GetValueOrDefault(address);

    /// <summary>
    /// Market making is shared by account value; the largest takes what rounding leaves, so that the shares make exactly 1.
    /// </summary>
    private static decimal[] Shares(IReadOnlyList<ComponentSetup> components)
    {
        var total = components.Sum(component => component.AccountValue);
        decimal[] shares = [.. components.Select(component => decimal.Round(component.AccountValue / total, 6))];
        shares[Array.IndexOf(shares, shares.Max())] += 1 - shares.Sum();
        return shares;
    }
}
