using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Monitoring.Data.Logging;

/// <summary>The log as an operator reads it: one line each, with UTC time, level, the part that speaks, and the text.</summary>
public static class OperatorConsole
{
    private const string Name = "operator";

    /// <summary>Writes the log to standard output in this form.</summary>
    public static void AddOperatorConsole(this ILoggingBuilder logging)
    {
        logging.AddConsole(console => console.FormatterName = Name);
        logging.Services.AddSingleton<ConsoleFormatter, Formatter>();
    }

    private sealed class Formatter() : ConsoleFormatter(OperatorConsole.Name)
    {
        public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
        {
            var part = logEntry.Category[(logEntry.Category.LastIndexOf('.') + 1)..];
            var text = PlainText.OneLine(logEntry.Formatter(logEntry.State, logEntry.Exception));
            textWriter.WriteLine(
                $"{TimeProvider.System.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss.fff'Z'} {Level(logEntry.LogLevel)} {part}: {text}");
            if (logEntry.Exception is { } exception)
                textWriter.WriteLine(PlainText.Lines($"{exception}"));
        }

        private static string Level(LogLevel level) => level switch
        {
            LogLevel.Trace or LogLevel.Debug => "debug   ",
            LogLevel.Information => "info    ",
            LogLevel.Warning => "WARNING ",
            LogLevel.Error => "ERROR   ",
            _ => "CRITICAL",
        };
    }
}
