using OrleansStream.Http;
using OrleansStream.Jobs;

namespace OrleansStream.Tests.Http;

public sealed class OperationRulesTests
{
    [Fact]
    public void An_id_says_by_itself_what_was_asked_of_which_job_and_when()
    {
        var id = new OperationId("average-readings", OperationVerb.Stop, 12, DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_123), "0123456789abcdef");

        Assert.Equal("average-readings.stop.12.1700000000123.0123456789abcdef", id.ToString());
        Assert.Equal(id, OperationId.Parse(id.ToString()));
        var rescale = id with { Verb = OperationVerb.Rescale, Parallelism = 4 };
        Assert.Equal("average-readings.rescale-4.12.1700000000123.0123456789abcdef", rescale.ToString());
        Assert.Equal(rescale, OperationId.Parse(rescale.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("job")]
    [InlineData("job.stop.1.1.0123456789ABCDEF")]
    [InlineData("job.stop-4.1.1.0123456789abcdef")]
    [InlineData("job.rescale.1.1.0123456789abcdef")]
    [InlineData("job.burn.1.1.0123456789abcdef")]
    [InlineData("job.Stop.1.1.0123456789abcdef")]
    [InlineData("../job.stop.1.1.0123456789abcdef")]
    [InlineData("job.stop.1.999999999999999.0123456789abcdef")]
    [InlineData("job.stop.1.1.0123456789abcdef\n")]
    public void What_is_no_id_is_none(string text) => Assert.Null(OperationId.Parse(text));

    [Theory]
    [InlineData(OperationVerb.Start, JobPhase.Idle, OperationState.Running)]
    [InlineData(OperationVerb.Start, JobPhase.Starting, OperationState.Running)]
    [InlineData(OperationVerb.Start, JobPhase.Running, OperationState.Done)]
    [InlineData(OperationVerb.Start, JobPhase.Waiting, OperationState.Running)]
    [InlineData(OperationVerb.Start, JobPhase.Stopping, OperationState.Done)]
    [InlineData(OperationVerb.Start, JobPhase.Stopped, OperationState.Failed)]
    [InlineData(OperationVerb.Start, JobPhase.Finished, OperationState.Done)]
    [InlineData(OperationVerb.Start, JobPhase.Failed, OperationState.Failed)]
    [InlineData(OperationVerb.Stop, JobPhase.Idle, OperationState.Running)]
    [InlineData(OperationVerb.Stop, JobPhase.Starting, OperationState.Running)]
    [InlineData(OperationVerb.Stop, JobPhase.Running, OperationState.Running)]
    [InlineData(OperationVerb.Stop, JobPhase.Waiting, OperationState.Running)]
    [InlineData(OperationVerb.Stop, JobPhase.Stopping, OperationState.Running)]
    [InlineData(OperationVerb.Stop, JobPhase.Stopped, OperationState.Done)]
    [InlineData(OperationVerb.Stop, JobPhase.Finished, OperationState.Done)]
    [InlineData(OperationVerb.Stop, JobPhase.Failed, OperationState.Done)]
    internal void What_is_watched_ends_when_the_job_is_where_it_was_asked_to_be(OperationVerb verb, JobPhase phase, OperationState state) =>
        Assert.Equal(state, OperationRules.Watched(verb, Status(phase, attempt: 3)).State);

    [Theory]
    [InlineData(OperationVerb.Start, JobPhase.Idle, 3, OperationState.Unknown)]
    [InlineData(OperationVerb.Start, JobPhase.Starting, 2, OperationState.Running)]
    [InlineData(OperationVerb.Start, JobPhase.Running, 2, OperationState.Done)]
    [InlineData(OperationVerb.Start, JobPhase.Waiting, 3, OperationState.Running)]
    [InlineData(OperationVerb.Start, JobPhase.Stopped, 2, OperationState.Unknown)]
    [InlineData(OperationVerb.Start, JobPhase.Stopped, 3, OperationState.Done)]
    [InlineData(OperationVerb.Start, JobPhase.Finished, 2, OperationState.Done)]
    [InlineData(OperationVerb.Start, JobPhase.Failed, 3, OperationState.Failed)]
    [InlineData(OperationVerb.Stop, JobPhase.Idle, 2, OperationState.Unknown)]
    [InlineData(OperationVerb.Stop, JobPhase.Running, 2, OperationState.Unknown)]
    [InlineData(OperationVerb.Stop, JobPhase.Running, 3, OperationState.Unknown)]
    [InlineData(OperationVerb.Stop, JobPhase.Stopping, 2, OperationState.Running)]
    [InlineData(OperationVerb.Stop, JobPhase.Stopped, 2, OperationState.Done)]
    internal void What_nobody_remembers_is_said_to_be_done_only_when_the_status_proves_it(OperationVerb verb, JobPhase phase, int attempt, OperationState state) => Assert.Equal(
        state, OperationRules.Forgotten(new OperationId("job", verb, 2, DateTimeOffset.UnixEpoch, "0123456789abcdef"), Status(phase, attempt)).State);

    [Fact]
    public void A_start_is_refused_while_the_job_stops_and_at_another_parallelism_than_it_runs_at()
    {
        Assert.Contains("is stopping", OperationRules.Conflict(Start(null), Status(JobPhase.Stopping, 1)), StringComparison.Ordinal);
        Assert.Contains("runs at parallelism 4, not 2", OperationRules.Conflict(Start(2), Status(JobPhase.Running, 1)), StringComparison.Ordinal);
        Assert.Null(OperationRules.Conflict(Start(4), Status(JobPhase.Running, 1)));
        Assert.Null(OperationRules.Conflict(Start(null), Status(JobPhase.Running, 1)));
        Assert.Null(OperationRules.Conflict(Start(2), Status(JobPhase.Stopped, 1)));
        Assert.Null(OperationRules.Conflict(new OperationRequest { Verb = OperationVerb.Stop, Digest = "" }, Status(JobPhase.Stopping, 1)));
    }

    [Theory]
    [InlineData(JobPhase.Running, 4, null, OperationState.Done)]
    [InlineData(JobPhase.Running, 2, null, OperationState.Unknown)]
    [InlineData(JobPhase.Running, 2, "rescaling to 4", OperationState.Running)]
    [InlineData(JobPhase.Starting, 4, null, OperationState.Running)]
    [InlineData(JobPhase.Starting, 2, null, OperationState.Unknown)]
    [InlineData(JobPhase.Stopped, 4, null, OperationState.Unknown)]
    internal void A_rescale_that_nobody_remembers_is_done_when_the_job_runs_at_its_parallelism(JobPhase phase, int parallelism, string? moving, OperationState state) => Assert.Equal(
        state,
        OperationRules.Forgotten(
            new OperationId("job", OperationVerb.Rescale, 2, DateTimeOffset.UnixEpoch, "0123456789abcdef", 4), Status(phase, 2) with { Parallelism = parallelism, Moving = moving }).State);

    [Fact]
    public void A_rescale_is_refused_unless_the_job_runs_and_nothing_else_moves_it()
    {
        var rescale = new OperationRequest { Verb = OperationVerb.Rescale, Digest = "", Parallelism = 2 };

        Assert.Null(OperationRules.Conflict(rescale, Status(JobPhase.Running, 1)));
        Assert.Contains("another planned move, rescaling to 8", OperationRules.Conflict(rescale, Status(JobPhase.Running, 1) with { Moving = "rescaling to 8" }), StringComparison.Ordinal);
        Assert.Contains("ask again when it runs", OperationRules.Conflict(rescale, Status(JobPhase.Waiting, 1)), StringComparison.Ordinal);
        Assert.Contains("start it with the parallelism", OperationRules.Conflict(rescale, Status(JobPhase.Stopped, 1)), StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_start_leaves_out_is_as_it_was()
    {
        var known = new JobStart { Parallelism = 3, Arguments = new JobArguments([new("input", "a")]), RecordsPerSecond = 10, CheckpointInterval = TimeSpan.FromSeconds(1) };

        Assert.Equal(known, new StartRequest(null, null, null, null).Over(known));
        var changed = new StartRequest(4, JobArguments.None, 20, TimeSpan.FromSeconds(2)).Over(known);
        Assert.Equal((4, 0, 20, TimeSpan.FromSeconds(2)), (changed.Parallelism, changed.Arguments.Names.Count, changed.RecordsPerSecond, changed.CheckpointInterval));
        Assert.Equal(new JobStart(), new StartRequest(null, null, null, null).Over(null));
    }

    private static OperationRequest Start(int? parallelism) => new() { Verb = OperationVerb.Start, Digest = "", Start = new StartRequest(parallelism, null, null, null) };

    private static JobStatus Status(JobPhase phase, int attempt) => new() { Job = "job", Phase = phase, Attempt = attempt, Parallelism = 4 };
}
