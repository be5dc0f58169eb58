using System.Globalization;
using OrleansStream.ClusterTests.Silo;

namespace OrleansStream.ClusterTests.Cluster;

/// <summary>One silo of a <see cref="SiloCluster"/>.</summary>
internal sealed class SiloNode : IAsyncDisposable
{
    private readonly SiloProcess _process;
    private readonly string[] _arguments;

    /// <param name="arguments">What <c>serve</c> is told besides.</param>
    /// <param name="environment">Variables of its environment.</param>
    /// <param name="host">The host of a network that it runs on; this machine when null.</param>
    public SiloNode(IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment, NetworkHost? host = null)
        : this(Garnet.FreePort(), Garnet.FreePort(), Garnet.FreePort(), [.. arguments], environment, host)
    {
    }

    private SiloNode(int siloPort, int gatewayPort, int httpPort, string[] arguments, IReadOnlyDictionary<string, string> environment, NetworkHost? host)
    {
        (SiloPort, GatewayPort, HttpPort, Host, _arguments) = (siloPort, gatewayPort, httpPort, host, arguments);
        Http = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://{host?.Address ?? "localhost"}:{HttpPort}/"));
        _process = SiloProcess.StartBy(host?.Launcher ?? [], environment, ["serve", "--silo-port", $"{siloPort}", "--gateway-port", $"{gatewayPort}", "--http-port", $"{httpPort}", .. arguments]);
    }

    private int SiloPort { get; }

    private int GatewayPort { get; }

    /// <summary>Where other silos reach it.</summary>
    public string Address => string.Create(CultureInfo.InvariantCulture, $"{Host?.Address ?? "127.0.0.1"}:{SiloPort}");

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

    /// <summary>Lets it go on.</summary>
    public async Task ResumeAsync()
    {
        await _process.SignalAsync("CONT");
        IsPaused = false;
    }

    /// <summary>Starts the process that was this silo once more, with the same ports and folders.</summary>
    public SiloNode StartAgain() => new(SiloPort, GatewayPort, HttpPort, _arguments, new Dictionary<string, string>(), Host);

    /// <summary>Waits for its end; returns the exit code.</summary>
    public Task<int> EndAsync() => _process.EndAsync();

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
