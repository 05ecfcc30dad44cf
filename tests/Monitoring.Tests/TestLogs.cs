using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Monitoring.Tests;

/// <summary>Collects what the code under test logs.</summary>
internal sealed class TestLogs : ILoggerProvider
{
    private readonly ConcurrentQueue<(LogLevel Level, string Text)> _lines = [];

    public IReadOnlyList<(LogLevel Level, string Text)> Lines => [.. _lines];

    public ILogger CreateLogger(string categoryName) => new Logger(this);

    /// <summary>A typed logger that writes here.</summary>
    public ILogger<T> For<T>()
    {
        var factory = LoggerFactory.Create(logging => logging.AddProvider(this).SetMinimumLevel(LogLevel.Debug));
        return factory.CreateLogger<T>();
    }

    public void Dispose()
    {
    }

    private sealed class Logger(TestLogs logs) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            logs._lines.Enqueue((logLevel, formatter(state, exception) + (exception is null ? "" : $" {exception}")));
    }
}
