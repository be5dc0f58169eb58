using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace OrleansStream.ClusterTests.Faults;

/// <summary>Keeps what the engine logs on silos of this process, from <see cref="LogLevel.Debug"/> up: one instance for all silos.</summary>
internal sealed class LogRecorder : ILoggerProvider
{
    private readonly ConcurrentQueue<(LogLevel Level, string Text)> _lines = new();

    public IReadOnlyCollection<(LogLevel Level, string Text)> Lines => _lines;

    public IReadOnlyList<string> At(LogLevel level) => [.. _lines.Where(line => line.Level == level).Select(static line => line.Text)];

    public void AddTo(ISiloBuilder builder)
    {
        builder.Services.AddSingleton<ILoggerProvider>(this);
        builder.Services.Configure<LoggerFilterOptions>(static options => options.Rules.Add(new LoggerFilterRule(typeof(LogRecorder).FullName, nameof(OrleansStream), LogLevel.Debug, null)));
    }

    public ILogger CreateLogger(string categoryName) => new Logger(this);

    public void Dispose()
    {
    }

    private sealed class Logger(LogRecorder all) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            all._lines.Enqueue((logLevel, formatter(state, exception)));
    }
}
