using OrleansStream.ClusterTests.Silo;
using OrleansStream.Hosting;
using OrleansStream.Jobs;
using OrleansStream.Silo.Jobs.Allround;
using OrleansStream.Sinks;
using OrleansStream.Sources;

namespace OrleansStream.ClusterTests.Allround;

/// <summary>The job that checks itself, on real silos: unbroken, killed, and with a silo that leaves. Its files are checked apart from the job.</summary>
public sealed class AllroundRunTests : IDisposable
{
    private const int Killed = 137;

    private readonly TestFolder _folder = new();

    private string Output => _folder["out"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_run_holds_at_any_parallelism_and_says_so(int parallelism)
    {
        var run = (await RunAsync("--events", "20011", "--keys", "120", "--state-bytes", "100", "--parallelism", $"{parallelism}")).Succeeded();

        RequireOutput(20_011, 120);
        Assert.Contains("20,011 records in the order of their 120 keys", run.Output, StringComparison.Ordinal);
        Assert.Contains("0 violations", run.Output, StringComparison.Ordinal);
        Assert.Empty(run.Error);

        var again = (await RunAsync("--events", "20011", "--keys", "120", "--state-bytes", "100")).Succeeded();
        Assert.Contains("Finished before: nothing was run.", again.Output, StringComparison.Ordinal);
        Assert.Contains("0 violations", again.Output, StringComparison.Ordinal);

        File.Delete(new AllroundOutput(Output).Records);
        (await RunAsync("--events", "20011", "--keys", "120", "--state-bytes", "100")).Failed(1, "records.jsonl' is not there any more", "--fresh");

        (await RunAsync("--events", "5000", "--keys", "120", "--fresh")).Succeeded();
        RequireOutput(5_000, 120);
    }

    [Theory]
    [InlineData("barrier-aligning:5")]
    [InlineData("firing:20000")]
    [InlineData("published:3")]
    [InlineData("sink-committed:4")]
    [InlineData("partly-restored:2")]
    public async Task A_run_that_is_killed_holds_when_it_is_started_again(string point)
    {
        await DieAsync("published:2", parallelism: 2);
        await DieAsync(point, parallelism: 3);
        await using var last = Start(null, parallelism: 2, rate: 200_000);
        Assert.True(await last.EndAsync() == 0, last.Printed);

        Assert.Contains("since checkpoint", last.Printed, StringComparison.Ordinal);
        Assert.Contains("0 violations", last.Printed, StringComparison.Ordinal);
        RequireOutput(60_000, 300);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_cluster_started_with_text_arguments_holds_without_a_silo_that_left(bool gracefully)
    {
        await using var cluster = await TestSilos.StartAsync(
            _folder["checkpoints"], silos: 2, static options => options.Restarts = RestartStrategy.Fixed(TimeSpan.FromMilliseconds(50), attempts: 20), static builder => builder.AddStreamJob<AllroundJob>("job"));
        await cluster.Jobs.StartAsync("job", new JobStart
        {
            Parallelism = 2,
            Arguments = new JobArguments([new("events", "60000"), new("keys", "300"), new("rate", "20000"), new("stateBytes", "200"), new("output", Output)]),
        });
        await cluster.WaitAsync(static status => status.Stages.SelectMany(static stage => stage.Subtasks).Select(static subtask => subtask.Silo).Distinct().Count() == 2
            && status.Checkpoints.Count(static checkpoint => checkpoint.State == "committed") >= 2);

        await cluster.RemoveAsync(silo: 1, gracefully);
        var finished = await cluster.EndAsync();

        Assert.True(finished.Phase == JobPhase.Finished, finished.Cause);
        Assert.True(finished.Attempt > 1, "The silo left without ending the attempt.");
        RequireOutput(60_000, 300);
    }

    [Fact]
    public async Task A_violation_fails_the_job_at_once_and_for_good()
    {
        var plan = new AllroundPlan(Events: 10_000, Keys: 40);
        var summary = new CollectingSink<Summary>();
        await using var cluster = await TestSilos.StartAsync(
            _folder["checkpoints"],
            (graph, _) => AllroundJob.Define(
                // Record 2,503, the 63rd of key 23, never comes.
                graph.From("beats", Generator.Of(plan.BeatOf, plan.Events, plan.Splits, n => AllroundPlan.TimeOf(plan.BeatOf(n)))).Where(static beat => beat != new Beat(23, 63)),
                plan,
                new CountingSink<Beat>(),
                summary),
            silos: 1);

        var status = await cluster.RunAsync(parallelism: 2);

        Assert.Equal(JobPhase.Failed, status.Phase);
        Assert.Equal(1, status.Failures);
        // Which of its ways shows it first is chance.
        Assert.Matches("^Violation: check '[a-z, -]+', key 23: expected record 63, saw record 64 \\(one was lost, or out of order\\)", status.Cause);
        Assert.Empty(summary.Committed);
    }

    [Theory]
    [InlineData("Argument 'events' is 10, fewer than the 20 keys", "events=10", "keys=20")]
    [InlineData("has no argument 'state-bytes'. Did you mean 'stateBytes'?", "state-bytes=3")]
    [InlineData("Argument 'keys' is 0: it must be from 1 to", "keys=0")]
    [InlineData("Argument 'events' is 'many', which is no whole number", "events=many")]
    public async Task Arguments_that_are_wrong_are_refused_by_name(string saying, params string[] arguments)
    {
        await using var cluster = await TestSilos.StartAsync(_folder["checkpoints"], silos: 1, configure: null, static builder => builder.AddStreamJob<AllroundJob>("job"));

        var status = await cluster.RunAsync(parallelism: 1, new JobArguments(arguments.Select(static argument => KeyValuePair.Create(argument.Split('=')[0], argument.Split('=')[1]))));

        Assert.Equal(JobPhase.Failed, status.Phase);
        Assert.Contains(saying, status.Cause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_command_that_is_wrong_is_refused_and_deletes_nothing()
    {
        (await RunAsync("--events", "0")).Failed(2, "--events is '0'");
        (await RunAsync("--events", "3", "--keys", "4")).Failed(1, "fewer than the 4 keys");
        await File.WriteAllTextAsync(_folder["file"], "mine", TestContext.Current.CancellationToken);
        (await CommandRun.OfAsync("run", "allround", "--output", _folder["file"], "--fresh")).Failed(1, "is a file: give a folder");
        Assert.Equal("mine", await File.ReadAllTextAsync(_folder["file"], TestContext.Current.CancellationToken));
        Directory.CreateDirectory(_folder["out/records.jsonl.parts"]);
        await File.WriteAllTextAsync(_folder["out/records.jsonl.parts/letter.txt"], "dear", TestContext.Current.CancellationToken);
        (await RunAsync("--fresh")).Failed(1, "letter.txt");
        Assert.True(File.Exists(_folder["out/records.jsonl.parts/letter.txt"]));
    }

    private Task<CommandRun> RunAsync(params string[] more) => CommandRun.OfAsync(["run", AllroundJob.JobName, "--output", Output, .. more]);

    private void RequireOutput(long events, long keys)
    {
        var found = new AllroundOutput(Output).Check(events, keys);
        Assert.True(found.Holds, string.Join('\n', found.Problems));
        Assert.Equal(events, found.Lines);
    }

    private async Task DieAsync(string at, int parallelism)
    {
        await using var run = Start(at, parallelism, rate: 20_000);
        Assert.True(await run.EndAsync() == Killed, $"The run did not die at {at}:\n{run.Printed}");
        Assert.Contains($"killed at {at.Split(':')[0]}", run.Printed, StringComparison.Ordinal);
        Assert.False(File.Exists(new AllroundOutput(Output).Records), "The output was complete before the run died.");
    }

    private SiloProcess Start(string? killAt, int parallelism, int rate) => SiloProcess.StartWith(
        killAt is null ? new Dictionary<string, string>() : new Dictionary<string, string> { [FaultPoints.Variable] = killAt },
        "run", AllroundJob.JobName, "--events", "60000", "--keys", "300", "--state-bytes", "200", "--output", Output, "--parallelism", $"{parallelism}", "--rate", $"{rate}", "--checkpoint-interval", "100ms");
}
