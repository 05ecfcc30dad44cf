using Microsoft.OpenApi;
using Monitoring.Api.Http;

namespace Monitoring.Api.Venues;

/// <summary>The venue's name of an asset, such as BTC or kPEPE.</summary>
internal sealed class AssetParameter(string name, string description) : QueryParameter(name, description)
{
    private const int MaxLength = 20;

    public override OpenApiSchema Schema => new() { Type = JsonSchemaType.String, Pattern = "^[A-Za-z0-9]{1,20}$" };

    public override string? FindProblem(string text) =>
        text.Length is > 0 and <= MaxLength && text.All(char.IsAsciiLetterOrDigit) ? null
            : $"must be the name of an asset: 1 to {MaxLength} letters or digits";

    /// <summary>The name given, or null.</summary>
    public string? Find(HttpRequest request) => TextOf(request);
}
