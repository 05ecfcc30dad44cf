namespace Monitoring.Simulator.Info;

/// <summary>The request types that the simulator answers, their weights and the field that names the account, if one does.</summary>
internal sealed record InfoType(string Name, int Weight, string? AddressField)
{
    public static readonly InfoType VaultDetails = new("vaultDetails", 20, "vaultAddress");
    public static readonly InfoType Portfolio = new("portfolio", 20, "user");
    public static readonly InfoType ClearinghouseState = new("clearinghouseState", 2, "user");
    public static readonly InfoType UserRole = new("userRole", 60, "user");
    public static readonly InfoType MetaAndAssetContexts = new("metaAndAssetCtxs", 20, null);

    public static readonly InfoType UserFills = new("userFills", 20, "user");
    public static readonly InfoType UserFillsByTime = new("userFillsByTime", 20, "user");

    public static readonly InfoType Ledger = new("userNonFundingLedgerUpdates", 20, "user");

    public static readonly IReadOnlyList<InfoType> All = [Ledger, VaultDetails, Portfolio, ClearinghouseState, UserRole,
        MetaAndAssetContexts, UserFills, UserFillsByTime];

    public static InfoType? Find(string? name) => All.FirstOrDefault(type => type.Name == name);
}
