using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Monitoring.Data.Subjects;

namespace Monitoring.Data.Database;

/// <summary>Names the kinds of observations in JSON: the member <c>table</c> says which of the registered tables a row is of.</summary>
public static class ObservationJson
{
    /// <summary>The member that names a row's kind.</summary>
    public const string Discriminator = "table";

    /// <summary>
    /// A modifier of type information that knows the row types of every subject. A kind that nobody registered is refused, both ways.
    /// </summary>
    public static void AddKinds(JsonTypeInfo type) => AddKinds(type, DataSubjects.All.SelectMany(subject => subject.RowTables));

    /// <summary>The same for the row types of these tables.</summary>
    /// <exception cref="InvalidOperationException">Two row types have the same name.</exception>
    public static void AddKinds(JsonTypeInfo type, IEnumerable<RowTable> tables)
    {
        if (type.Type != typeof(Observation))
            return;
        type.PolymorphismOptions = new JsonPolymorphismOptions
        {
            TypeDiscriminatorPropertyName = Discriminator,
            IgnoreUnrecognizedTypeDiscriminators = false,
            UnknownDerivedTypeHandling = JsonUnknownDerivedTypeHandling.FailSerialization,
        };
        foreach (var same in tables.GroupBy(table => table.Name))
        {
            if (same.Count() > 1)
                throw new InvalidOperationException(
                    $"the row types {string.Join(", ", same.Select(table => table.Row.Name))} are all named '{same.Key}'");
            type.PolymorphismOptions.DerivedTypes.Add(new JsonDerivedType(same.First().Row, same.Key));
        }
    }
}
