using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Options;
using JsonOptions = Microsoft.AspNetCore.Http.Json.JsonOptions;

namespace Monitoring.Api.Dashboard;

/// <summary>
/// Gives the dashboard's answer the members that subjects add, so that they are written, and described in OpenAPI, like any other.
/// </summary>
internal sealed class DashboardJson(IEnumerable<IDashboardPart> parts) : IConfigureOptions<JsonOptions>
{
    private sealed record Optional<T>(T? Value) where T : class;

    private readonly List<DashboardSection> _sections = [.. parts.SelectMany(part => part.Sections)];

    /// <inheritdoc/>
    public void Configure(JsonOptions options) =>
        options.SerializerOptions.TypeInfoResolver = options.SerializerOptions.TypeInfoResolver!.WithAddedModifier(AddSections);

    private void AddSections(JsonTypeInfo type)
    {
        if (type.Type == typeof(DashboardAnswer))
            Add(type, before: "open_events", isOfDatabase: false, answer => ((DashboardAnswer)answer).Sections);
        else if (type.Type == typeof(DatabaseView))
            Add(type, before: "security_events_24h", isOfDatabase: true, answer => ((DatabaseView)answer).Sections);
    }

    private void Add(JsonTypeInfo type, string before, bool isOfDatabase, Func<object, IReadOnlyList<object?>> sectionsOf)
    {
        var place = type.Properties.Index().Single(property => property.Item.Name == before).Index;
        foreach (var (i, section) in _sections.Where(section => section.IsOfDatabase == isOfDatabase).Index())
        {
            var member = type.CreateJsonPropertyInfo(section.Type, section.Name);
            member.Get = answer => sectionsOf(answer)[i];
            member.Set = (_, _) => throw new NotSupportedException("an answer is not read"); // without one it cannot be required
            (member.IsGetNullable, member.IsRequired) = (section.IsNullable, true);
            if (section.IsNullable) // where the description of the answer looks for it
                member.AttributeProvider = typeof(Optional<>).MakeGenericType(section.Type).GetProperty(nameof(Optional<>.Value));
            type.Properties.Insert(place + i, member);
        }
    }
}
