namespace Monitoring.Simulator.Model;

/// <summary>One position of one component over time: profit is size times price change, added up from move to move.</summary>
internal sealed class PositionBook
{
    private readonly string _coin;
    private readonly Curve _size;
    private readonly Curve _price;
    private readonly decimal _entryPrice;
    private readonly decimal[] _turns;

    public PositionBook(string coin, Curve size, Curve price, decimal entryPrice)
    {
        (_coin, _size, _price, _entryPrice) = (coin, size, price, entryPrice);
        _turns = [.. size.Times.Concat(price.Times).Distinct().Order()];
    }

    public Position At(decimal time)
    {
        var (size, price, entry, pnl) = (_size.Initial, _price.Initial, _entryPrice, 0m);
        foreach (var turn in _turns.TakeWhile(turn => turn < time).Append(time))
        {
            if (turn < 0)
                break;

            // Both run straight up to the turn; a price jump then meets the size held, and a size jump passes at the new price.
            var (nextSize, nextPrice) = (_size.Before(turn), _price.Before(turn));
            pnl += (nextPrice - price) * (size + nextSize) / 2;
            (size, price) = (nextSize, nextPrice);

            (nextSize, nextPrice) = (_size.At(turn), _price.At(turn));
            pnl += (nextPrice - price) * size;
            entry = EntryAfter(size, entry, nextSize - size, nextPrice);
            (size, price) = (nextSize, nextPrice);
        }

        return new(_coin, size, entry, price, decimal.Round(pnl, 8));
    }

    private static decimal EntryAfter(decimal size, decimal entry, decimal change, decimal price)
    {
        if (change == 0)
            return entry;
        if (size == 0 || Math.Sign(size) != Math.Sign(size + change))
            return price;
        return Math.Sign(size) == Math.Sign(change)
            ? decimal.Round(((entry * size) + (price * change)) / (size + change), 6)
            : entry;
    }
}
