using System.Net;
using System.Net.Sockets;
using OrleansStream.Jobs;

namespace OrleansStream.Silo.Hosting;

/// <summary>Finds ports of this machine for a silo and its status page.</summary>
internal static class MachinePorts
{
    private const string Page = "the status page";
    private const string PageOption = "--http-port";

    /// <summary>A port that nobody listens on now; somebody may by the time it is used.</summary>
    public static int Free()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Refuses a port that the status page cannot have, before anything is started.</summary>
    public static void RefuseUnlessFree(int port) => RefuseUnlessFree(IPAddress.Loopback, port, Page, PageOption);

    /// <summary>Refuses a port that something cannot have, before anything is started. Orleans itself would share the port of another silo, which would take this one for itself come back.</summary>
    /// <param name="address">The address of this machine.</param>
    /// <param name="port">The port there.</param>
    /// <param name="what">What is to be there, for people.</param>
    /// <param name="option">The option that says where.</param>
    public static void RefuseUnlessFree(IPAddress address, int port, string what, string option)
    {
        try
        {
            using var listener = new TcpListener(address, port);
            listener.Start();
        }
        catch (SocketException error)
        {
            throw Refused(address, port, what, option, error.SocketErrorCode);
        }
    }

    /// <summary>What there is to say when somebody else was quicker.</summary>
    public static JobRefusedException TakenFromPage(int port) => Refused(IPAddress.Loopback, port, Page, PageOption, SocketError.AddressAlreadyInUse);

    private static JobRefusedException Refused(IPAddress address, int port, string what, string option, SocketError error) => new(error switch
    {
        SocketError.AddressAlreadyInUse => $"Port {port} is in use, so {what} cannot be there: choose another port with {option}.",
        SocketError.AccessDenied => $"Port {port} may not be used by this user, so {what} cannot be there: choose one above 1023 with {option}.",
        SocketError.AddressNotAvailable => $"{address} is no address of this machine, so {what} cannot be at its port {port}.",
        _ => $"{char.ToUpperInvariant(what[0])}{what[1..]} cannot be at port {port} ({error}): choose another port with {option}.",
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
