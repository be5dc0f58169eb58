using System.Net;
using System.Net.Sockets;
using OrleansStream.Jobs;

namespace OrleansStream.Silo.Hosting;

/// <summary>Finds ports of this machine for a silo and its status page.</summary>
internal static class LoopbackPorts
{
    /// <summary>A port that nobody listens on now; somebody may by the time it is used.</summary>
    public static int Free()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Refuses a port that the status page cannot have, before anything is started.</summary>
    public static void RefuseUnlessFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
        }
        catch (SocketException error)
        {
            throw NotForPage(port, error.SocketErrorCode);
        }
    }

    public static JobRefusedException NotForPage(int port, SocketError error) => new(error switch
    {
        SocketError.AddressAlreadyInUse => $"Port {port} is in use, so the status page cannot be there: choose another port with --http-port.",
        SocketError.AccessDenied => $"Port {port} may not be used by this user, so the status page cannot be there: choose one above 1023 with --http-port.",
        _ => $"The status page cannot be at port {port} ({error}): choose another port with --http-port.",
    });

    /// <summary>Whether somebody else had the port, whoever says so.</summary>
    public static bool IsInUse(Exception error)
    {
        for (var inner = error; inner is not null; inner = inner.InnerException)
        {
            if (inner is SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse }) return true;
            if (inner is AggregateException several && several.InnerExceptions.Any(IsInUse)) return true;
        }

        return false;
    }
}
