using System.Reflection;
using Dapper;
using Monitoring.Api;
using Monitoring.Data.Database;
using Monitoring.Migrations;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Hosting;
using Quartz;

namespace Monitoring.Tests;

/// <summary>The walls of the house: who may know whom.</summary>
public sealed class ArchitectureTests
{
    private static readonly Assembly Data = typeof(Observation).Assembly;
    private static readonly Assembly Worker = typeof(WorkerHost).Assembly;
    private static readonly Assembly Api = typeof(ApiHost).Assembly;
    private static readonly Assembly Migrations = typeof(SchemaCommands).Assembly;
    private static readonly Assembly[] Product = [Data, Worker, Api, Migrations];

    private static IEnumerable<string> ProjectsKnownBy(Assembly assembly) =>
        assembly.GetReferencedAssemblies()
            .Select(name => name.Name!)
            .Where(name => name.StartsWith("Monitoring.", StringComparison.Ordinal));

    [Test]
    public void Data_knows_nobody() => Assert.That(ProjectsKnownBy(Data), Is.Empty);

    [Test]
    public void Others_know_the_data_at_most()
    {
        foreach (var assembly in new[] { Worker, Api, Migrations })
            Assert.That(ProjectsKnownBy(assembly), Is.SubsetOf(new[] { "Monitoring.Data" }), assembly.GetName().Name);
    }

    [Test]
    public void Only_the_data_layer_knows_Dapper()
    {
        foreach (var assembly in new[] { Worker, Api, Migrations })
            Assert.That(assembly.GetReferencedAssemblies().Select(name => name.Name),
                Has.None.EqualTo(typeof(SqlMapper).Assembly.GetName().Name), assembly.GetName().Name);
    }

    [Test]
    public void Rules_know_neither_http_nor_sql_nor_clocks()
    {
        Type[] forbidden = [typeof(HttpClient), typeof(Npgsql.NpgsqlDataSource), typeof(TimeProvider), typeof(DateTime),
            typeof(CancellationToken)];
        var rules = Worker.GetTypes().Where(type => type.Name.EndsWith("Rules", StringComparison.Ordinal)).ToList();
        Assert.That(rules, Is.Not.Empty);
        foreach (var rule in rules)
        {
            Assert.That(rule.IsAbstract && rule.IsSealed, Is.True, $"{rule.Name} is a static class of pure functions");
            var used = rule.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
                .SelectMany(method => method.GetParameters().Select(p => p.ParameterType).Append(method.ReturnType).Concat(
                    method.GetMethodBody()?.LocalVariables.Select(v => v.LocalType) ?? []));
            Assert.That(used.Intersect(forbidden), Is.Empty, rule.Name);
        }
    }

    [Test]
    public void Jobs_never_overlap_themselves() =>
        Assert.That(Worker.GetTypes().Where(type => type.IsAssignableTo(typeof(IJob)) && !type.IsInterface),
            Is.Not.Empty.And.All.Matches<Type>(job => job.GetCustomAttribute<DisallowConcurrentExecutionAttribute>() is not null));

    [Test]
    public void Names_say_what_things_are() =>
        Assert.That(Product.SelectMany(assembly => assembly.GetTypes()).Where(type => !type.Name.StartsWith('<')).Select(type => type.Name),
            Has.None.Match("(Helper|Manager|Utils?|Util)s?$"));

    [Test]
    public void Every_asynchronous_method_takes_a_token_last()
    {
        var without = from assembly in new[] { Data, Worker, Api }
                      from type in assembly.GetTypes()
                      where !type.Name.Contains('<') && !type.IsAssignableTo(typeof(Delegate))
                          && type.Namespace?.StartsWith("Monitoring.", StringComparison.Ordinal) == true
                      from method in type.GetMethods(
                          BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
                      where method.ReturnType.IsAssignableTo(typeof(Task)) && method.GetBaseDefinition() == method
                            && !type.GetInterfaces().Any(i => !i.Namespace!.StartsWith("Monitoring.", StringComparison.Ordinal)
                                && type.GetInterfaceMap(i).TargetMethods.Contains(method))
                            && method.GetParameters().LastOrDefault()?.ParameterType is var last
                            && last != typeof(CancellationToken) && last != typeof(CheckContext)
                      select $"{type.Name}.{method.Name}";
        Assert.That(without, Is.Empty);
    }

    [Test]
    public void Rows_cannot_be_changed() =>
        Assert.That(from type in Data.GetTypes()
                    where type.GetMethod("<Clone>$") is not null
                    from property in type.GetProperties()
                    where property.SetMethod is { IsPublic: true } set && !set.ReturnParameter.GetRequiredCustomModifiers().Contains(
                        typeof(System.Runtime.CompilerServices.IsExternalInit))
                    select $"{type.Name}.{property.Name}", Is.Empty);

    [Test]
    public void Files_stay_short_enough_to_read() =>
        Assert.That(Directory.EnumerateFiles(Repository.File("."), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/artifacts/") && File.ReadLines(file).Count() > 400), Is.Empty);

    // A released migration is never changed: those from before there was a limit keep their lines.
    [Test]
    public void Lines_are_at_most_140_characters_long()
    {
        const int Most = 140;
        Assert.That(
            from file in Directory.EnumerateFiles(Repository.File("."), "*.cs", SearchOption.AllDirectories)
            where !file.Contains("/artifacts/") && !file.Contains("/Migrations/M20261121")
            from line in File.ReadLines(file)
            where line.Length > Most
            select $"{file}: {line.Trim()}", Is.Empty);
    }

    [Test]
    public void No_text_refers_to_a_document_outside_the_repository()
    {
        string[] elsewhere = ["CONTRACT" + " §", "CONTRACT" + ".md", "STYLE" + ".md", "STYLE" + " §", "HYPERLIQUID" + ".md"];
        var references = from file in Directory.EnumerateFiles(Repository.File("."), "*", SearchOption.AllDirectories)
                         where Path.GetExtension(file) is ".cs" or ".md" or ".js" or ".html" or ".json" or ".sh"
                               && !file.Contains("/artifacts/") && !file.Contains("/node_modules/")
                         from line in File.ReadLines(file)
                         where elsewhere.Any(text => line.Contains(text, StringComparison.Ordinal))
                         select $"{file}: {line.Trim()}";
        Assert.That(references, Is.Empty);
    }
}
