namespace Monitoring.Simulator.Model;

/// <summary>Plays the moves once and refuses those that the state of their moment does not allow.</summary>
internal static class MoveCheck
{
    public static IReadOnlyList<string> Faults(Scenario scenario)
    {
        var faults = new List<string>();
        var prices = new PriceBook(scenario);
        var sizes = SizeBook.AtStart(scenario);
        foreach (var (index, move) in scenario.Moves.Index().OrderBy(pair => pair.Item.At))
        {
            if (move.Position is { } position && prices[position.Coin].At(move.At) is var price && price != position.Price)
                faults.Add($"moves[{index}].position.price: a position passes at the market's price, which is then {price}");
            if (move.Reduce is { } reduce && sizes.Of(reduce.Component, reduce.Coin).At(move.At) is var held
                && !IsReduction(held, reduce.ToSize))
                faults.Add($"moves[{index}].reduce.to_size: between 0 and the size then held, {held}");
            sizes.Apply(move);
        }

        return faults;
    }

    private static bool IsReduction(decimal held, decimal target) =>
        held > 0 ? target >= 0 && target < held : target <= 0 && target > held;
}
