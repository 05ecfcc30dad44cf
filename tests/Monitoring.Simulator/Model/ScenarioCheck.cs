using System.Text.RegularExpressions;
using Monitoring.Simulator.Faults;

namespace Monitoring.Simulator.Model;

/// <summary>Validates every value of a scenario; each fault names its field.</summary>
internal sealed partial class ScenarioCheck
{
    private readonly Scenario _scenario;
    private readonly FieldRules _rules;

    private ScenarioCheck(Scenario scenario) => (_scenario, _rules) = (scenario, new(scenario));

    /// <summary>One line per faulty field; empty when the scenario can be played.</summary>
    public static IReadOnlyList<string> Faults(Scenario scenario)
    {
        var check = new ScenarioCheck(scenario);
        check.Head();
        check.Vault();
        check.Components();
        check.Moves();
        check.Expected();
        // Whether a position can pass or be worked off depends on all that happened before: only sound parts can be played.
        return check._rules.Faults.Count == 0 ? MoveCheck.Faults(scenario) : check._rules.Faults;
    }

    private void Head()
    {
        _rules.Require(Name.IsMatch(_scenario.Name), "name", "lower-case letters, digits and dashes, at most 64");
        _rules.Require(!string.IsNullOrWhiteSpace(_scenario.Description), "description", "must not be empty");
        _rules.Require(_scenario.DurationSeconds is >= 1 and <= 86_400, "duration_seconds", "1 to 86400");
        _rules.Require(_scenario.Prices.Count > 0, "prices", "at least one coin");
        foreach (var (coin, price) in _scenario.Prices)
        {
            _rules.Require(!string.IsNullOrWhiteSpace(coin), "prices", "a coin has an empty name");
            _rules.RequirePrice(price, $"prices.{coin}");
        }

        foreach (var (coin, market) in _scenario.Markets)
        {
            _rules.RequireCoin(coin, $"markets.{coin}");
            _rules.Require(market.DayVolumeUsd is null or (>= 0 and <= FieldRules.MostUsd), $"markets.{coin}.day_volume_usd", "0 or more");
            _rules.Require(
                market.OpenInterestUsd is null or (>= 0 and <= FieldRules.MostUsd), $"markets.{coin}.open_interest_usd", "0 or more");
        }
    }

    private void Vault()
    {
        var vault = _scenario.Vault;
        _rules.RequireAddress(vault.Address, "vault.address");
        _rules.RequireAddress(vault.Leader, "vault.leader");
        _rules.Require(!string.IsNullOrWhiteSpace(vault.Name), "vault.name", "must not be empty");
        _rules.Require(vault.AccountValue is > 0 and <= FieldRules.MostUsd, "vault.account_value", "above 0");
        _rules.Require(Math.Abs(vault.AllTimePnl) <= FieldRules.MostUsd, "vault.all_time_pnl", $"at most {FieldRules.MostUsd} either way");
        _rules.Require(vault.CreatedDaysAgo is >= 90 and <= 5_000, "vault.created_days_ago", "90 to 5000");
        _rules.Require(vault.HourlyNoiseUsd is >= 0 and <= FieldRules.MostUsd, "vault.hourly_noise_usd", "0 or more");
    }

    private void Components()
    {
        var components = _scenario.Components;
        _rules.Require(components.Count is >= 1 and <= 50, "components", "1 to 50");
        for (var i = 0; i < components.Count; i++)
        {
            var (field, component) = ($"components[{i}]", components[i]);
            _rules.RequireAddress(component.Address, $"{field}.address");
            _rules.Require(!string.IsNullOrWhiteSpace(component.Name), $"{field}.name", "must not be empty");
            _rules.Require(component.AccountValue is >= 0 and <= FieldRules.MostUsd, $"{field}.account_value", "0 or more");
            for (var j = 0; j < component.Positions.Count; j++)
                Position(component.Positions[j], $"{field}.positions[{j}]");
            _rules.Require(
                FieldRules.Distinct(component.Positions.Select(position => position.Coin)), $"{field}.positions", "a coin may stand once");
        }

        _rules.Require(FieldRules.Distinct(components.Select(component => component.Name)), "components", "each name may stand once");
        _rules.Require(FieldRules.Distinct([.. components.Select(component => component.Address), _scenario.Vault.Address]),
            "components", "each address may stand once, and none may be the vault's own");
        var held = components.Sum(component => component.AccountValue);
        _rules.Require(
            held > 0 && held <= _scenario.Vault.AccountValue, "components", "account values sum to more than 0 and at most the vault's");
    }

    private void Position(PositionSetup position, string field)
    {
        _rules.RequireCoin(position.Coin, $"{field}.coin");
        _rules.RequireSize(position.Size, $"{field}.size");
        _rules.RequirePrice(position.EntryPrice, $"{field}.entry_price");
    }

