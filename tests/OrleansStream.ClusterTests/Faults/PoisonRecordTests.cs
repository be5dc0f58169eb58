using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using OrleansStream.Checkpoints;
using OrleansStream.ClusterTests.Jobs;
using OrleansStream.Functions;
using OrleansStream.Hosting;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Time;

namespace OrleansStream.ClusterTests.Faults;

/// <summary>Records at which the function throws each time that it gets them.</summary>
public sealed class PoisonRecordTests(ITestOutputHelper output)
{
    private const long Records = 60_000;

    [Fact]
    public async Task Dead_letters_are_in_their_file_once_although_attempts_are_aborted_between_them()
    {
        using var folder = new TestFolder();
        var results = new CollectingSink<Counted>();
        var trap = new Trap(static record => IsPoison(record.Value), times: int.MaxValue);
        var letters = folder["dead.jsonl"];
        await using var cluster = await TestSilos.StartAsync(
            folder["checkpoints"],
            (graph, _) => SequenceJob.Define(graph, Records, results, trap, OnError.DeadLetter, Files.JsonLinesOutput<DeadLetter<Numbered>>(letters)),
            silos: 2,
            static options =>
            {
                options.Restarts = RestartStrategy.Fixed(TimeSpan.FromMilliseconds(20), attempts: 10);
                options.RebalanceAfter = null;
            });
        await cluster.Jobs.StartAsync("job", new JobStart { Parallelism = 2, RecordsPerSecond = 8_000 });

        for (var aborted = 1; aborted <= 3; aborted++)
        {
            var status = await cluster.WaitAsync(status =>
                status.Phase == JobPhase.Running && status.Attempt == aborted && status.Checkpoints.Any(static checkpoint => checkpoint.State == "committed"));
            // Some are put aside behind the checkpoint, and so once more by the next attempt.
            var before = trap.Sprung.Count;
            await cluster.WaitAsync(_ => trap.Sprung.Count >= before + 10);
            await cluster.Services.GetRequiredService<IGrainFactory>()
                .GetGrain<ICheckpointGrain>(PinnedKey.Coordinator(status.Leader!, "job", new Attempt(aborted))).AbortAsync("for the test");
        }

        Assert.False(File.Exists(letters), "The output was complete before the last attempt.");
        var finished = await cluster.EndAsync();

        Assert.True((finished.Phase, finished.Attempt) == (JobPhase.Finished, 4), $"{finished.Phase}, attempt {finished.Attempt}: {finished.Cause}");
        var poison = Enumerable.Range(0, (int)Records).Select(static n => new Numbered(n % SequenceJob.Keys, n / SequenceJob.Keys)).Where(static record => IsPoison(record.Value)).ToList();
        output.WriteLine($"{poison.Count} poison records sprang {trap.Sprung.Count} times");
        Assert.True(trap.Sprung.Count > poison.Count, "No poison record was met twice: the aborts hit nothing.");
        Assert.Equal(Sorted(poison), Sorted(File.ReadLines(letters).Select(Letter)));
        Assert.Equal(Expected(), results.Committed.OrderBy(static counted => counted.Key));
    }

    [Fact]
    public async Task Without_dead_letters_the_job_fails_for_good_says_where_and_goes_on_when_the_function_is_mended()
    {
        using var folder = new TestFolder();
        var results = new CollectingSink<Counted>();
        var trap = new Trap(static record => record is { Key: 3, Value: 17 }, times: 3);
        await using var cluster = await TestSilos.StartAsync(
            folder["checkpoints"], (graph, _) => SequenceJob.Define(graph, 4_000, results, trap), configure: static options =>
            {
                options.Restarts = RestartStrategy.Fixed(TimeSpan.FromMilliseconds(10), attempts: 2);
                options.ReviveJobs = false;
            });

        var failed = await cluster.RunAsync(parallelism: 2, recordsPerSecond: 4_000);

        Assert.Equal((JobPhase.Failed, 3, 3), (failed.Phase, failed.Failures, trap.Sprung.Count));
        Assert.StartsWith("Job 'job', stage 'count', operator 'count', subtask ", failed.Cause, StringComparison.Ordinal);
        Assert.Contains(
            $", key '3', event time {EventTime.Show((17 * SequenceJob.Keys) + 3)}: the function threw InvalidOperationException: trapped at 17", failed.Cause, StringComparison.Ordinal);
        Assert.Empty(results.Committed);

        var finished = await cluster.RunAsync(parallelism: 2);

        Assert.Equal(JobPhase.Finished, finished.Phase);
        Assert.Equal(SequenceJob.Expected(4_000), results.Committed.OrderBy(static counted => counted.Key));
    }

    private static bool IsPoison(long value) => value % 20 == 13;

    private static Numbered Letter(string line)
    {
        using var letter = JsonDocument.Parse(line);
        var record = letter.RootElement.GetProperty("record");
        var read = new Numbered(record.GetProperty("key").GetInt32(), record.GetProperty("value").GetInt64());
        Assert.Equal(
            ("count", $"InvalidOperationException: trapped at {read.Value}", (read.Value * SequenceJob.Keys) + read.Key),
            (letter.RootElement.GetProperty("operator").GetString(), letter.RootElement.GetProperty("error").GetString(), letter.RootElement.GetProperty("timestamp").GetInt64()));
        return read;
    }

    private static IEnumerable<Numbered> Sorted(IEnumerable<Numbered> records) => records.OrderBy(static record => record.Key).ThenBy(static record => record.Value);

    /// <summary>What the other records give: <see cref="SequenceJob.Expected"/> without those that are poison.</summary>
    private static IEnumerable<Counted> Expected() => Enumerable.Range(0, SequenceJob.Keys).Select(static key =>
    {
        var numbers = Enumerable.Range(0, (int)((Records - key + SequenceJob.Keys - 1) / SequenceJob.Keys)).Select(static n => (long)n).Where(static n => !IsPoison(n)).ToList();
        return new Counted(key, numbers.Count, numbers.Sum(), numbers.Count(static n => n % 5 == 0), numbers.GroupBy(static n => (int)(n % 7)).Sum(static group => group.Last()));
    });
}
