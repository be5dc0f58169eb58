using OrleansStream.Functions;
using OrleansStream.Jobs;
using OrleansStream.Sinks;

namespace OrleansStream.ClusterTests.Jobs;

/// <summary>Jobs that fail, stop and go on: what they give must be what an unbroken run gives.</summary>
public sealed class RestartTests
{
    private const long Records = 40_000;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_function_that_throws_now_and_then_loses_and_doubles_nothing(int silos)
    {
        using var folder = new TestFolder();
        var results = new CollectingSink<Counted>();
        var trap = new Trap(static record => record.Value is 300 or 700, times: 3);
        await using var cluster = await TestSilos.StartAsync(
            folder["checkpoints"], (graph, _) => SequenceJob.Define(graph, Records, results, trap), silos, static options =>
            {
                options.Restarts = RestartStrategy.Fixed(TimeSpan.FromMilliseconds(10), attempts: 5);
                options.Checkpoints.Interval = TimeSpan.FromMilliseconds(30);
            });

        var status = await cluster.RunAsync(parallelism: 3, recordsPerSecond: 60_000);

        Assert.Equal(JobPhase.Finished, status.Phase);
        Assert.Equal(3, trap.Sprung.Count);
        Assert.Equal(SequenceJob.Expected(Records), results.Committed.OrderBy(static counted => counted.Key));
    }

    [Fact]
    public async Task A_function_that_always_throws_fails_the_job_with_its_first_cause()
    {
        using var folder = new TestFolder();
        var results = new CollectingSink<Counted>();
        var trap = new Trap(static record => record.Value >= 100, times: int.MaxValue);
        await using var cluster = await TestSilos.StartAsync(
            folder["checkpoints"], (graph, _) => SequenceJob.Define(graph, Records, results, trap), configure: static options =>
                options.Restarts = RestartStrategy.Fixed(TimeSpan.FromMilliseconds(10), attempts: 2));

        var status = await cluster.RunAsync(parallelism: 1);

        Assert.Equal(JobPhase.Failed, status.Phase);
        Assert.Equal(3, status.Failures);
        Assert.Contains("trapped at 100", status.Cause, StringComparison.Ordinal);
        Assert.Contains("Job 'job', stage 'count', operator 'count', subtask 0, key '", status.Cause, StringComparison.Ordinal);
        Assert.Empty(results.Committed);
    }

    [Fact]
    public async Task A_poison_record_goes_to_the_dead_letters_once_and_leaves_no_other_effect()
    {
        using var folder = new TestFolder();
        var results = new CollectingSink<Counted>();
        var dead = new CollectingSink<DeadLetter<Numbered>>();
        var trap = new Trap(static record => record.Value == 17, times: int.MaxValue);
        await using var cluster = await TestSilos.StartAsync(
            folder["checkpoints"], (graph, _) => SequenceJob.Define(graph, 4_000, results, trap, OnError.DeadLetter, dead));

        var status = await cluster.RunAsync(parallelism: 2);

        Assert.Equal(JobPhase.Finished, status.Phase);
        Assert.Equal(SequenceJob.Keys, dead.Committed.Count);
        Assert.All(dead.Committed, static letter => Assert.Equal(("count", 17L, "InvalidOperationException: trapped at 17"), (letter.Operator, letter.Record.Value, letter.Error)));
        Assert.Equal(
            SequenceJob.Expected(4_000).Select(static counted => counted with { Count = counted.Count - 1, Sum = counted.Sum - 17, Remainders = counted.Remainders }),
            results.Committed.OrderBy(static counted => counted.Key));
    }

    [Theory]
    [InlineData(2, 2)]
    [InlineData(1, 4)]
    [InlineData(4, 1)]
    [InlineData(3, 2)]
    public async Task A_stopped_job_goes_on_where_it_was_at_any_parallelism(int before, int after)
    {
        using var folder = new TestFolder();
        var results = new CollectingSink<Counted>();
        await using var cluster = await TestSilos.StartAsync(folder["checkpoints"], (graph, _) => SequenceJob.Define(graph, Records, results));
        await cluster.Jobs.StartAsync("job", new JobStart { Parallelism = before, RecordsPerSecond = 20_000 });
        await cluster.WaitAsync(static status => status.Checkpoints.Count(static checkpoint => checkpoint.State == "committed") >= 3);
        await cluster.Jobs.StopAsync("job", "for the test");
        var stopped = await cluster.EndAsync();
        Assert.Equal(JobPhase.Stopped, stopped.Phase);
        Assert.Empty(results.Committed);

        var finished = await cluster.RunAsync(after);

        Assert.Equal(JobPhase.Finished, finished.Phase);
        Assert.NotNull(finished.RestoredFrom);
        Assert.Equal(SequenceJob.Expected(Records), results.Committed.OrderBy(static counted => counted.Key));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_job_goes_on_without_a_silo_that_left(bool gracefully)
    {
        using var folder = new TestFolder();
        var results = new CollectingSink<Counted>();
        await using var cluster = await TestSilos.StartAsync(
            folder["checkpoints"], (graph, _) => SequenceJob.Define(graph, Records, results), silos: 2, static options =>
                options.Restarts = RestartStrategy.Fixed(TimeSpan.FromMilliseconds(50), attempts: 20));
        await cluster.Jobs.StartAsync("job", new JobStart { Parallelism = 2, RecordsPerSecond = 20_000 });
        await cluster.WaitAsync(static status => status.Stages.SelectMany(static stage => stage.Subtasks).Select(static subtask => subtask.Silo).Distinct().Count() == 2
            && status.Checkpoints.Count(static checkpoint => checkpoint.State == "committed") >= 2);

        await cluster.RemoveAsync(silo: 1, gracefully);
        var finished = await cluster.EndAsync();

        Assert.Equal(JobPhase.Finished, finished.Phase);
        Assert.True(finished.Attempt > 1, "The silo left without ending the attempt.");
        Assert.NotNull(finished.RestoredFrom);
        Assert.Equal(SequenceJob.Expected(Records), results.Committed.OrderBy(static counted => counted.Key));
    }

    [Fact]
    public async Task Starting_a_finished_job_again_does_nothing_and_says_so()
    {
        using var folder = new TestFolder();
        var results = new CollectingSink<Counted>();
        await using var cluster = await TestSilos.StartAsync(folder["checkpoints"], (graph, _) => SequenceJob.Define(graph, 1_000, results));
        var first = await cluster.RunAsync(parallelism: 2);
        var again = await cluster.RunAsync(parallelism: 1);

        Assert.Equal((JobPhase.Finished, false), (first.Phase, first.WasFinished));
        Assert.Equal((JobPhase.Finished, true), (again.Phase, again.WasFinished));
        Assert.Equal(SequenceJob.Expected(1_000), results.Committed.OrderBy(static counted => counted.Key));
    }

    [Fact]
    public async Task Other_arguments_over_an_old_checkpoint_folder_are_refused_by_name()
    {
        using var folder = new TestFolder();
        var results = new CollectingSink<Counted>();
        await using var cluster = await TestSilos.StartAsync(folder["checkpoints"], (graph, _) => SequenceJob.Define(graph, 1_000, results));
        await cluster.RunAsync(parallelism: 1, new JobArguments([new("window", "1h")]));

        var refused = await cluster.RunAsync(parallelism: 1, new JobArguments([new("window", "2h")]));

        Assert.Equal(JobPhase.Failed, refused.Phase);
        Assert.Contains("argument 'window' was 1h and is 2h", refused.Cause, StringComparison.Ordinal);
    }
}
