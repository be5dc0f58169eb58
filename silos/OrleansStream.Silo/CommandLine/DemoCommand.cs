using System.CommandLine;
using System.Globalization;
using OrleansStream.Checkpoints;
using OrleansStream.Jobs;
using OrleansStream.Silo.Hosting;
using OrleansStream.Silo.Jobs;
using OrleansStream.Silo.Terminal;

namespace OrleansStream.Silo.CommandLine;

/// <summary>What the silo does without a command: the job on generated readings, until it is stopped. Each start begins afresh.</summary>
internal sealed class DemoCommand(Screen screen)
{
    private const int DefaultPort = 8081;

    private static readonly TimeSpan Window = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan CheckpointInterval = TimeSpan.FromSeconds(1);

    private readonly Option<int?> _httpPort = RunOptions.HttpPort($"Where the status page is, http://localhost:PORT; {DefaultPort} unless given.");

    public void AddTo(RootCommand root, Guard guard)
    {
        root.Options.Add(_httpPort);
        root.SetAction(guard(RunAsync));
    }

    /// <summary>What the job is started with, for readings from a moment on.</summary>
    public static JobStart StartAt(DateTimeOffset now) => new()
    {
        Arguments = new JobArguments(
        [
            KeyValuePair.Create(GeneratedReadings.Started, now.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture)),
            KeyValuePair.Create(AverageSensorReadings.Arguments.Window, Durations.Show(Window)),
            KeyValuePair.Create(SensorFiles.Arguments.OutOfOrderness, Durations.Show(GeneratedReadings.Disorder)),
        ]),
        Parallelism = GeneratedReadings.Splits,
        RecordsPerSecond = GeneratedReadings.PerSecond,
        CheckpointInterval = CheckpointInterval,
    };

    private async Task<int> RunAsync(ParseResult parsed, bool verbose, CancellationToken cancellation)
    {
        var port = parsed.GetValue(_httpPort) ?? DefaultPort;
        MachinePorts.RefuseUnlessFree(port);
        var start = StartAt(TimeProvider.System.GetUtcNow());
        var folder = Directory.CreateTempSubdirectory("orleansstream-demo-");
        try
        {
            await using var silo = await EmbeddedSilo.StartAsync(
                new SiloSettings { Job = AverageSensorReadings.JobName, Start = start, Screen = screen, Store = new LocalFolderStore(folder.FullName), HttpPort = port, Verbose = verbose }, cancellation);
            Welcome(port);
            await silo.Jobs.StartAsync(AverageSensorReadings.JobName, start);
            var status = await new Progress(silo.Jobs, AverageSensorReadings.JobName, screen, TimeProvider.System).ShowUntilEndAsync(cancellation);
            if (status.Phase == JobPhase.Stopped)
            {
                screen.WriteLine($"Stopped: {OneLine.Of(status.Cause ?? "by somebody else")}");
                return ExitCode.Done;
            }

            throw new StreamException(status.Cause ?? $"the job ended: {status.Phase}");
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            screen.WriteLine("Stopped.");
            return ExitCode.Done;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private void Welcome(int port)
    {
        screen.WriteLine($"Job {AverageSensorReadings.JobName} on generated readings: averages of {GeneratedReadings.PerSecond:N0} readings a second, every {Window.TotalSeconds:F0} s. Ctrl-C stops it.");
        screen.WriteLine($"Status page: http://localhost:{port}");
        screen.WriteLine($"On your own file: dotnet run -c Release --project silos/OrleansStream.Silo -- run {AverageSensorReadings.JobName} --input FILE.csv --window 1h --out-of-orderness 1h --output out.jsonl");
        screen.WriteLine("");
    }
}
