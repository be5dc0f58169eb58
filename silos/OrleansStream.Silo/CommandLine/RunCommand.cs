using System.CommandLine;
using OrleansStream.Jobs;
using OrleansStream.Silo.Jobs;
using OrleansStream.Silo.Runs;
using OrleansStream.Silo.Terminal;

namespace OrleansStream.Silo.CommandLine;

/// <summary><c>run average-sensor-readings …</c>: one bounded run over files, to its end.</summary>
internal sealed class RunCommand(Screen screen)
{
    public const string Name = "run";

    private static readonly TimeSpan DefaultWindow = TimeSpan.FromHours(1);
    private static readonly TimeSpan DefaultOutOfOrderness = TimeSpan.FromHours(1);
    private static readonly TimeSpan DefaultCheckpointInterval = TimeSpan.FromSeconds(1);

    private readonly Option<string[]> _input = new("--input")
    {
        Description = "A CSV file with the columns timestamp (yyyy-MM-dd HH:mm:ss, UTC) and value (°F); its name is the sensor's. May be given several times.",
        HelpName = "FILE",
        Required = true,
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<string> _output = new("--output")
    {
        Description = "The file of JSON lines to write, a line per sensor and window. It appears whole, at the end; before, OUTPUT.parts/ holds what is committed.",
        HelpName = "FILE",
        Required = true,
    };

    private readonly Option<TimeSpan?> _window = RunOptions.Duration("--window", "The size of a window, for example 200ms, 10s, 5m, 1h or 1d. 1h unless given.", TimeSpan.FromMilliseconds(1));
    private readonly Option<TimeSpan?> _outOfOrderness = RunOptions.Duration("--out-of-orderness", "How much earlier than the latest reading of its file a reading may come and still count. 1h unless given.", TimeSpan.Zero);
    private readonly Option<TimeSpan?> _checkpointInterval = RunOptions.Duration("--checkpoint-interval", "Time between checkpoints; may differ from start to start. 1s unless given.", TimeSpan.FromMilliseconds(10));
    private readonly Option<string?> _checkpoints = new("--checkpoints") { Description = "The folder for checkpoints. OUTPUT.checkpoints/ unless given.", HelpName = "DIR" };
    private readonly Option<bool> _fresh = new("--fresh") { Description = "Start over: delete the checkpoints and the output of this command first." };
    private readonly Option<int> _parallelism = RunOptions.Parallelism();
    private readonly Option<double?> _rate = RunOptions.Rate();
    private readonly Option<string?> _badRecords = RunOptions.BadRecords();
    private readonly Option<int?> _httpPort = RunOptions.HttpPort("Show the status page at http://localhost:PORT while the job runs; there is none unless given.");

    public Command Build(Guard guard)
    {
        var job = new Command(AverageSensorReadings.JobName, "Average the readings of each sensor in windows of event time. Killed and started again, it goes on where its last checkpoint stood.")
        {
            _input, _output, _window, _outOfOrderness, _parallelism, _checkpoints, _checkpointInterval, _rate, _fresh, _badRecords, _httpPort,
        };
        job.SetAction(guard(RunAsync));
        return new Command(Name, "Run a job on files to the end of its input. Exit code 0 when the output is complete, 1 when the job failed, 2 when the command was wrong, 130 when it was stopped.") { job };
    }

    private Task<int> RunAsync(ParseResult parsed, bool verbose, CancellationToken cancellation)
    {
        var output = parsed.GetRequiredValue(_output);
        var skips = parsed.GetValue(_badRecords) == "skip";
        var arguments = parsed.GetRequiredValue(_input).Select(static file => KeyValuePair.Create(AverageSensorReadings.Arguments.Input, file)).Concat(
        [
            KeyValuePair.Create(AverageSensorReadings.Arguments.Output, output),
            KeyValuePair.Create(AverageSensorReadings.Arguments.Window, Durations.Show(parsed.GetValue(_window) ?? DefaultWindow)),
            KeyValuePair.Create(AverageSensorReadings.Arguments.OutOfOrderness, Durations.Show(parsed.GetValue(_outOfOrderness) ?? DefaultOutOfOrderness)),
            KeyValuePair.Create(AverageSensorReadings.Arguments.BadRecords, skips ? "skip" : "fail"),
        ]);
        return new BoundedRun(screen)
        {
            Job = AverageSensorReadings.JobName,
            Start = new JobStart
            {
                Arguments = new JobArguments(arguments),
                Parallelism = parsed.GetValue(_parallelism),
                RecordsPerSecond = parsed.GetValue(_rate),
                CheckpointInterval = parsed.GetValue(_checkpointInterval) ?? DefaultCheckpointInterval,
            },
            Inputs = parsed.GetRequiredValue(_input),
            Output = output,
            BadRecords = AverageSensorReadings.BadRecordsOf(output),
            SkipsBadRecords = skips,
            Checkpoints = parsed.GetValue(_checkpoints) ?? output + ".checkpoints",
            IsFresh = parsed.GetValue(_fresh),
            HttpPort = parsed.GetValue(_httpPort),
            Verbose = verbose,
        }.RunAsync(cancellation);
    }
}
