using System.Diagnostics;
using System.Text.Json;

namespace OrleansStream.Benchmarks.Processes;

/// <summary>A silo process, seen from its parent.</summary>
internal sealed class SiloChild : IAsyncDisposable
{
    /// <summary>The hidden subcommand that runs a silo.</summary>
    public const string Subcommand = "silo";

    private static readonly TimeSpan LeavePatience = TimeSpan.FromSeconds(20);

    private readonly Process _process;

    private SiloChild(Process process) => _process = process;

    /// <summary>Starts this very program again as a silo.</summary>
    public static SiloChild Start(SiloOrder order)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardInput = true, RedirectStandardOutput = true };

        // Started as 'dotnet program.dll', the process is dotnet and the program its first argument.
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet") start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, $"{typeof(SiloChild).Assembly.GetName().Name}.dll"));
        start.ArgumentList.Add(Subcommand);
        start.ArgumentList.Add(JsonSerializer.Serialize(order));
        return new SiloChild(Process.Start(start)!);
    }

    /// <summary>Has it do something, and waits for that.</summary>
    public async Task<SiloReply> AskAsync(SiloVerb verb, int run = 0)
    {
        await _process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(new SiloCommand(verb, run)));
        await _process.StandardInput.FlushAsync();
        var line = await _process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException($"Silo process {_process.Id} is gone; it was to {verb}.");
        var reply = SiloReply.FromLine(line);
        return reply.Error is null ? reply : throw new InvalidOperationException($"Silo process {_process.Id} could not {verb}: {reply.Error}");
    }

    /// <summary>Lets it go. It ends when its input does; should it not, it is killed by its own id.</summary>
    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        using var patience = new CancellationTokenSource(LeavePatience);
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill();
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        _process.Dispose();
    }
}
