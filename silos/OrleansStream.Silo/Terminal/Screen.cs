using System.Text;
using Spectre.Console;

namespace OrleansStream.Silo.Terminal;

/// <summary>
/// Where a command prints. On a terminal the last line may be a status that is drawn anew in place, and everything else goes above it; redirected, everything is lines.
/// Safe for concurrent use.
/// </summary>
internal sealed class Screen
{
    private const string EraseLine = "\r\u001b[2K";
    private const string Dim = "\u001b[2m";
    private const string Plain = "\u001b[0m";

    private readonly Lock _lock = new();
    private readonly TextWriter _out;
    private readonly TextWriter _error;
    private readonly IAnsiConsole? _terminal;
    private string? _status;

    private Screen(TextWriter output, TextWriter error, IAnsiConsole? terminal)
    {
        _out = output;
        _error = error;
        _terminal = terminal;
        Lines = new LineWriter(this);
    }

    /// <summary>Whether the status is drawn in place.</summary>
    public bool IsLive => _terminal is not null;

    /// <summary>Prints what is written to it above the status.</summary>
    public TextWriter Lines { get; }

    public static Screen OfConsole()
    {
        var console = AnsiConsole.Console;
        var isLive = console.Profile.Out.IsTerminal && console.Profile.Capabilities.Ansi && !System.Console.IsOutputRedirected;
        return new Screen(System.Console.Out, System.Console.Error, isLive ? console : null);
    }

    /// <summary>A screen that is never live.</summary>
    public static Screen Of(TextWriter output, TextWriter error) => new(output, error, terminal: null);

    public void WriteLine(string line) => Write(line + Environment.NewLine);

    public void WriteError(string line)
    {
        lock (_lock)
        {
            Erase();
            _error.WriteLine(line);
            _error.Flush();
            Draw();
        }
    }

    /// <summary>Draws the status, or takes it away; only on a terminal.</summary>
    public void ShowStatus(string? line)
    {
        if (_terminal is null) return;
        lock (_lock)
        {
            Erase();
            _status = line;
            Draw();
        }
    }

    private void Write(string text)
    {
        lock (_lock)
        {
            Erase();
            _out.Write(text);
            Draw();
            _out.Flush();
        }
    }

    private void Erase()
    {
        if (_status is not null) _out.Write(EraseLine);
    }

    private void Draw()
    {
        if (_status is null || _terminal is null) return;
        var width = Math.Max(20, _terminal.Profile.Width - 1);
        _out.Write($"{Dim}{(_status.Length > width ? _status[..width] : _status)}{Plain}");
        _out.Flush();
    }

    /// <summary>Passes on whole lines only, so that the status never lands inside one.</summary>
    private sealed class LineWriter(Screen screen) : TextWriter
    {
        private readonly StringBuilder _text = new();

        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value)
        {
            _text.Append(value);
            if (value == '\n') Flush();
        }

        public override void Write(StringBuilder? value)
        {
            _text.Append(value);
            Flush();
        }

        public override void Flush()
        {
            var end = _text.Length;
            while (end > 0 && _text[end - 1] != '\n') end--;
            if (end == 0) return;
            screen.Write(_text.ToString(0, end));
            _text.Remove(0, end);
        }
    }
}
