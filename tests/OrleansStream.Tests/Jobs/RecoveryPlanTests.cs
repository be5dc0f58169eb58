using OrleansStream.Checkpoints;
using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.Sources;
using OrleansStream.Tests.Checkpoints;
using OrleansStream.Tests.Stages;

namespace OrleansStream.Tests.Jobs;

public sealed class RecoveryPlanTests
{
    private static readonly Dictionary<string, IReadOnlyList<SourceSplit>> Inputs = new()
    {
        ["left"] = [new SourceSplit("a.csv", "1"), new SourceSplit("b.csv", "2"), new SourceSplit("c.csv", "3")],
        ["right"] = [],
    };

    private static readonly JobArguments Arguments = Args(("window", "1h"), ("input", "a"), ("input", "b"));

    [Fact]
    public void The_same_job_differs_in_nothing() => Assert.Empty(Differences());

    [Fact]
    public void Each_argument_that_differs_is_named_with_both_values() => Assert.Equal(
        ["argument 'fresh' was not given and is yes", "argument 'input' was a, b and is b, a", "argument 'window' was 1h and is not given"],
        Differences(arguments: Args(("input", "b"), ("input", "a"), ("fresh", "yes"))));

    [Fact]
    public void A_changed_graph_is_named_when_the_arguments_do_not_explain_it()
    {
        Assert.Contains("the job's graph has changed", Assert.Single(Differences(started: Started() with { Fingerprint = "other" })), StringComparison.Ordinal);
        Assert.DoesNotContain(Differences(started: Started() with { Fingerprint = "other" }, arguments: JobArguments.None), static difference => difference.Contains("graph", StringComparison.Ordinal));
    }

