namespace Monitoring.Migrations;

/// <summary>Runs single migrations. The caller holds the lock and knows what is applied; each migration is a transaction of its own.</summary>
public interface ISchemaRunner
{
    /// <summary>Every migration that this program knows: version and description, in order.</summary>
    IReadOnlyDictionary<long, string> Migrations { get; }

    /// <summary>Applies the oldest pending migration, which is <paramref name="version"/>, and writes its version; or throws and changes nothing.</summary>
    void Apply(long version);

    /// <summary>Takes the newest migration back, which is <paramref name="version"/>, and removes its version; or throws and changes nothing.</summary>
    void Revert(long version);

    /// <summary>Writes the SQL that applying the pending migrations would run.</summary>
    void WriteScript(IReadOnlyList<long> pending, TextWriter output);
}
