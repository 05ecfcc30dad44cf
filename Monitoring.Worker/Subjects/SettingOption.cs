using System.CommandLine;
using Monitoring.Data.Configuration;

namespace Monitoring.Worker.Subjects;

/// <summary>An option of the command line that sets one setting; the setting's name decides what is allowed.</summary>
internal sealed record SettingOption(string Option, string Setting, string Description, string ValueName)
{
    /// <summary>The option, as the command line has it.</summary>
    public Option<string?> Create() => new(Option) { Description = Description, HelpName = ValueName };
}

/// <summary>
/// How often a monitor runs: one declaration for the setting, for the option of the command line, and for the references.
/// </summary>
internal sealed record IntervalSetting(string Key, string ShortName, string Option, string What, int DefaultSeconds)
{
    private const int MostSeconds = 86400;

    /// <summary>Reads it.</summary>
    public TimeSpan Read(SettingsReader settings) => settings.Seconds(Key, ShortName, DefaultSeconds, 1, MostSeconds);

    /// <summary>The option that sets it.</summary>
    public SettingOption ToOption() =>
        new(Option, ShortName, $"Seconds between checks of {What}, 1–{MostSeconds} ({ShortName}, default {DefaultSeconds}).", "S");
}
