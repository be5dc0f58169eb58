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
/// Suspects a silo when a connection with it has ended and it takes no other, and lets this silo read then what a recovery would bring here, so that a job goes on the sooner. Where it was a mistake, memory
/// and time were spent, and nothing else.
/// </summary>
internal sealed partial class ConnectionWatch(IJobPort port, ILocalSiloDetails local, SiloJobs jobs, SuspectedSilos suspects, ReadingAhead reading, StreamServices services, ILogger<ConnectionWatch> logger)
{
    /// <summary>Between two looks, and how long one may take. Connections that lived for less say nothing: they may be such a look.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>A port that takes connections again may be that of the process that was started in its place, before the cluster knows it.</summary>
    private const int LooksToTrust = 5;

    /// <summary>Of a process that ends, connections may close before the port does.</summary>
    private static readonly TimeSpan[] FirstLooks = [TimeSpan.FromMilliseconds(30), TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(300)];

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
            if (watch._time.GetElapsedTime(began) > Pause) watch.OnEnded(remote);
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

    /// <summary>Suspects a silo if it has gone, until the cluster knows it too, or it takes connections for a while.</summary>
    private async Task FollowAsync(string silo, IPEndPoint endpoint)
    {
        try
        {
            if (!await HasGoneAsync(endpoint) || !port.Silos.Contains(silo)) return;
            suspects.Add(silo);
            LogSuspected(silo);
            _ = reading.ReadForRecoveryAsync();
            for (var taken = 0; taken < LooksToTrust;)
            {
                await Task.Delay(Pause, _time);
                if (jobs.IsLeaving || !port.Silos.Contains(silo)) return;
                taken = await LookAsync(endpoint) == Look.Taken ? taken + 1 : 0;
            }

            suspects.Remove(silo);
            LogTakesConnections(silo);
            await reading.ForgetAsync();
        }
        finally
        {
            suspects.Remove(silo);
            _followed.TryRemove(silo, out _);
        }
    }

    private async Task<bool> HasGoneAsync(IPEndPoint endpoint)
    {
        foreach (var pause in FirstLooks)
        {
            await Task.Delay(pause, _time);
            if (await LookAsync(endpoint) == Look.Refused) return true;
        }

        return false;
    }

    private async Task<Look> LookAsync(IPEndPoint endpoint)
    {
        using var limit = new CancellationTokenSource(Pause, _time);
        try
        {
            using var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(endpoint, limit.Token);
            return Look.Taken;
        }
        catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return Look.Refused;
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException)
        {
            // No answer, or this machine's own trouble.
            return Look.Unknown;
        }
    }

    private enum Look
    {
        Unknown,
        Taken,
        Refused,
    }

    [LoggerMessage(LogLevel.Information, "Silo {Silo} seems to have gone: its connection has ended, and it takes none")]
    private partial void LogSuspected(string silo);

    [LoggerMessage(LogLevel.Information, "Silo {Silo} takes connections again")]
    private partial void LogTakesConnections(string silo);
}
