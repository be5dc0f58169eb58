using System.Runtime.InteropServices;
using Garnet;

// A Redis of this machine for one who has none: it keeps what it is told in memory, and ends with Ctrl-C or SIGTERM.
// With --until-input-ends it ends with the process that holds its standard input, too.
const string UntilInputEnds = "--until-input-ends";
if (args is not [var port, ..] || args is not ([_] or [_, UntilInputEnds]) || !ushort.TryParse(port, out var number) || number == 0)
{
    Console.Error.WriteLine("Give a port, like: dotnet run --project deploy/local/Garnet -- 6379");
    return 2;
}

using var server = new GarnetServer(["--bind", "127.0.0.1", "--port", port, "--lua", "true", "--logger-level", "Error", "--disable-console-logger", "true"]);
server.Start();
Console.WriteLine($"Ready on 127.0.0.1:{port}.");
var ended = new TaskCompletionSource();
using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
await Task.WhenAny(ended.Task, args.Length > 1 ? Console.In.ReadToEndAsync() : ended.Task);
return 0;

void End(PosixSignalContext signal)
{
    signal.Cancel = true;
    ended.TrySetResult();
}