    [Fact]
    public void A_changed_graph_is_told_operator_by_operator()
    {
        var difference = Assert.Single(Differences(started: Started() with { Fingerprint = "other", Graph = "1. From 'gone' { record: int }\n" }));
        Assert.Contains("it had [1. From 'gone' { record: int }] and has [1. From '", difference, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_number_of_key_groups_is_refused_and_another_parallelism_is_not()
    {
        Assert.Equal(["maxParallelism was 64 and is 128"], Differences(started: Started() with { MaxParallelism = 64 }));
        Assert.Empty(Differences(started: Started() with { Parallelism = 3 }));
    }

    [Fact]
    public void Input_that_is_gone_or_changed_is_named_and_new_input_is_welcome()
    {
        Dictionary<string, IReadOnlyList<SourceSplit>> now = new() { ["left"] = [new SourceSplit("b.csv", "changed"), new SourceSplit("c.csv", "3"), new SourceSplit("d.csv", "4")] };

        Assert.Equal(["input 'a.csv' of source 'left' is gone", "input 'b.csv' of source 'left' has changed since it was read"], Differences(inputs: now));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void Each_split_is_read_by_one_subtask(int parallelism)
    {
        var plan = Plan(parallelism);
        var dealt = Enumerable.Range(0, parallelism).Select(index => RecoveryPlan.SplitsOf(plan, new SubtaskId(0, index), Inputs)["left"]).ToList();

        Assert.Equal(Inputs["left"].Select(static split => split.Name), dealt.SelectMany(static splits => splits).Select(static split => split.Name).Order());
        Assert.InRange(dealt.Max(static splits => splits.Count) - dealt.Min(static splits => splits.Count), 0, 1);
        Assert.Empty(RecoveryPlan.SplitsOf(plan, new SubtaskId(2, 0), Inputs));
    }

    [Fact]
    public void A_stage_is_restored_from_all_its_former_subtasks_and_a_new_one_from_none()
    {
        var plan = Plan(1);
        var manifest = Samples.Manifest(Samples.Id(1, 3), Samples.Segment(Samples.Id(1, 3)));
        manifest = manifest with { Stages = [manifest.Stages[0] with { Name = "count" }] };

        Assert.Equal([0, 1], RecoveryPlan.FormerOf(manifest, plan.Stages[2]).Select(static former => former.Index));
        Assert.Empty(RecoveryPlan.FormerOf(manifest, plan.Stages[0]));
        Assert.Empty(RecoveryPlan.FormerOf(null, plan.Stages[2]));
    }

    [Fact]
    public void A_sink_with_pending_output_may_not_be_dropped()
    {
        var plan = Plan(1);
        var manifest = Samples.Manifest(Samples.Id(1, 3));

        Assert.Equal("sink 'decisions' has 1 outputs waiting to be committed and is no longer in the graph", RecoveryPlan.MissingSink(manifest, plan));
        Assert.Null(RecoveryPlan.MissingSink(manifest with { Sinks = new Dictionary<string, SinkManifest> { ["decisions"] = new([], 17) } }, plan));
        Assert.Null(RecoveryPlan.MissingSink(manifest with { Sinks = new Dictionary<string, SinkManifest> { ["results"] = manifest.Sinks["decisions"] } }, plan));
    }

    [Fact]
    public void A_rescale_whose_checkpoint_is_published_is_carried_out_by_whoever_comes_next()
    {
        var history = JobHistory.Empty with { LastStarted = Started() with { Parallelism = 2 }, NextParallelism = 4 };

        Assert.Equal(4, RecoveryPlan.RescaledTo(new JobStart { Parallelism = 2 }, history, isOthers: false));
        Assert.Equal((4, 2), (RecoveryPlan.Rescaled(new JobStart { Parallelism = 2, Registered = 2 }, 4).Parallelism, RecoveryPlan.Rescaled(new JobStart { Registered = 2 }, 4).RescaledOver));
    }

    [Fact]
    public void A_rescale_outlasts_starts_as_registered_until_the_registration_changes_or_somebody_chooses()
    {
        var last = Started() with { Parallelism = 4, RescaledOver = 2 };
        var history = JobHistory.Empty with { LastStarted = last };

        Assert.Equal(4, RecoveryPlan.RescaledTo(RecoveryPlan.Revived(new JobStart { Parallelism = 2 }, last)!, history, isOthers: false));
        Assert.Null(RecoveryPlan.RescaledTo(RecoveryPlan.Revived(new JobStart { Parallelism = 3 }, last)!, history, isOthers: false));
        Assert.Null(RecoveryPlan.RescaledTo(new JobStart { Parallelism = 2 }, history, isOthers: false));
        Assert.Null(RecoveryPlan.RescaledTo(new JobStart { Parallelism = 2, Registered = 2 }, JobHistory.Empty, isOthers: false));
    }

    [Fact]
    public void A_rescale_that_failed_on_its_way_is_not_taken_back_by_one_before_it()
    {
        var history = JobHistory.Empty with { LastStarted = Started() with { Parallelism = 4, RescaledOver = 2 } };

        Assert.Null(RecoveryPlan.RescaledTo(new JobStart { Parallelism = 3, Registered = 2, RescaledOver = 2 }, history, isOthers: false));
        Assert.Equal(4, RecoveryPlan.RescaledTo(new JobStart { Parallelism = 3, Registered = 2, RescaledOver = 2 }, history, isOthers: true));
    }

    private static IReadOnlyList<string> Differences(Started? started = null, JobArguments? arguments = null, Dictionary<string, IReadOnlyList<SourceSplit>>? inputs = null) =>
        RecoveryPlan.Differences(started ?? Started(), arguments ?? Arguments, Plan(1), inputs ?? Inputs);

    private static Started Started() => Samples.Started("w", Attempt.First) with { Arguments = Arguments.ToMap(), Fingerprint = Plan(1).Fingerprint, MaxParallelism = 128, Inputs = Inputs };

    private static JobArguments Args(params (string Name, string Value)[] values) => new(values.Select(static value => KeyValuePair.Create(value.Name, value.Value)));

    private static JobPlan Plan(int parallelism)
    {
        var graph = new JobGraph(Wiring.Context().Services);
        CountingJob.Define(graph, new RecordingSink<string>());
        return JobPlan.Create("payments", graph, parallelism, 128);
    }
}
