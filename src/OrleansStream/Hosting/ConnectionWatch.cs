using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using OrleansStream.Jobs;

namespace OrleansStream.Hosting;

/// <summary>
/// The silos of the cluster that seem to have gone, as seen from here. That a silo is dead is for the cluster's votes to say, which takes until probes have gone unanswered. Until then this is good for
/// what does no harm where it is wrong.
/// </summary>
internal sealed class SuspectedSilos
{
    private readonly ConcurrentDictionary<string, bool> _silos = new(StringComparer.Ordinal);

    public IReadOnlyCollection<string> All => [.. _silos.Keys];

    public bool Contains(string silo) => _silos.ContainsKey(silo);

    public bool Add(string silo) => _silos.TryAdd(silo, true);

    public bool Remove(string silo) => _silos.TryRemove(silo, out _);
}

/// <summary>
/// Suspects a silo when a connection with it has ended and it takes no other, and lets this silo read then what a recovery would bring here, so that a job goes on the sooner. Where it was a mistake, memory
/// and time were spent, and nothing else.
/// </summary>
internal sealed partial class ConnectionWatch(IJobPort port, ILocalSiloDetails local, SiloJobs jobs, SuspectedSilos suspects, ReadingAhead reading, StreamServices services, ILogger<ConnectionWatch> logger)
{
    /// <summary>Where nobody listens, connecting fails sooner; what takes longer is for the probes to judge. Connections that lived for less say nothing: they may be such a look.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>Of a process that ends, connections may close before the port does.</summary>
    private static readonly TimeSpan Closing = TimeSpan.FromMilliseconds(30);

    private readonly ILogger _logger = logger;
    private readonly TimeProvider _time = services.Time;
    private readonly ConcurrentDictionary<string, bool> _followed = new(StringComparer.Ordinal);

    /// <summary>Hears of connections between silos, whichever side opened them.</summary>
    public static void Watch(SiloConnectionOptions options)
    {
        options.ConfigureSiloOutboundConnection(Watch);
        options.ConfigureSiloInboundConnection(Watch);
    }

    private static void Watch(IConnectionBuilder builder) => builder.Use(next => async connection =>
    {
        var (watch, remote) = (builder.ApplicationServices.GetRequiredService<ConnectionWatch>(), connection.RemoteEndPoint);
        var began = watch._time.GetTimestamp();
        try
        {
            await next(connection);
        }
        finally
        {
            if (watch._time.GetElapsedTime(began) > Patience) watch.OnEnded(remote);
        }
    });

    /// <summary>Who was at the other end is not always known by its port, so all silos at that address are looked at: on a machine of its own that is one.</summary>
    private void OnEnded(EndPoint? remote)
    {
        if (jobs.IsLeaving || remote is not IPEndPoint { Address: var address }) return;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        var here = local.SiloAddress.ToParsableString();
        foreach (var silo in port.Silos)
        {
            var endpoint = SiloAddress.FromParsableString(silo).Endpoint;
            if (silo != here && endpoint.Address.Equals(address) && _followed.TryAdd(silo, true)) _ = FollowAsync(silo, endpoint);
        }
    }

    /// <summary>Looks until the silo takes connections, or the cluster knows that it is dead.</summary>
    private async Task FollowAsync(string silo, IPEndPoint endpoint)
    {
        try
        {
            await Task.Delay(Closing, _time);
            while (!jobs.IsLeaving && port.Silos.Contains(silo))
            {
                if (!await RefusesAsync(endpoint))
                {
                    if (!suspects.Remove(silo)) return;
                    LogTakesConnections(silo);
                    reading.Forget();
                    return;
                }

                if (suspects.Add(silo))
                {
                    LogSuspected(silo);
                    _ = reading.ReadForRecoveryAsync();
                }

                await Task.Delay(Patience, _time);
            }
        }
        finally
        {
            suspects.Remove(silo);
            _followed.TryRemove(silo, out _);
        }
    }

    private async Task<bool> RefusesAsync(IPEndPoint endpoint)
    {
        using var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        using var limit = new CancellationTokenSource(Patience, _time);
        try
        {
            await socket.ConnectAsync(endpoint, limit.Token);
            return false;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }

    [LoggerMessage(LogLevel.Information, "Silo {Silo} seems to have gone: its connection has ended, and it takes none")]
    private partial void LogSuspected(string silo);

    [LoggerMessage(LogLevel.Information, "Silo {Silo} takes connections again")]
    private partial void LogTakesConnections(string silo);
}
