using Garnet;

// A Redis of this machine for one who has none: it keeps what it is told in memory, and ends with Ctrl-C or SIGTERM.
if (args is not [var port] || !ushort.TryParse(port, out var number) || number == 0)
{
    Console.Error.WriteLine("Give a port, like: dotnet run --project deploy/local/Garnet -- 6379");
    return 2;
}

using var server = new GarnetServer(["--bind", "127.0.0.1", "--port", port, "--lua", "true", "--logger-level", "Error", "--disable-console-logger", "true"]);
server.Start();
Console.WriteLine($"Ready on 127.0.0.1:{port}.");
var ended = new TaskCompletionSource();
using var term = System.Runtime.InteropServices.PosixSignalRegistration.Create(System.Runtime.InteropServices.PosixSignal.SIGTERM, signal => { signal.Cancel = true; ended.TrySetResult(); });
using var interrupt = System.Runtime.InteropServices.PosixSignalRegistration.Create(System.Runtime.InteropServices.PosixSignal.SIGINT, signal => { signal.Cancel = true; ended.TrySetResult(); });
await ended.Task;
return 0;
