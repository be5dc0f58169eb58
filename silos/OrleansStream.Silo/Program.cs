using OrleansStream.Silo.CommandLine;
using OrleansStream.Silo.Terminal;

return await new SiloCommandLine(Screen.OfConsole()).RunAsync(args);
