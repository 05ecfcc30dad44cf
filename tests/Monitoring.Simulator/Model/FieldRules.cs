using System.Text.RegularExpressions;

namespace Monitoring.Simulator.Model;

/// <summary>What a value of a scenario must satisfy; collects one line per fault.</summary>
internal sealed partial class FieldRules(Scenario scenario)
{
    // Bounds that keep every product of size and price inside decimal.
    public const decimal MostUsd = 1_000_000_000_000m;
    private const decimal MostSize = 1_000_000_000_000m;
    private const decimal MostPrice = 1_000_000_000m;

    private readonly List<string> _faults = [];

    public IReadOnlyList<string> Faults => _faults;

    public void Require(bool holds, string field, string allowed)
    {
        if (!holds)
            _faults.Add($"{field}: {allowed}");
    }

    public void RequireAddress(string value, string field) => Require(IsAddress(value), field, "an address: 0x and 40 hexadecimal digits");

    public void RequireCoin(string coin, string field) =>
        Require(scenario.Prices.ContainsKey(coin), field, $"'{coin}' has no price in prices");

    public void RequireComponent(string name, string field) =>
        Require(scenario.FindComponent(name) is not null, field, $"there is no component '{name}'");

    public void RequirePrice(decimal price, string field) => Require(price is > 0 and <= MostPrice, field, $"above 0, at most {MostPrice}");

    public void RequireSize(decimal size, string field) =>
        Require(size != 0 && Math.Abs(size) <= MostSize, field, $"not 0, at most {MostSize} either way (a short is negative)");

    public void RequireAmount(decimal amount, string field) =>
        Require(amount != 0 && Math.Abs(amount) <= MostUsd, field, $"not 0, at most {MostUsd} either way");

    public static bool IsAddress(string value) => Address.IsMatch(value);

    public static bool Distinct(IEnumerable<string> values)
    {
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        return values.All(seen.Add);
    }

    [GeneratedRegex("^0x[0-9a-fA-F]{40}$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Address { get; }
}
