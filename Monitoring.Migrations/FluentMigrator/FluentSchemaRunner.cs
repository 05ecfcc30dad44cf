using System.Reflection;
#pragma warning disable IDE0005 // which of the two namespaces holds the logging types differs between the package's versions
using FluentMigrator.Runner;
using FluentMigrator.Runner.Logging;
#pragma warning restore IDE0005
using Microsoft.Extensions.DependencyInjection;

namespace Monitoring.Migrations.Fluent;

/// <summary>Runs the migrations with FluentMigrator itself (<c>-p:UseFluentMigrator=true</c>).</summary>
public sealed class FluentSchemaRunner(string connectionString, Assembly[] assemblies) : ISchemaRunner
{
    /// <inheritdoc/>
    public IReadOnlyDictionary<long, string> Migrations
    {
        get
        {
            using var services = Build(preview: false);
            return services.GetRequiredService<IMigrationRunner>().MigrationLoader.LoadMigrations()
                .ToDictionary(m => m.Key, m => m.Value.Description ?? m.Value.GetName());
        }
    }

    /// <inheritdoc/>
    public void Apply(long version)
    {
        using var services = Build(preview: false);
        services.GetRequiredService<IMigrationRunner>().MigrateUp(version);
    }

    /// <inheritdoc/>
    public void Revert(long version)
    {
        using var services = Build(preview: false);
        services.GetRequiredService<IMigrationRunner>().Rollback(1);
    }

    /// <summary>FluentMigrator's preview writes to standard output, so <paramref name="output"/> gets its heading only.</summary>
    public void WriteScript(IReadOnlyList<long> pending, TextWriter output)
    {
        output.WriteLine($"-- {pending.Count} pending");
        using var services = Build(preview: true);
        services.GetRequiredService<IMigrationRunner>().MigrateUp();
    }

    private ServiceProvider Build(bool preview) => new ServiceCollection()
        .AddFluentMigratorCore()
        .ConfigureRunner(runner => runner
            .AddPostgres()
            .WithGlobalConnectionString(connectionString)
            .ConfigureGlobalProcessorOptions(options => options.PreviewOnly = preview)
            .ScanIn(assemblies).For.Migrations())
        .AddLogging(logging =>
        {
            if (preview)
                logging.AddFluentMigratorConsole();
        })
        .Configure<FluentMigratorLoggerOptions>(options => options.ShowSql = preview)
        .BuildServiceProvider();
}
