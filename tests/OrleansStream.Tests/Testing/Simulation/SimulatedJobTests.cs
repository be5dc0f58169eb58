using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Sources;
using OrleansStream.Testing.Simulation;
using OrleansStream.Tests.Simulation;
using OrleansStream.Windows;

namespace OrleansStream.Tests.Testing.Simulation;

/// <summary>A user's job on the simulated cluster, as a user tests it.</summary>
public sealed class SimulatedJobTests(ITestOutputHelper output)
{
    private static readonly SimulationOptions Options = new()
    {
        Parallelism = null,
        Arguments = new JobArguments([KeyValuePair.Create("input", "rides")]),
        Sources = { ["rides"] = RideJob.Rides() },
    };

    [Fact]
    public async Task A_job_that_is_broken_by_any_seed_gives_what_an_unbroken_one_does()
    {
        var totals = await ClusterSimulation.ForSeedsAsync(1..101, static _ => new RideJob(countsInField: false), Options);

        output.WriteLine(totals.ToString());
        Assert.Equal(100, totals.Seeds);
        Assert.True(totals.Restores > 50, "The accidents hit too little: the job was hardly ever restarted on the way.");
        Assert.True(totals.Accidents > 100 && totals.Faults > 1_000, "There were hardly any accidents.");
    }

