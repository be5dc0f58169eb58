using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using OrleansStream.ClusterTests.Packages;

namespace OrleansStream.ClusterTests.Cluster;

/// <summary>A host of a <see cref="HostNetwork"/>.</summary>
/// <param name="Name">The name of its network namespace.</param>
/// <param name="Address">Its address.</param>
internal sealed record NetworkHost(string Name, string Address)
{
    /// <summary>What starts a command there.</summary>
    public IReadOnlyList<string> Launcher { get; } = ["ip", "netns", "exec", Name];
}

/// <summary>
/// Hosts with addresses of their own, made of Linux network namespaces: each is linked to a router, and so is this machine, that passes packets on between them, or, where a cut is, loses
/// them without a word. Needs root and iproute2.
/// </summary>
internal sealed class HostNetwork : IAsyncDisposable
{
    /// <summary>Addresses that are for tests of networks, so that they are nobody's.</summary>
    private const string Prefix = "198.18";

    private static int _networks;

    private readonly string _id = string.Create(CultureInfo.InvariantCulture, $"os{Environment.ProcessId % 100_000}x{Interlocked.Increment(ref _networks)}");
    private readonly List<(string From, string To)> _cuts = [];
    private readonly List<NetworkHost> _hosts = [];
    private readonly List<TcpListener> _listeners = [];
    private readonly ConcurrentBag<TcpClient> _clients = [];
    private readonly CancellationTokenSource _ending = new();

    private HostNetwork()
    {
    }

    public IReadOnlyList<NetworkHost> Hosts => _hosts;

    private string Router => $"{_id}r";

    private string Uplink => $"{_id}u";

    /// <summary>Why there can be no such network here; null when there can.</summary>
    public static string? Missing()
    {
        if (!OperatingSystem.IsLinux()) return "Network namespaces are Linux'.";
        if (!Environment.IsPrivilegedProcess) return "Network namespaces are made by root: run the tests as root.";
        return Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(static folder => File.Exists(Path.Combine(folder, "ip"))) ? null : "There is no command 'ip': install iproute2.";
    }

    public static async Task<HostNetwork> CreateAsync(int hosts)
    {
        var network = new HostNetwork();
        try
        {
            await network.MakeAsync(hosts);
            return network;
        }
        catch
        {
            await network.DisposeAsync();
            throw;
        }
    }

    /// <summary>Makes a port of this machine's loopback address one that all hosts reach.</summary>
    /// <returns>The address for them.</returns>
    public string Reach(string loopback)
    {
        var listener = new TcpListener(IPAddress.Parse($"{Prefix}.0.1"), 0);
        listener.Start();
        _listeners.Add(listener);
        _ = AcceptAsync(listener, IPEndPoint.Parse(loopback));
        return listener.LocalEndpoint.ToString()!;
    }

    /// <summary>From now on no packet gets from one host to another; those the other way do.</summary>
    public async Task CutAsync(NetworkHost from, NetworkHost to)
    {
        await IpAsync($"-n {Router} rule add from {from.Address} to {to.Address} blackhole");
        _cuts.Add((from.Address, to.Address));
    }

    /// <summary>All packets get through again.</summary>
    public async Task HealAsync()
    {
        foreach (var (from, to) in _cuts) await IpAsync($"-n {Router} rule del from {from} to {to} blackhole");
        _cuts.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        foreach (var listener in _listeners) listener.Dispose();
        foreach (var client in _clients) client.Dispose();
        foreach (var host in _hosts) await TryIpAsync($"netns del {host.Name}");
        await TryIpAsync($"link del {Uplink}");
        await TryIpAsync($"netns del {Router}");
        _ending.Dispose();
    }

    private async Task MakeAsync(int hosts)
    {
        await IpAsync($"netns add {Router}");
        await IpAsync($"link add {Uplink} type veth peer name uplink netns {Router}");
        await IpAsync($"addr add {Prefix}.0.1/24 dev {Uplink}");
        await IpAsync($"link set {Uplink} up");
        await IpAsync($"-n {Router} addr add {Prefix}.0.2/24 dev uplink");
        await IpAsync($"-n {Router} link set uplink up");
        await Shell.RunAsync("ip", "/", new Dictionary<string, string>(), "netns", "exec", Router, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward");
        await IpAsync($"route add {Prefix}.0.0/16 via {Prefix}.0.2");
        for (var i = 1; i <= hosts; i++)
        {
            var host = new NetworkHost($"{_id}h{i}", $"{Prefix}.{i}.2");
            await IpAsync($"netns add {host.Name}");
            _hosts.Add(host);
            await IpAsync($"link add host{i} netns {Router} type veth peer name eth0 netns {host.Name}");
            await IpAsync($"-n {Router} addr add {Prefix}.{i}.1/24 dev host{i}");
            await IpAsync($"-n {Router} link set host{i} up");
            await IpAsync($"-n {host.Name} link set lo up");
            await IpAsync($"-n {host.Name} addr add {host.Address}/24 dev eth0");
            await IpAsync($"-n {host.Name} link set eth0 up");
            await IpAsync($"-n {host.Name} route add default via {Prefix}.{i}.1");
        }
    }

    private async Task AcceptAsync(TcpListener listener, IPEndPoint target)
    {
        try
        {
            while (true) _ = PassAsync(await listener.AcceptTcpClientAsync(_ending.Token), target);
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task PassAsync(TcpClient near, IPEndPoint target)
    {
        var far = new TcpClient();
        _clients.Add(near);
        _clients.Add(far);
        try
        {
            near.NoDelay = far.NoDelay = true;
            await far.ConnectAsync(target, _ending.Token);
            await Task.WhenAny(near.GetStream().CopyToAsync(far.GetStream(), _ending.Token), far.GetStream().CopyToAsync(near.GetStream(), _ending.Token));
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or IOException or ObjectDisposedException)
        {
        }
        finally
        {
            near.Dispose();
            far.Dispose();
        }
    }

    private static Task<string> IpAsync(string command) => Shell.RunAsync("ip", "/", new Dictionary<string, string>(), command.Split(' '));

    private static async Task TryIpAsync(string command)
    {
        try
        {
            await IpAsync(command);
        }
        catch (InvalidOperationException)
        {
            // It was not made.
        }
    }
}
