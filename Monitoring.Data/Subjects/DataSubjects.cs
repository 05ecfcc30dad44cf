using Monitoring.Data.Rules;
using Monitoring.Data.Venues;

namespace Monitoring.Data.Subjects;

/// <summary>The subjects: a new one is one line here.</summary>
public static class DataSubjects
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<IDataSubject> All { get; } = [new VenuesTables()];

    /// <summary>Every rule, the engine's own and those of the subjects.</summary>
    public static RuleCatalog Rules { get; } = new([.. EngineRules.All, .. All.SelectMany(subject => subject.Rules)]);
}
