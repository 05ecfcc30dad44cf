using System.Text.Json.Serialization;

namespace Monitoring.Worker.Venues.Hyperliquid;

/// <summary>One row of <c>userNonFundingLedgerUpdates</c>: money that came to an account, left it, or moved within it.</summary>
internal sealed record LedgerUpdate
{
    public required long Time { get; init; }
    public required LedgerDelta Delta { get; init; }

    /// <summary>The venue's time of the update.</summary>
    public DateTimeOffset At => DateTimeOffset.FromUnixTimeMilliseconds(Time);

    /// <summary>
    /// By how much it changed the value of an account, USD, its PnL aside; null where the venue's word for it is not known to us.
    /// </summary>
    public decimal? FlowTo(string account)
    {
        bool Is(string? address) => account.Equals(address, StringComparison.OrdinalIgnoreCase);
        return Delta.Type switch
        {
            "deposit" => Delta.Usdc,
            "withdraw" => -Delta.Usdc,
            "accountClassTransfer" or "liquidation" => 0, // within the account, and part of the PnL
            "vaultCreate" or "vaultDeposit" => Is(Delta.Vault) ? Delta.Usdc : -Delta.Usdc,
            "vaultDistribution" => Is(Delta.Vault) ? -Delta.Usdc : Delta.Usdc,
            "vaultWithdraw" => Is(Delta.Vault) ? -(Delta.NetWithdrawnUsd + (Delta.Commission ?? 0)) : Delta.NetWithdrawnUsd,
            "internalTransfer" or "subAccountTransfer" => Is(Delta.Destination) ? Delta.Usdc : -(Delta.Usdc + (Delta.Fee ?? 0)),
            "spotTransfer" or "send" =>
                Is(Delta.Destination) == Is(Delta.User) ? 0 : Is(Delta.Destination) ? Delta.UsdcValue : -Delta.UsdcValue,
            _ => null,
        };
    }

    /// <summary>The account that sent the money, or null where it came from outside the venue.</summary>
    public string? Sender =>
        Delta.Type is "internalTransfer" or "subAccountTransfer" or "spotTransfer" or "send" ? Delta.User?.ToLowerInvariant() : null;
}

/// <summary>What an update says, as far as we use it; which members are there depends on the type. USD.</summary>
internal sealed record LedgerDelta
{
    public required string Type { get; init; }
    public decimal? Usdc { get; init; }
    public decimal? UsdcValue { get; init; }
    public decimal? NetWithdrawnUsd { get; init; }
    public decimal? Commission { get; init; }
    public decimal? Fee { get; init; }
    public string? Vault { get; init; }

    [JsonConverter(typeof(OutsideNameConverter))]
    public string? User { get; init; }

    public string? Destination { get; init; }
}
