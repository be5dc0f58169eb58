using System.CommandLine;
using OrleansStream.Benchmarks;

var workload = new Argument<string>("workload") { Description = $"One of: {string.Join(", ", Workloads.Names)}." };
var events = new Option<long>("--events") { Description = "Records in each run.", DefaultValueFactory = static _ => 50_000_000 };
var keys = new Option<int>("--keys") { Description = "Different keys.", DefaultValueFactory = static _ => 10_000 };
var parallelism = new Option<int>("--parallelism") { Description = "Subtasks of each stage.", DefaultValueFactory = static _ => 2 };
var interval = new Option<string>("--checkpoint-interval") { Description = "Time between checkpoints: 200ms, 1s, …", DefaultValueFactory = static _ => "1s" };
var runs = new Option<int>("--runs") { Description = "Measured runs, behind one that is not counted.", DefaultValueFactory = static _ => 5 };
var json = new Option<FileInfo?>("--json") { Description = "Also write the figures to this file." };

var root = new RootCommand("Runs whole jobs beside their peers, in turn, and prints what each took.") { workload, events, keys, parallelism, interval, runs, json };
root.SetAction(async (parsed, cancellation) =>
{
    var settings = new RunSettings(
        parsed.GetValue(events),
        parsed.GetValue(keys),
        parsed.GetValue(parallelism),
        OrleansStream.Jobs.JobArguments.ParseDuration(parsed.GetValue(interval)!) ?? throw new ArgumentException($"'{parsed.GetValue(interval)}' is no duration."));
    if (Workloads.Find(parsed.GetValue(workload)!) is not { } found)
    {
        Console.Error.WriteLine($"There is no workload '{parsed.GetValue(workload)}'. There are: {string.Join(", ", Workloads.Names)}.");
        return 2;
    }

    var report = await Runner.RunAsync(found, settings, parsed.GetValue(runs), $"dotnet run -c Release --project tests/OrleansStream.Benchmarks -- {string.Join(' ', args)}");
    report.Print(Console.Out);
    if (parsed.GetValue(json) is { } file) await File.WriteAllTextAsync(file.FullName, report.ToJson(), cancellation);
    return report.AnswersAgree ? 0 : 1;
});
return await root.Parse(args).InvokeAsync();
