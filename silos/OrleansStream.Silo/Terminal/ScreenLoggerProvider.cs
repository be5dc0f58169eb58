using Microsoft.Extensions.Logging;

namespace OrleansStream.Silo.Terminal;

/// <summary>Prints log messages as single lines to the error stream, above the status.</summary>
/// <param name="screen">Where they go.</param>
/// <param name="withStackTraces">Whether exceptions come whole.</param>
/// <param name="time">What says when each was; null when nobody needs to know.</param>
internal sealed class ScreenLoggerProvider(Screen screen, bool withStackTraces, TimeProvider? time) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new ScreenLogger(screen, categoryName[(categoryName.LastIndexOf('.') + 1)..], withStackTraces, time);

    public void Dispose()
    {
    }

    private sealed class ScreenLogger(Screen screen, string category, bool withStackTraces, TimeProvider? time) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var message = OneLine.Of(formatter(state, exception));
            var cause = exception is null ? "" : withStackTraces ? $"{Environment.NewLine}{exception}" : $": {OneLine.Of(exception.Message)}";
            var at = time is null ? "" : $"{time.GetUtcNow():yyyy-MM-ddTHH:mm:ss.fffZ} ";
            screen.WriteError($"{at}{logLevel.ToString().ToLowerInvariant()}: {category}: {message}{cause}");
        }
    }
}

/// <summary>Puts a text of several lines on one.</summary>
internal static class OneLine
{
    public static string Of(string text) => string.Join("; ", text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).Replace(":;", ":", StringComparison.Ordinal);
}
