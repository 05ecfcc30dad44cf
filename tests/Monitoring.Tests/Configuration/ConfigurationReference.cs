using System.Text;
using Monitoring.Data.Configuration;

namespace Monitoring.Tests.Configuration;

/// <summary>Writes docs/configuration.md from the settings that the programs really read.</summary>
internal static class ConfigurationReference
{
    public static string Write(IEnumerable<Setting> worker, IEnumerable<Setting> api)
    {
        var text = new StringBuilder("""
            # Configuration

            Written by the tests from the settings that the programs read;
            `UPDATE_SNAPSHOTS=1 ./test Reference_lists_every_setting` writes it anew.

            Values come from `appsettings.json` beside the program, then the environment, then the command line; the later wins.
            Every setting can be given by its key (in the environment with `__` for `:`; `.`, `-` and `_` inside a key do not count,
            so `Rules:hlp.loss:HighUsd` is `Rules__hlp_loss__HighUsd`), and those with a short name by that.
            A value that is not allowed stops the start with one line per fault.
            A secret `X` may instead come from the file that `X_FILE` names; those are listed with both names.


            """);
        Append(text, "Worker", worker);
        Append(text, "Read service", api);
        return text.ToString();
    }

    private static void Append(StringBuilder text, string title, IEnumerable<Setting> settings)
    {
        text.Append($"## {title}\n\n| short name | key | default | allowed |\n| --- | --- | --- | --- |\n");
        foreach (var setting in settings)
            text.Append($"| {ShortNames(setting)} | `{setting.Key}` | {setting.Default} | {setting.Form} |\n");
        text.Append('\n');
    }

    private static string ShortNames(Setting setting) =>
        setting.ShortName is null ? "" : $"`{setting.ShortName}`{(setting.IsSecret ? $", `{setting.ShortName}_FILE`" : "")}";
}
