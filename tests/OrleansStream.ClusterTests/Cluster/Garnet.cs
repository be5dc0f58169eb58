using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using OrleansStream.ClusterTests.Cluster;

[assembly: AssemblyFixture(typeof(Garnet))]

namespace OrleansStream.ClusterTests.Cluster;

/// <summary>The Redis of all clusters of this assembly, each with a name of its own in it: Garnet as a process, started when the first test asks for it, on a free port of the loopback address.</summary>
public sealed class Garnet : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Lazy<Task<string>> _address;
    private Process? _process;

    public Garnet() => _address = new Lazy<Task<string>>(StartAsync);

    /// <summary>Where it is, as <c>host:port</c>.</summary>
    public Task<string> AddressAsync() => _address.Value;

    public async ValueTask DisposeAsync()
    {
        if (_process is not { } process) return;
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    private async Task<string> StartAsync()
    {
        var program = typeof(Garnet).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(static one => one.Key == "Garnet").Value!;
        var port = TestSilos.FreePort();
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var start = new ProcessStartInfo("dotnet", [program, port.ToString(CultureInfo.InvariantCulture), "--until-input-ends"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        _process.OutputDataReceived += (_, line) =>
        {
            if (line.Data?.StartsWith("Ready on", StringComparison.Ordinal) == true) ready.TrySetResult();
        };
        _process.ErrorDataReceived += static (_, _) => { };
        _process.Exited += (_, _) => ready.TrySetException(new InvalidOperationException("Garnet ended."));
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await ready.Task.WaitAsync(Patience);
        return $"127.0.0.1:{port}";
    }
}
