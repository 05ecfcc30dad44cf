using System.CommandLine;
using Monitoring.Data.Configuration;

namespace Monitoring.Worker.Subjects;

/// <summary>
/// All that the worker must know of a subject before anything is built: what it is configured by and which commands it has. <c>--help</c>,
/// <c>--check</c> and the configuration reference are made from it.
/// </summary>
internal interface IWorkerSubject
{
    /// <summary>The sections of the configuration that are its own, besides its part of <c>Monitors</c> and <c>Rules</c>.</summary>
    IReadOnlyList<string> Sections { get; }

    /// <summary>The options of the command line that set one of its settings.</summary>
    IReadOnlyList<SettingOption> Options { get; }

    /// <summary>Its commands.</summary>
    IReadOnlyList<Command> Commands => [];

    /// <summary>Reads its settings; what is wrong with them the reader collects.</summary>
    ISubjectSetup Read(SettingsReader settings);
}

/// <summary>A subject as it is configured.</summary>
internal interface ISubjectSetup
{
    /// <summary>Its sources, as the log's first line gives them: <c>venue https://…</c>.</summary>
    string Summary { get; }

    /// <summary>What is allowed in its settings and still worth a warning at the start, a line each.</summary>
    IReadOnlyList<string> Warnings => [];

    /// <summary>
    /// Registers its clients and its monitors. <paramref name="withoutDatabase"/>: there are no tables, what it knows of the past is what
    /// this process sees.
    /// </summary>
    void AddServices(IServiceCollection services, bool withoutDatabase);

    /// <summary>Tries each of its connections once, for <c>--check</c>: a line each, as it becomes known.</summary>
    IAsyncEnumerable<CheckLine> CheckConnectionsAsync(
        IServiceProvider services, ConnectionProbe probe, CancellationToken cancellationToken);
}
