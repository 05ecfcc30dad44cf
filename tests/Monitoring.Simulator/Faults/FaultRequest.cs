using System.Text.Json;
using Monitoring.Simulator.Info;
using Monitoring.Simulator.References;

namespace Monitoring.Simulator.Faults;

/// <summary>Reads the body of POST /faults; every bad field is named.</summary>
internal static class FaultRequest
{
    private static readonly string[] Fields = ["fault", "type", "count", "seconds", "retry_after"];

    public static (Fault? Fault, Dictionary<string, string[]> Errors) Read(JsonElement body)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (body.ValueKind != JsonValueKind.Object)
        {
            errors["body"] = ["must be a JSON object"];
            return (null, errors);
        }

        foreach (var property in body.EnumerateObject().Where(property => !Fields.Contains(property.Name, StringComparer.Ordinal)))
            errors[property.Name] = [$"unknown field; known are {string.Join(", ", Fields)}"];

        var kind = Kind(body, errors);
        var type = Text(body, "type");
        if (Has(body, "type") && type != FaultNames.Feed && InfoType.Find(type) is null && !ReferenceSources.All.Contains(type))
            errors["type"] = ["must be one of "
                + $"{string.Join(", ", InfoType.All.Select(known => known.Name).Concat(ReferenceSources.All).Append(FaultNames.Feed))}"];
        else if (kind is { } known && type == FaultNames.Feed && !FaultNames.OfFeed.Contains(known))
            errors["fault"] =
                [$"must be one of {string.Join(", ", FaultNames.OfFeed.Select(FaultNames.Of))} with the type {FaultNames.Feed}"];
        else if (kind is { } alone && type != FaultNames.Feed && FaultNames.OfFeedOnly.Contains(alone))
            errors["fault"] = [$"only with the type {FaultNames.Feed}"];
        else if (kind is FaultKind.NoComponents && type != InfoType.VaultDetails.Name)
            errors["fault"] = [$"only with the type {InfoType.VaultDetails.Name}"];
        var count = Whole(body, "count", 1, 1_000_000, errors);
        var seconds = Seconds(body, kind, errors);
        var retryAfter = Whole(body, "retry_after", 0, 3_600, errors);
        if (retryAfter is not null && kind is not FaultKind.Http429)
            errors["retry_after"] = ["only with the fault http429"];
        return (errors.Count == 0 ? new(kind!.Value, type, count, seconds, retryAfter) : null, errors);
    }

    private static FaultKind? Kind(JsonElement body, Dictionary<string, string[]> errors)
    {
        var name = Text(body, "fault");
        foreach (var kind in Enum.GetValues<FaultKind>())
            if (FaultNames.Of(kind) == name)
                return kind;
        errors["fault"] = [$"must be one of {string.Join(", ", Enum.GetValues<FaultKind>().Select(FaultNames.Of))}"];
        return null;
    }

    private static decimal? Seconds(JsonElement body, FaultKind? kind, Dictionary<string, string[]> errors)
    {
        if (!Has(body, "seconds"))
        {
            if (kind is FaultKind.Slow)
                errors["seconds"] = ["is required with the fault slow"];
            return null;
        }

        if (kind is not (FaultKind.Slow or null))
            errors["seconds"] = ["only with the fault slow"];
        else if (body.GetProperty("seconds") is { ValueKind: JsonValueKind.Number } value
            && value.TryGetDecimal(out var seconds) && seconds is > 0 and <= 600)
            return seconds;
        else
            errors["seconds"] = ["must be a number above 0, at most 600"];
        return null;
    }

    private static int? Whole(JsonElement body, string field, int least, int most, Dictionary<string, string[]> errors)
    {
        if (!Has(body, field))
            return null;
        if (body.GetProperty(field) is { ValueKind: JsonValueKind.Number } value
            && value.TryGetInt32(out var number) && number >= least && number <= most)
            return number;
        errors[field] = [$"must be a whole number from {least} to {most}"];
        return null;
    }

    private static bool Has(JsonElement body, string field) =>
        body.TryGetProperty(field, out var value) && value.ValueKind != JsonValueKind.Null;

    private static string? Text(JsonElement body, string field) =>
        body.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
