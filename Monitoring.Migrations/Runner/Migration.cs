// The names of FluentMigrator that the migrations use, for a build without that package.
namespace FluentMigrator;

/// <summary>Marks a migration with its version and what it does.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class MigrationAttribute(long version, string description) : Attribute
{
    /// <summary>Orders the migrations; written to <c>"VersionInfo"</c>.</summary>
    public long Version { get; } = version;

    /// <summary>One line for people.</summary>
    public string Description { get; } = description;
}

/// <summary>One step of the schema, forwards and back.</summary>
public abstract class Migration
{
    /// <summary>Takes the statements of the step.</summary>
    public StatementList Execute { get; } = new();

    /// <summary>Adds the statements that make the step.</summary>
    public abstract void Up();

    /// <summary>Adds the statements that take it back.</summary>
    public abstract void Down();
}

/// <summary>The statements that a migration asked for, in order.</summary>
public sealed class StatementList
{
    /// <summary>What was added so far.</summary>
    public IList<string> Statements { get; } = [];

    /// <summary>Adds a text of one or more SQL statements.</summary>
    public void Sql(string statement) => Statements.Add(statement);
}
