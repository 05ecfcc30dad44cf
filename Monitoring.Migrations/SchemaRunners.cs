using System.Reflection;
using Npgsql;

namespace Monitoring.Migrations;

/// <summary>Chooses the runner that this build was made with.</summary>
public static class SchemaRunners
{
    /// <summary>A runner for this program's migrations, and for those of further assemblies.</summary>
    public static ISchemaRunner Create(NpgsqlDataSource db, string connectionString, params IEnumerable<Assembly> more)
    {
        var assemblies = more.Prepend(typeof(SchemaRunners).Assembly);
#if USE_FLUENT_MIGRATOR
        return new Fluent.FluentSchemaRunner(connectionString, [.. assemblies]);
#else
        return new Runner.SchemaRunner(db, assemblies.SelectMany(assembly => assembly.GetTypes()));
#endif
    }
}
