using System.Text.Json.Nodes;

namespace Monitoring.Api.Subjects;

/// <summary>
/// What one subject gives to the read service. Its dashboard parts and its sources of evidence it registers as services: <see
/// cref="Dashboard.IDashboardPart"/>, <see cref="Security.IEvidenceSource"/>.
/// </summary>
internal interface ISubjectApi
{
    /// <summary>Registers the subject's readers, its parts of the dashboard and its sources of evidence.</summary>
    void AddServices(IServiceCollection services);

    /// <summary>Maps the subject's routes.</summary>
    void MapRoutes(IEndpointRouteBuilder routes);

    /// <summary>
    /// Examples for the OpenAPI document by the name of the field or parameter, where the type alone would give a poor one.
    /// </summary>
    IReadOnlyDictionary<string, Func<JsonNode>> Examples { get; }
}
