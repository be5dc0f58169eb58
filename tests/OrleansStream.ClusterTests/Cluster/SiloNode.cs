using System.Globalization;
using OrleansStream.ClusterTests.Silo;
using OrleansStream.Jobs;

namespace OrleansStream.ClusterTests.Cluster;

/// <summary>One silo of a <see cref="SiloCluster"/>.</summary>
internal sealed class SiloNode : IAsyncDisposable
{
    private readonly SiloProcess _process;
    private readonly int _siloPort;
    private readonly int _gatewayPort;
    private readonly string[] _arguments;
    private readonly IReadOnlyDictionary<string, string> _environment;

    /// <param name="arguments">What <c>serve</c> is told besides.</param>
    /// <param name="environment">Variables of its environment.</param>
    /// <param name="host">The host of a network that it runs on; this machine when null.</param>
    public SiloNode(IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment, NetworkHost? host = null)
        : this(TestSilos.FreePort(), TestSilos.FreePort(), TestSilos.FreePort(), [.. arguments], environment, host)
    {
    }

    private SiloNode(int siloPort, int gatewayPort, int httpPort, string[] arguments, IReadOnlyDictionary<string, string> environment, NetworkHost? host)
    {
        (_siloPort, _gatewayPort, HttpPort, _arguments, _environment, Host) = (siloPort, gatewayPort, httpPort, arguments, environment, host);
        Address = string.Create(CultureInfo.InvariantCulture, $"{host?.Address ?? "127.0.0.1"}:{siloPort}");
        Http = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://{host?.Address ?? "localhost"}:{HttpPort}/"));
        _process = SiloProcess.StartBy(host?.Launcher ?? [], environment, ["serve", "--silo-port", $"{siloPort}", "--gateway-port", $"{gatewayPort}", "--http-port", $"{httpPort}", .. arguments]);
    }

    /// <summary>Where other silos reach it.</summary>
    public string Address { get; }

    public int HttpPort { get; }

    /// <summary>Where it answers over HTTP.</summary>
    public Uri Http { get; }

    /// <summary>The host of a network that it runs on; null for this machine.</summary>
    public NetworkHost? Host { get; }

    public bool IsAlive => !_process.HasEnded;

    /// <summary>Whether it was paused: it is alive and does not answer.</summary>
    public bool IsPaused { get; private set; }

    public string Printed => _process.Printed;

    public Task ReadyAsync() => _process.LineAsync("'is up in cluster'", static line => line.Contains("is up in cluster", StringComparison.Ordinal));

    public Task<string> LineAsync(string text) => _process.LineAsync($"'{text}'", line => line.Contains(text, StringComparison.Ordinal));

    /// <summary>kill -9.</summary>
    public void Kill() => _process.Kill();

    /// <summary>Asks it to leave.</summary>
    public Task LeaveAsync() => _process.TerminateAsync();

    /// <summary>Stops it as a debugger does, in the middle of whatever it does. Nobody asks it anything until it goes on.</summary>
    public Task PauseAsync()
    {
        IsPaused = true;
        return _process.SignalAsync("STOP");
    }

    /// <summary>It stops itself: nobody asks it anything until it goes on. It is sent no signal, which it might get before it has stopped, and stop for a second time when it is let go on.</summary>
    public void StopsItself() => IsPaused = true;

    /// <summary>Lets it go on.</summary>
    public async Task ResumeAsync()
    {
        await _process.SignalAsync("CONT");
        IsPaused = false;
    }

    /// <summary>Starts the process that was this silo once more, with the same ports and folders, and without its fault.</summary>
    public SiloNode StartAgain() => new(
        _siloPort, _gatewayPort, HttpPort, _arguments, _environment.Where(static one => one.Key is not (FaultPoints.Variable or FaultPoints.StopVariable)).ToDictionary(), Host);

    /// <summary>Waits for its end; returns the exit code.</summary>
    public Task<int> EndAsync() => _process.EndAsync();

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
