using System.CommandLine;
using Monitoring.Data.Configuration;

namespace Monitoring.Worker.Recording.Journalling;

/// <summary>The command <c>journal status</c>.</summary>
internal static class JournalCommand
{
    /// <summary>Nothing waits and nothing is wrong.</summary>
    public const int Empty = 0;

    /// <summary>Something is damaged or was set aside, or the folder cannot be read.</summary>
    public const int Faulty = 1;

    /// <summary>Records wait for the database.</summary>
    public const int Pending = 3;

    /// <summary>Makes the command; <paramref name="readConfiguration"/> gives the settings when it runs.</summary>
    public static Command Create(Func<IConfiguration> readConfiguration)
    {
        var status = new Command("status",
            "Say what waits for the database: 0 nothing, 3 something, 1 something is damaged or was set aside. Needs no database.");
        status.SetAction(_ => Status(readConfiguration()));
        return new Command("journal", "The local file that holds check results until the database has them (JOURNAL_PATH).") { status };
    }

    private static int Status(IConfiguration configuration)
    {
        try
        {
            var settings = new SettingsReader(configuration);
            var options = JournalOptions.Read(settings);
            settings.Finish("Journal");
            return Write(JournalStatus.Read(options), options, Console.Out);
        }
        catch (ConfigurationFaultException faults)
        {
            Console.Error.WriteLine(string.Join('\n', faults.Faults));
            return Faulty;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"JOURNAL_PATH: {fault.Message}");
            return Faulty;
        }
    }

    private static int Write(JournalStatus status, JournalOptions options, TextWriter output)
    {
        output.WriteLine($"path       {status.Path}{(Directory.Exists(status.Path) ? "" : " (not there yet)")}");
        output.WriteLine($"in use     {(status.InUse ? "by a worker" : "no")}");
        output.WriteLine($"records    {status.Records}");
        output.WriteLine($"bytes      {status.Bytes} of {options.MaxBytes}");
        output.WriteLine($"oldest     {Time(status.Oldest)}");
        output.WriteLine($"newest     {Time(status.Newest)}");
        output.WriteLine($"damaged    {status.Damaged}");
        output.WriteLine($"set aside  {status.SetAside.Count}");
        foreach (var file in status.SetAside)
            output.WriteLine($"           {file}");
        return status.Damaged + status.SetAside.Count > 0 ? Faulty : status.Records > 0 ? Pending : Empty;
    }

    private static string Time(DateTimeOffset? at) => at is null ? "–" : $"{at:yyyy-MM-dd'T'HH:mm:ss'Z'}";
}
