using System.Text.Json;
using Monitoring.Simulator.Model;

namespace Monitoring.Simulator.Info;

/// <summary>Which fills are asked for: from a time on, to another if given, the oldest or the newest of them.</summary>
internal sealed record FillWindow(long StartTime, long? EndTime, bool Reversed)
{
    /// <summary>The window of a request, or null when it has none that makes sense.</summary>
    public static FillWindow? Find(JsonElement root) =>
        root.TryGetProperty("startTime", out var start) && start.ValueKind == JsonValueKind.Number && start.TryGetInt64(out var from)
            ? new(from,
                root.TryGetProperty("endTime", out var end) && end.ValueKind == JsonValueKind.Number && end.TryGetInt64(out var until)
                    ? until
                    : null,
                root.TryGetProperty("reversed", out var reversed) && reversed.ValueKind == JsonValueKind.True)
            : null;
}

/// <summary>A well-formed request: its type, the account it asks about if any, and the optional fields.</summary>
internal sealed record InfoRequest(InfoType Type, string? Address, string? User, string? Dex, FillWindow? Fills = null)
{
    /// <summary>Reads a body; gives the venue's complaint instead when it is none of its requests.</summary>
    public static async Task<(InfoRequest? Request, string Complaint)> ReadAsync(Stream body, CancellationToken cancellationToken)
    {
        try
        {
            using var document = await JsonDocument.ParseAsync(body, cancellationToken: cancellationToken);
            return Read(document.RootElement);
        }
        catch (JsonException)
        {
            return (null, "expected value");
        }
    }

    private static (InfoRequest? Request, string Complaint) Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
            return (null, "expected a map");
        if (!TryText(root, "type", out var name) || name is null)
            return (null, "missing field `type`");
        if (InfoType.Find(name) is not { } type)
            return (null, $"unknown variant `{name}`");
        string? address = null;
        if (type.AddressField is not null
            && (!TryText(root, type.AddressField, out address) || address is null || !FieldRules.IsAddress(address)))
            return (null, $"missing or invalid field `{type.AddressField}`");
        if (!TryText(root, "user", out var user) || (user is not null && !FieldRules.IsAddress(user)))
            return (null, "invalid field `user`");
        if ((type == InfoType.UserFillsByTime || type == InfoType.Ledger) && FillWindow.Find(root) is null)
            return (null, "missing or invalid field `startTime`");
        return TryText(root, "dex", out var dex)
            ? (new(type, address, user, dex, FillWindow.Find(root)), "")
            : (null, "invalid field `dex`");
    }

    /// <summary>A field that may be missing or null, but is text if it is there.</summary>
    private static bool TryText(JsonElement root, string field, out string? text)
    {
        text = null;
        if (!root.TryGetProperty(field, out var value) || value.ValueKind == JsonValueKind.Null)
            return true;
        if (value.ValueKind != JsonValueKind.String)
            return false;
        text = value.GetString();
        return true;
    }
}
