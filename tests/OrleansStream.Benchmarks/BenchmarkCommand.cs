using System.CommandLine;
using System.CommandLine.Parsing;
using OrleansStream.Benchmarks.Cluster;
using OrleansStream.Benchmarks.Memory;
using OrleansStream.Benchmarks.Parts;
using OrleansStream.Benchmarks.Processes;
using OrleansStream.Jobs;

namespace OrleansStream.Benchmarks;

/// <summary>The command line of the benchmarks.</summary>
internal static class BenchmarkCommand
{
    private static readonly Argument<string> Workload = new("workload")
    {
        Description = $"One of: {string.Join(", ", Workloads.All.Select(static workload => workload.Name))}.",
    };

    private static readonly Option<long?> Events = AtLeast(new Option<long?>("--events") { Description = "Records in each run: 1000000, 20M, … A slow peer runs fewer; its rate is of its own count.", CustomParser = Quantity.ParseWhole }, 1);

    private static readonly Option<int?> Keys = AtLeast(new Option<int?>("--keys") { Description = "Different keys: 10000, 1M, …; 10000 unless the workload says otherwise.", CustomParser = Quantity.ParseCount }, 1);

    private static readonly Option<int> Parallelism = AtLeast(new Option<int>("--parallelism") { Description = "Subtasks of each stage.", DefaultValueFactory = static _ => 2 }, 1);

    private static readonly Option<TimeSpan?> Interval = new("--checkpoint-interval")
    {
        Description = "Time between checkpoints: 200ms, 1s, 1m, …; 1s unless the workload says otherwise.",
        CustomParser = ParseInterval,
    };

    private static readonly Option<string?> Storage = new("--storage")
    {
        Description = $"A folder that checkpoints are written below, a temporary one unless given; '{RunSettings.NoStorage}' for no checkpoints.",
        HelpName = $"folder|{RunSettings.NoStorage}",
    };

    private static readonly Option<int> Silos = AtLeast(new Option<int>("--silos") { Description = "Silos; more than one are processes of their own.", DefaultValueFactory = static _ => 1 }, 1);

    private static readonly Option<int> Runs = AtLeast(new Option<int>("--runs") { Description = "Measured runs, behind one that is not counted.", DefaultValueFactory = static _ => 5 }, 1);

    private static readonly Option<string?> Only = new("--only") { Description = "Run only these contenders, by name, divided by commas." };

    private static readonly Option<double?> Rate = new("--rate") { Description = "Records per second to be offered, where a workload offers them at a rate: 100k/s, 1M/s, …", CustomParser = Quantity.Parse };

    private static readonly Option<double?> Seconds = new("--seconds") { Description = "For how long to measure, where a workload runs for a time.", CustomParser = Quantity.Parse };

    private static readonly Option<int> ValueBytes = AtLeast(new Option<int>("--value-bytes") { Description = "The size of a key's value, where a workload is of state: 16, 32 or 64.", DefaultValueFactory = static _ => 16 }, 1);

    private static readonly Option<string?> Json = new("--json") { Description = "Also write the figures to this file.", HelpName = "file" };

    private static readonly Option<string?> Picture = new("--picture") { Description = "Also draw the figures into this SVG file, where a workload draws.", HelpName = "file" };

    public static RootCommand Build(string[] args)
    {
        var root = new RootCommand($"Runs whole jobs beside their peers, in turn, and prints what each took.\n\nWorkloads:\n{string.Join('\n', Workloads.All.Select(static workload => $"  {workload.Name,-10} {workload.Description}"))}")
        {
            Workload, Events, Keys, Parallelism, Interval, Storage, Silos, Runs, Only, Rate, Seconds, ValueBytes, Json, Picture, PartsCommand.Build(), MemoryCommand.Build(), ClusterCommand.Build(), Silo(),
        };
        Workload.Validators.Add(static result =>
        {
            if (result.GetValueOrDefault<string>() is { } name && Workloads.Find(name) is null) result.AddError($"There is no workload '{name}'. There are: {string.Join(", ", Workloads.All.Select(static workload => workload.Name))}.");
        });
        root.SetAction(parsed => RunAsync(parsed, args));
        return root;
    }

    /// <summary>How the runner starts itself again, as one of several silos; not for people.</summary>
    private static Command Silo()
    {
        var order = new Argument<string>("order");
        var silo = new Command(SiloChild.Subcommand) { order };
        silo.Hidden = true;
        silo.SetAction(parsed => SiloProcess.RunAsync(parsed.GetValue(order)!));
        return silo;
    }

    private static async Task<int> RunAsync(ParseResult parsed, string[] args)
    {
        var workload = Workloads.Find(parsed.GetValue(Workload)!)!;
        var settings = new RunSettings
        {
            Events = parsed.GetValue(Events) ?? workload.DefaultEvents,
            Keys = parsed.GetValue(Keys) ?? workload.DefaultKeys,
            Parallelism = parsed.GetValue(Parallelism),
            CheckpointInterval = parsed.GetValue(Interval) ?? workload.DefaultCheckpointInterval,
            Storage = parsed.GetValue(Storage),
            Silos = parsed.GetValue(Silos),
            Runs = parsed.GetValue(Runs),
            Only = parsed.GetValue(Only)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [],
            Rate = parsed.GetValue(Rate),
            Seconds = parsed.GetValue(Seconds) is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            ValueBytes = parsed.GetValue(ValueBytes),
            Json = parsed.GetValue(Json),
            Picture = parsed.GetValue(Picture),
        };
        try
        {
            RequireFolder(settings);
            return await workload.RunAsync(settings, $"dotnet run -c Release --project tests/OrleansStream.Benchmarks -- {string.Join(' ', args)}");
        }
        catch (BadSettingsException error)
        {
            await Console.Error.WriteLineAsync(error.Message);
            return 2;
        }
    }

    /// <summary>Before anything is measured, not in the middle of it.</summary>
    private static void RequireFolder(RunSettings settings)
    {
        try
        {
            EmbeddedSilo.FolderFor(settings)?.Delete();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new BadSettingsException($"Checkpoints cannot be written to the folder '{settings.Storage}': {error.Message} Name another with --storage, or none.");
        }
    }

    public static Option<T> AtLeast<T>(Option<T> option, long least)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && long.TryParse(token.Value, out var value) && value < least) result.AddError($"{option.Name} is {value}; it must be {least} at least.");
        });
        return option;
    }

    private static TimeSpan? ParseInterval(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (JobArguments.ParseDuration(text) is { } interval && interval >= TimeSpan.FromMilliseconds(10)) return interval;
        result.AddError($"--checkpoint-interval is '{text}'; write a duration of 10 ms at least, for example 200ms, 1s or 1m.");
        return null;
    }
}
