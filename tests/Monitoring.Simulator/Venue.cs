using Monitoring.Simulator.Faults;
using Monitoring.Simulator.Feed;
using Monitoring.Simulator.Info;
using Monitoring.Simulator.Model;

namespace Monitoring.Simulator;

/// <summary>The state of the simulated venue: its vaults as of the clock, its limits, its counters and its faults.</summary>
internal sealed class Venue
{
    private readonly TimeProvider _clock;

    public Venue(SimulatorOptions options)
    {
        _clock = options.Clock;
        Scenario = options.Scenario;
        // The venue speaks milliseconds; a start between two of them would show in every series.
        Start = DateTimeOffset.FromUnixTimeMilliseconds((options.Start ?? options.Clock.GetUtcNow()).ToUnixTimeMilliseconds());
        Vaults = new(options.Scenario);
        Prices = new(options.Scenario);
        Fills = new(options.Scenario, Prices);
        Oracles = new(options.Scenario, Prices);
        Feed = new(options.Clock);
        Weight = new(options.Clock, options.WeightLimit);
        Faults = new(options.Clock, new TimedFaults(options.Scenario), () => Now.Seconds);
    }

    public Scenario Scenario { get; }

    /// <summary>The moment of the scenario's second 0.</summary>
    public DateTimeOffset Start { get; }

    public VaultTree Vaults { get; }

    /// <summary>The market price of every coin.</summary>
    public PriceBook Prices { get; }

    /// <summary>The venue's oracle prices, and the worth of a USDT.</summary>
    public OracleBook Oracles { get; }

    /// <summary>The liquidations that have happened and will.</summary>
    public FillBook Fills { get; }

    public WeightMeter Weight { get; }

    /// <summary>The limits of the websocket.</summary>
    public FeedLimits Feed { get; }

    public RequestCounts Requests { get; } = new();

    public FaultSwitch Faults { get; }

    /// <summary>Now, in whole milliseconds as the venue states time.</summary>
    public Moment Now => Moment.At(_clock.GetUtcNow().ToUnixTimeMilliseconds(), Start);

    /// <summary>What the parent vault is worth now, its children included.</summary>
    public decimal AccountValue => Vaults.Parent.AccountValueAt(Now.Seconds);

    /// <summary>What the parent vault ever made, as of now.</summary>
    public decimal AllTimePnl => Vaults.Parent.PnlAt(Now.Seconds);

    /// <summary>The wall time of a second of the scenario.</summary>
    public DateTimeOffset TimeOf(decimal seconds) => Start.AddMilliseconds((double)(seconds * 1000));
}
