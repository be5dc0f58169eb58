using System.CommandLine;
using OrleansStream.Jobs;
using OrleansStream.Silo.Jobs;
using OrleansStream.Silo.Runs;
using OrleansStream.Silo.Terminal;

namespace OrleansStream.Silo.CommandLine;

/// <summary>What all jobs that run over sensor files share: the options of the run, and those of reading and writing.</summary>
/// <param name="job">The job's name.</param>
/// <param name="line">What a line of the output is for.</param>
internal sealed class FileRun(string job, string line)
{
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
        Description = $"The file of JSON lines to write, a line per {line}. It appears whole, at the end; before, OUTPUT.parts/ holds what is committed.",
        HelpName = "FILE",
        Required = true,
    };

    private readonly Option<TimeSpan?> _outOfOrderness = RunOptions.Duration("--out-of-orderness", "How much earlier than the latest reading of its file a reading may come and still count. 1h unless given.", TimeSpan.Zero);
    private readonly Option<TimeSpan?> _checkpointInterval = RunOptions.Duration("--checkpoint-interval", "Time between checkpoints; may differ from start to start. 1s unless given.", TimeSpan.FromMilliseconds(10));
    private readonly Option<string?> _checkpoints = new("--checkpoints") { Description = "The folder for checkpoints. OUTPUT.checkpoints/ unless given.", HelpName = "DIR" };
    private readonly Option<bool> _fresh = new("--fresh") { Description = "Start over: delete the checkpoints and the output of this command first." };
    private readonly Option<int> _parallelism = RunOptions.Parallelism();
    private readonly Option<double?> _rate = RunOptions.Rate();
    private readonly Option<string?> _badRecords = RunOptions.BadRecords();
    private readonly Option<int?> _httpPort = RunOptions.HttpPort("Show the status page at http://localhost:PORT while the job runs; there is none unless given.");

    /// <summary>Makes the command.</summary>
    /// <param name="description">What the job does.</param>
    /// <param name="own">Options of the job's own, each with the argument that it becomes; durations and numbers are shown in one way of writing.</param>
    /// <param name="screen">Where progress and results go.</param>
    /// <param name="guard">Turns errors into a line and an exit code.</param>
    public Command Build(string description, IReadOnlyList<(Option Option, Func<ParseResult, KeyValuePair<string, string>> Argument)> own, Screen screen, Guard guard)
    {
        var command = new Command(job, $"{description} Killed and started again, it goes on where its last checkpoint stood.") { _input, _output };
        foreach (var (option, _) in own) command.Options.Add(option);
        foreach (var option in (Option[])[_outOfOrderness, _parallelism, _checkpoints, _checkpointInterval, _rate, _fresh, _badRecords, _httpPort]) command.Options.Add(option);
        command.SetAction(guard((parsed, verbose, cancellation) => RunAsync(parsed, own.Select(one => one.Argument(parsed)), screen, verbose, cancellation)));
        return command;
    }

    private Task<int> RunAsync(ParseResult parsed, IEnumerable<KeyValuePair<string, string>> own, Screen screen, bool verbose, CancellationToken cancellation)
    {
        var output = parsed.GetRequiredValue(_output);
        var skips = parsed.GetValue(_badRecords) == "skip";
        var arguments = parsed.GetRequiredValue(_input).Select(static file => KeyValuePair.Create(SensorFiles.Arguments.Input, file)).Append(KeyValuePair.Create(SensorFiles.Arguments.Output, output)).Concat(own).Concat(
        [
            KeyValuePair.Create(SensorFiles.Arguments.OutOfOrderness, Durations.Show(parsed.GetValue(_outOfOrderness) ?? DefaultOutOfOrderness)),
            KeyValuePair.Create(SensorFiles.Arguments.BadRecords, skips ? "skip" : "fail"),
        ]);
        return new BoundedRun(screen)
        {
            Job = job,
            Start = new JobStart
            {
                Arguments = new JobArguments(arguments),
                Parallelism = parsed.GetValue(_parallelism),
                RecordsPerSecond = parsed.GetValue(_rate),
                CheckpointInterval = parsed.GetValue(_checkpointInterval) ?? DefaultCheckpointInterval,
            },
            Inputs = parsed.GetRequiredValue(_input),
            Output = output,
            BadRecords = SensorFiles.BadRecordsOf(output),
            SkipsBadRecords = skips,
            Checkpoints = parsed.GetValue(_checkpoints) ?? output + ".checkpoints",
            IsFresh = parsed.GetValue(_fresh),
            HttpPort = parsed.GetValue(_httpPort),
            Verbose = verbose,
        }.RunAsync(cancellation);
    }
}
