using System.Collections.Concurrent;
using System.Diagnostics;

namespace OrleansStream.ClusterTests.Silo;

/// <summary>The silo's executable as a process of its own.</summary>
internal sealed class SiloProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly List<(Func<string, bool> Wanted, TaskCompletionSource<string> Seen)> _awaited = [];

    private SiloProcess(IReadOnlyList<string> launcher, string[] args, IReadOnlyDictionary<string, string> environment)
    {
        string[] command = [.. launcher, "dotnet", Path.Combine(AppContext.BaseDirectory, "OrleansStream.Silo.dll"), .. args];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Take(line.Data);
        _process.ErrorDataReceived += (_, line) => Take(line.Data);
    }

    /// <summary>What it has printed so far.</summary>
    public string Printed => string.Join('\n', _lines);

    public static SiloProcess Start(params string[] args) => StartWith(new Dictionary<string, string>(), args);

    /// <summary>Starts it with a folder of its own for temporary files.</summary>
    public static SiloProcess StartIn(string temporary, params string[] args) => StartWith(new Dictionary<string, string> { ["TMPDIR"] = temporary }, args);

    /// <summary>Starts it with variables of its environment set.</summary>
    public static SiloProcess StartWith(IReadOnlyDictionary<string, string> environment, params string[] args) => StartBy([], environment, args);

    /// <summary>Starts it by a command that becomes it, such as one that first enters a network.</summary>
    public static SiloProcess StartBy(IReadOnlyList<string> launcher, IReadOnlyDictionary<string, string> environment, params string[] args)
    {
        var silo = new SiloProcess(launcher, args, environment);
        silo._process.Start();
        silo._process.BeginOutputReadLine();
        silo._process.BeginErrorReadLine();
        return silo;
    }

    /// <summary>Completes with the first line, printed already or later, that is wanted.</summary>
    public async Task<string> LineAsync(string named, Func<string, bool> wanted)
    {
        var seen = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_awaited)
        {
            if (_lines.FirstOrDefault(wanted) is { } line) return line;
            _awaited.Add((wanted, seen));
        }

        try
        {
            await Task.WhenAny(seen.Task, _process.WaitForExitAsync()).WaitAsync(Patience);
            return seen.Task.IsCompleted ? await seen.Task : throw new InvalidOperationException($"The silo ended before a line with {named} came; it printed:\n{Printed}");
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"No line with {named} came in {Patience.TotalSeconds} s; it printed:\n{Printed}");
        }
    }

    public void Kill() => _process.Kill();

    public bool HasEnded => _process.HasExited;

    /// <summary>Asks it to end, as Ctrl-C and a service manager do.</summary>
    public Task TerminateAsync() => SignalAsync("TERM");

    /// <summary>Sends it a signal.</summary>
    public async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{_process.Id}"]);
        await kill.WaitForExitAsync();
    }

    /// <summary>Waits for the end and all that it printed.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> EndAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
            return _process.ExitCode;
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"The silo did not end in {Patience.TotalSeconds} s; it printed:\n{Printed}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private void Take(string? line)
    {
        if (line is null) return;
        lock (_awaited)
        {
            _lines.Enqueue(line);
            foreach (var (wanted, seen) in _awaited)
            {
                if (wanted(line)) seen.TrySetResult(line);
            }
        }
    }
}
