using System.CommandLine;
using System.Globalization;
using OrleansStream.Jobs;
using OrleansStream.Silo.Jobs.Allround;
using OrleansStream.Silo.Runs;
using OrleansStream.Silo.Terminal;

namespace OrleansStream.Silo.CommandLine;

/// <summary><c>run allround …</c>, and <c>check-allround</c> for what it, or a cluster, has written.</summary>
internal sealed class AllroundCommand(Screen screen)
{
    private static readonly TimeSpan DefaultCheckpointInterval = TimeSpan.FromSeconds(1);

    private readonly Option<long?> _events = RunOptions.WholeNumber("--events", $"How many records to make, all keys together. {AllroundJob.DefaultEvents} unless given.", 1, AllroundJob.MostEvents);
    private readonly Option<long?> _keys = RunOptions.WholeNumber(
        "--keys", $"For how many keys; each has a record at least. {AllroundJob.DefaultKeys} unless given. As many subtasks read at once as divide it, at most 16.", 1, AllroundJob.MostKeys);
    private readonly Option<long?> _stateBytes = RunOptions.WholeNumber("--state-bytes", "How many bytes of padding to keep in the state of each key, and so in checkpoints; about twice as many in memory. None unless given.", 0, AllroundJob.MostStateBytes);
    private readonly Option<string> _output = new("--output")
    {
        Description = "The folder to write to: records.jsonl has a line for each record, summary.jsonl one that says what was checked. Both appear whole, at the end.",
        HelpName = "DIR",
        Required = true,
    };

    private readonly Option<TimeSpan?> _checkpointInterval = RunOptions.Duration("--checkpoint-interval", "Time between checkpoints; may differ from start to start. 1s unless given.", TimeSpan.FromMilliseconds(10));
    private readonly Option<string?> _checkpoints = new("--checkpoints") { Description = "The folder for checkpoints. OUTPUT.checkpoints/ unless given.", HelpName = "DIR" };
    private readonly Option<bool> _fresh = new("--fresh") { Description = "Start over: delete the checkpoints and the output of this command first." };
    private readonly Option<int> _parallelism = RunOptions.Parallelism();
    private readonly Option<double?> _rate = RunOptions.Rate();
    private readonly Option<int?> _httpPort = RunOptions.HttpPort("Show the status page at http://localhost:PORT while the job runs; there is none unless given.");

    /// <summary>The command that runs the job.</summary>
    public Command Run(Guard guard)
    {
        var command = new Command(
            AllroundJob.JobName,
            "Check the engine: made-up records go through keyed state, windows, timers, two inputs, transfers between keys and files, and each result is compared with what it must be. "
            + "A violation fails the job. Killed and started again, it goes on where its last checkpoint stood.")
        {
            _events, _keys, _output, _stateBytes, _parallelism, _checkpoints, _checkpointInterval, _rate, _fresh, _httpPort,
        };
        command.SetAction(guard((parsed, verbose, cancellation) => RunAsync(parsed, verbose, cancellation)));
        return command;
    }

    /// <summary>The command that checks what the job has written.</summary>
    public Command Check(Guard guard)
    {
        var output = new Option<string>("--output") { Description = "The folder that the job has written to.", HelpName = "DIR", Required = true };
        var events = RunOptions.WholeNumber("--events", "How many records there must be. What the summary says unless given.", 1, AllroundJob.MostEvents);
        var keys = RunOptions.WholeNumber("--keys", "Of how many keys. What the summary says unless given.", 1, AllroundJob.MostKeys);
        var command = new Command("check-allround", "Check the files that a job 'allround' has written when it finished: no record lost, none doubled, and those of a key in order. Exit code 0 when all holds, else 1.")
        {
            output, events, keys,
        };
        command.SetAction(guard((parsed, _, _) => Task.FromResult(AllroundRun.Check(screen, new AllroundOutput(parsed.GetRequiredValue(output)), parsed.GetValue(events), parsed.GetValue(keys)))));
        return command;
    }

    private Task<int> RunAsync(ParseResult parsed, bool verbose, CancellationToken cancellation)
    {
        var output = parsed.GetRequiredValue(_output);
        var events = parsed.GetValue(_events) ?? AllroundJob.DefaultEvents;
        var keys = parsed.GetValue(_keys) ?? AllroundJob.DefaultKeys;
        return new AllroundRun(screen)
        {
            Start = new JobStart
            {
                Arguments = new JobArguments(
                [
                    KeyValuePair.Create(AllroundJob.Arguments.Events, Text(events)),
                    KeyValuePair.Create(AllroundJob.Arguments.Keys, Text(keys)),
                    KeyValuePair.Create(AllroundJob.Arguments.StateBytes, Text(parsed.GetValue(_stateBytes) ?? 0)),
                    KeyValuePair.Create(AllroundJob.Arguments.Output, output),
                ]),
                Parallelism = parsed.GetValue(_parallelism),
                RecordsPerSecond = parsed.GetValue(_rate),
                CheckpointInterval = parsed.GetValue(_checkpointInterval) ?? DefaultCheckpointInterval,
            },
            Output = output,
            Events = events,
            Keys = keys,
            Checkpoints = parsed.GetValue(_checkpoints) ?? output.TrimEnd('/') + ".checkpoints",
            IsFresh = parsed.GetValue(_fresh),
            HttpPort = parsed.GetValue(_httpPort),
            Verbose = verbose,
        }.RunAsync(cancellation);
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