    [Fact]
    public async Task What_comes_out_is_what_a_loop_over_the_records_computes()
    {
        var outcome = await ClusterSimulation.RunAsync(new RideJob(countsInField: false), Options with { Seed = 7 });

        var rides = RideJob.Rides().Records.ToList();
        var expected = rides
            .GroupBy(static ride => (ride.Taxi, Minute: ride.At / RideJob.MinuteMs))
            .Select(static minute => (minute.Key.Taxi, minute.Key.Minute * RideJob.MinuteMs, new Minute(minute.Count(), minute.Sum(static ride => ride.Fare))));
        var windows = outcome.Output<WindowResult<string, Minute>>("fares").Select(static result => (result.Key, result.Window.Start, result.Value));
        Assert.Equal(expected.Order(), windows.Order());
        var lines = outcome.Output<string>("lines");
        foreach (var taxi in rides.GroupBy(static ride => ride.Taxi))
        {
            Assert.Equal(
                taxi.Select((ride, index) => $"{ride.Taxi}: ride {index + 1}, {ride.Fare}").Order(StringComparer.Ordinal),
                lines.Where(line => line.StartsWith($"{taxi.Key}: ride", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public async Task A_function_that_counts_in_a_field_is_found_and_its_seed_can_be_run_alone()
    {
        var found = await Assert.ThrowsAsync<SimulationException>(() => ClusterSimulation.ForSeedsAsync(1..101, static _ => new RideJob(countsInField: true), Options));

        output.WriteLine(found.Message);
        Assert.Contains("differs from an unbroken run", found.Message, StringComparison.Ordinal);
        Assert.Contains("sink 'lines':\n  missing:\n    taxi-", found.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("sink 'fares':\n", found.Message, StringComparison.Ordinal);
        Assert.Contains($"SIMULATION_SEED={found.Outcome.Seed}", found.Message, StringComparison.Ordinal);
        Assert.True(found.Outcome.Restores > 0);
        var seed = found.Outcome.Seed;
        var again = await Assert.ThrowsAsync<SimulationException>(() => ClusterSimulation.ForSeedsAsync(seed..(seed + 1), static _ => new RideJob(countsInField: true), Options));
        Assert.Equal(found.Message, again.Message);
        Assert.Equal(found.Outcome.Log, again.Outcome.Log);
    }

    [Fact]
    public async Task One_seed_runs_alone_when_the_environment_says_so()
    {
        var seen = new List<int>();
        Task<SimulationTotals> RunAsync(string? alone) => ClusterSimulation.RunSeedsAsync(1..4, alone, static _ => new RideJob(countsInField: false), Options, outcome => seen.Add(outcome.Seed));

        await RunAsync("17");
        Assert.Equal([17], seen);
        seen.Clear();
        await RunAsync(null);
        Assert.Equal([1, 2, 3], seen.Order());
        var refused = await Assert.ThrowsAsync<ArgumentException>(() => RunAsync("x"));
        Assert.Contains("SIMULATION_SEED is 'x'", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_check_of_ones_own_is_told_with_the_seed_it_failed_at()
    {
        var found = await Assert.ThrowsAsync<SimulationException>(() => ClusterSimulation.ForSeedsAsync(
            1..20, static _ => new RideJob(countsInField: false), Options, static outcome => Assert.NotEqual(3, outcome.Seed)));

        Assert.Equal(3, found.Outcome.Seed);
        Assert.IsType<Xunit.Sdk.NotEqualException>(found.InnerException);
    }

    [Fact]
    public async Task A_seed_takes_the_same_steps_each_time_and_tells_what_it_did()
    {
        var options = Options with { Seed = 3, Accidents = Accidents.Usual with { Strikes = 60 } };
        var first = await ClusterSimulation.RunAsync(new RideJob(countsInField: false), options);
        var second = await ClusterSimulation.RunAsync(new RideJob(countsInField: false), options);

        Assert.Equal(first.Log, second.Log);
        Assert.Equal(first.Steps, second.Steps);
        Assert.Equal(first.Output<string>("lines"), second.Output<string>("lines"));
        Assert.NotEmpty(first.Accidents);
        foreach (var accident in first.Accidents) Assert.Contains(first.Log, line => line.EndsWith($"accident: {accident.What}", StringComparison.Ordinal));
        Assert.Contains(first.Log, static line => line.Contains("sink 'lines': committed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_accidents_nothing_goes_wrong()
    {
        for (var seed = 1; seed <= 10; seed++)
        {
            var outcome = await ClusterSimulation.RunAsync(new RideJob(countsInField: false), Options with { Seed = seed, Accidents = Accidents.None });
            Assert.Equal((1, 0, 0, 0), (outcome.Attempts, outcome.Restores, outcome.Accidents.Count, outcome.Faults));
        }
    }

    [Theory]
    [InlineData(Breakage.ManifestBeforeSegment, "objects", "is durable when it is published")]
    [InlineData(Breakage.PendingNotCommitted, "recovery", "visible before an attempt goes on")]
    [InlineData(Breakage.UnknownOutcomeGivenUp, "permit", "only output that a published checkpoint names")]
    public void A_promise_that_the_engine_breaks_is_told_in_words(Breakage breakage, string checker, string promise)
    {
        for (var seed = 1; seed <= 300; seed++)
        {
            var error = Record.Exception(() => ClusterSimulation.Run(static _ => new RideJob(countsInField: false), Options with { Seed = seed }, new BrokenBuild(breakage)));
            if (error is not SimulationException found || !found.Message.StartsWith($"Seed {seed}, step {found.Outcome.Steps}: {checker}: ", StringComparison.Ordinal)) continue;
            Assert.Contains(promise, found.Message, StringComparison.Ordinal);
            Assert.Contains(found.Outcome.Log, line => line.Contains($"VIOLATION {checker}: ", StringComparison.Ordinal));
            return;
        }

        Assert.Fail($"{breakage} was not caught by the checker '{checker}'.");
    }

    [Fact]
    public async Task A_graph_that_is_wrong_is_refused_before_it_runs()
    {
        var refused = await Assert.ThrowsAsync<JobRefusedException>(() => ClusterSimulation.RunAsync(
            static graph =>
            {
                var numbers = graph.From(null!, Collections.From([1]));
                numbers.To("out", new CountingSink<int>());
                numbers.Select(static number => $"{number}").To("out", new CountingSink<string>());
            },
            new SimulationOptions()));

        Assert.Contains("a name has 1 to 64 characters", refused.Message, StringComparison.Ordinal);
        Assert.Contains("To 'out': another operator has this name", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Options_that_do_not_fit_the_job_are_refused_all_at_once()
    {
        var refused = await Assert.ThrowsAsync<JobRefusedException>(() => ClusterSimulation.RunAsync(
            new RideJob(countsInField: false),
            Options with
            {
                Parallelism = 200,
                Sources = new Dictionary<string, SimulatedSource> { ["rides"] = new SimulatedSource<int>([1, 2]), ["ride"] = RideJob.Rides() },
            }));

        Assert.Contains("From 'rides': it reads", refused.Message, StringComparison.Ordinal);
        Assert.Contains("a source 'ride', and the job has none of that name. Did you mean 'rides'?", refused.Message, StringComparison.Ordinal);
        Assert.Contains("parallelism is 200", refused.Message, StringComparison.Ordinal);
        refused = await Assert.ThrowsAsync<JobRefusedException>(() => ClusterSimulation.RunAsync(new RideJob(countsInField: false), Options with { MaxParallelism = 0 }));
        Assert.Contains("MaxParallelism is 0", refused.Message, StringComparison.Ordinal);
        var options = Assert.Throws<ArgumentException>(() => { _ = ClusterSimulation.RunAsync(static (JobGraph _) => { }, new SimulationOptions { Accidents = new Accidents { Loss = 0.9 } }); });
        Assert.Contains("Loss is 0.9", options.Message, StringComparison.Ordinal);
    }
}
