using Microsoft.OpenApi;
using Monitoring.Api.Http;

namespace Monitoring.Api.Venues;

/// <summary>A coin as the venue spells it: <c>BTC</c>, <c>kPEPE</c>, <c>xyz:TSLA</c>, <c>PURR/USDC</c>, <c>@107</c>.</summary>
internal sealed class CoinParameter(string name, string description) : QueryParameter(name, description)
{
    private const int MaxLength = 32;

    public override OpenApiSchema Schema => new() { Type = JsonSchemaType.String, Pattern = $"^[A-Za-z0-9:/@#._-]{{1,{MaxLength}}}$" };

    public override string? FindProblem(string text) =>
        text.Length is > 0 and <= MaxLength && text.All(c => char.IsAsciiLetterOrDigit(c) || ":/@#._-".Contains(c))
            ? null
            : $"must be a coin's name: 1 to {MaxLength} letters, digits or : / @ # . _ -";

    /// <summary>The coin given, or null.</summary>
    public string? Find(HttpRequest request) => TextOf(request);
}