    private void Moves()
    {
        for (var i = 0; i < _scenario.Moves.Count; i++)
        {
            var move = _scenario.Moves[i];
            var field = $"moves[{i}]";
            _rules.Require(move.At >= 0 && move.At <= _scenario.DurationSeconds, $"{field}.at", "from 0 to duration_seconds");
            _rules.Require(move.Over >= 0 && move.At + move.Over <= _scenario.DurationSeconds, $"{field}.over",
                "0 or more, and over before duration_seconds");
            object?[] kinds = [move.Price, move.Position, move.Reduce, move.PnlUsd, move.FlowUsd, move.Fault,
                move.Oracle, move.Usdt, move.Noise, move.Liquidations];
            _rules.Require(kinds.Count(kind => kind is not null) == 1, field,
                "exactly one of price, position, reduce, pnl_usd, flow_usd, fault, oracle, usdt, noise, liquidations");
            Kind(move, field);
        }

        _rules.Require(
            FieldRules.Distinct(_scenario.Moves.Select(move => move.Noise?.Coin).OfType<string>()), "moves", "a coin may have noise once");
    }

    private void Kind(Move move, string field)
    {
        if (move.Price is { } price)
        {
            _rules.RequireCoin(price.Coin, $"{field}.price.coin");
            _rules.RequirePrice(price.To, $"{field}.price.to");
        }

        if (move.Position is { } position)
        {
            _rules.RequireComponent(position.Component, $"{field}.position.component");
            _rules.RequireCoin(position.Coin, $"{field}.position.coin");
            _rules.RequireSize(position.Size, $"{field}.position.size");
            _rules.RequirePrice(position.Price, $"{field}.position.price");
            _rules.Require(move.Over == 0, $"{field}.over", "a position passes in one moment");
        }

        if (move.Reduce is { } reduce)
        {
            _rules.RequireComponent(reduce.Component, $"{field}.reduce.component");
            _rules.RequireCoin(reduce.Coin, $"{field}.reduce.coin");
        }

        if (move.Liquidations is { } liquidations)
        {
            _rules.RequireCoin(liquidations.Coin, $"{field}.liquidations.coin");
            _rules.RequireComponent(liquidations.Component, $"{field}.liquidations.component");
            _rules.RequireAmount(liquidations.UsdEach, $"{field}.liquidations.usd_each");
            _rules.Require(liquidations.Count is >= 1 and <= 20_000, $"{field}.liquidations.count", "1 to 20000");
            _rules.Require(liquidations.Fills is >= 1 and <= 20_000, $"{field}.liquidations.fills", "1 to 20000");
            _rules.Require(liquidations.Users is null or >= 1, $"{field}.liquidations.users", "1 or more");
        }

        if (move.PnlUsd is { } pnl)
            _rules.RequireAmount(pnl.Amount, $"{field}.pnl_usd.amount");

        if (move.Fault is { } fault)
        {
            _rules.Require(
                TimedFaults.Find(fault.Kind) is not null, $"{field}.fault.kind", $"one of {string.Join(", ", TimedFaults.Names)}");
            _rules.Require(fault.Seconds > 0 && move.At + fault.Seconds <= _scenario.DurationSeconds,
                $"{field}.fault.seconds", "above 0, and over before duration_seconds");
            _rules.Require(fault.Type is null || Info.InfoType.Find(fault.Type) is not null, $"{field}.fault.type",
                "a request type that the simulator answers");
            _rules.Require(move.Over == 0, $"{field}.over", "a fault lasts its own seconds");
        }

        if (move.Oracle is { } oracle)
        {
            _rules.RequireCoin(oracle.Coin, $"{field}.oracle.coin");
            _rules.Require(oracle.Factor is > 0 and <= 100, $"{field}.oracle.factor", "above 0, at most 100");
        }

        if (move.Usdt is { } usdt)
            _rules.Require(usdt.To is >= 0.1m and <= 10, $"{field}.usdt.to", "from 0.1 to 10");

        if (move.Noise is { } noise)
        {
            _rules.RequireCoin(noise.Coin, $"{field}.noise.coin");
            _rules.Require(noise.Pct is > 0 and <= 20, $"{field}.noise.pct", "above 0, at most 20");
            _rules.Require(move is { At: 0, Over: 0 }, field, "noise is there from the beginning: at is 0, and there is no over");
        }

        if (move.FlowUsd is { } flow)
        {
            _rules.RequireAmount(flow.Amount, $"{field}.flow_usd.amount");
            if (flow.Component is not null)
                _rules.RequireComponent(flow.Component, $"{field}.flow_usd.component");
        }
    }

    private void Expected()
    {
        for (var i = 0; i < _scenario.Expected.Count; i++)
        {
            var (field, expected) = ($"expected[{i}]", _scenario.Expected[i]);
            _rules.Require(Rule.IsMatch(expected.Rule), $"{field}.rule", "a rule id such as hlp.loss");
            _rules.Require(
                expected.CauseAt >= 0 && expected.CauseAt <= _scenario.DurationSeconds, $"{field}.cause_at", "from 0 to duration_seconds");
            _rules.Require(expected.WithinSeconds is >= 1 and <= 3_600, $"{field}.within_seconds", "1 to 3600");
        }
    }

    [GeneratedRegex("^[a-z0-9-]{1,64}$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Name { get; }

    [GeneratedRegex("^[a-z0-9]+([.-][a-z0-9]+)*$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Rule { get; }
}
