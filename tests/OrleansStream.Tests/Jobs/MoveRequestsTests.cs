using OrleansStream.Jobs;

namespace OrleansStream.Tests.Jobs;

public sealed class MoveRequestsTests
{
    private readonly MoveRequests _moves = new();

    [Theory]
    [InlineData(0, "it must be from 1 to its number of key groups, 128")]
    [InlineData(129, "it must be from 1 to its number of key groups, 128")]
    public void A_parallelism_that_cannot_be_is_refused_with_what_can(int wanted, string problem)
    {
        Assert.Contains(problem, Rescale(wanted).Problem, StringComparison.Ordinal);
        Assert.Null(_moves.Current);
    }

    [Theory]
    [InlineData(JobPhase.Idle, "it is idle: start it")]
    [InlineData(JobPhase.Stopped, "it is stopped: start it")]
    [InlineData(JobPhase.Starting, "it is starting: ask again when it runs")]
    [InlineData(JobPhase.Waiting, "it is waiting: ask again when it runs")]
    public void A_job_that_does_not_run_is_not_rescaled(JobPhase phase, string problem) => Assert.Contains(problem, Rescale(4, phase).Problem, StringComparison.Ordinal);

    [Fact]
    public void The_parallelism_that_a_job_has_is_no_move()
    {
        Assert.Equal(new RescaleAnswer(IsAlready: true), Rescale(2));
        Assert.Null(_moves.Asked);
    }

    [Fact]
    public void One_move_is_in_hand_at_a_time_until_its_attempt_runs()
    {
        Assert.Null(Rescale(4).Problem);
        Assert.Equal("rescaling to 4", _moves.Current!.Reason);
        Assert.Contains("in the middle of another planned move, rescaling to 4", Rescale(3).Problem, StringComparison.Ordinal);
        Assert.Equal(4, _moves.OnAttempt());
        Assert.Null(_moves.Asked);
        Assert.Contains("in the middle of another planned move, rescaling to 4", Rescale(3).Problem, StringComparison.Ordinal);
        Assert.Equal(PlannedMove.Rescale(4), _moves.OnRunning(["a"]));
        Assert.Null(_moves.Current);
        Assert.Null(Rescale(3).Problem);
    }

    [Fact]
    public void A_move_whose_attempt_fails_before_it_runs_is_done_by_the_next()
    {
        Rescale(4);
        Assert.Equal(4, _moves.OnAttempt());
        Assert.Null(_moves.OnAttempt());
        Assert.Equal(PlannedMove.Rescale(4), _moves.OnRunning(["a"]));
    }

    [Fact]
    public void A_silo_that_leaves_gets_no_subtask_unless_it_is_the_only_one()
    {
        _moves.Leave("b", ["a", "b"]);

        Assert.Equal(PlannedMove.Leave("b"), _moves.Asked);
        Assert.Equal(["a", "c"], _moves.Places(["a", "b", "c"]));
        Assert.Equal(["b"], _moves.Places(["b"]));
    }

    [Fact]
    public void A_silo_that_leaves_and_has_nothing_of_the_job_moves_nothing()
    {
        _moves.Leave("b", ["a"]);

        Assert.Null(_moves.Asked);
        Assert.Equal(["a"], _moves.Places(["a", "b"]));
    }

    [Fact]
    public void A_silo_that_leaves_while_silos_are_chosen_is_moved_off_only_if_it_was_too_late()
    {
        _moves.Leave("b", null);
        _moves.OnRunning(["a", "c"]);
        Assert.Null(_moves.Asked);

        _moves.Leave("c", null);
        _moves.OnRunning(["a", "c"]);
        Assert.Equal(PlannedMove.Leave("c"), _moves.Asked);
    }

    [Fact]
    public void A_rescale_that_a_leaving_silo_comes_into_is_one_move()
    {
        Rescale(4);
        _moves.Leave("b", ["a", "b"]);

        Assert.Equal(4, _moves.OnAttempt());
        Assert.Equal(["a"], _moves.Places(["a", "b"]));
        _moves.OnRunning(["a"]);
        Assert.Null(_moves.Current);
    }

    [Fact]
    public void A_silo_that_leaves_after_the_next_attempt_has_begun_is_another_move_at_the_same_parallelism()
    {
        Rescale(4);
        _moves.OnAttempt();
        _moves.Leave("b", null);
        _moves.OnRunning(["a", "b"]);

        Assert.Equal(PlannedMove.Leave("b"), _moves.Asked);
        Assert.Null(_moves.OnAttempt());
    }

    [Fact]
    public void Spreading_anew_waits_for_no_other_move()
    {
        Rescale(4);
        _moves.Rebalance();
        Assert.Equal(PlannedMove.Rescale(4), _moves.Asked);
        _moves.OnEnded();
        _moves.Rebalance();
        Assert.Equal(PlannedMove.Rebalance, _moves.Asked);
    }

    private RescaleAnswer Rescale(int wanted, JobPhase phase = JobPhase.Running) => _moves.Rescale("job", phase, now: 2, wanted, maxParallelism: 128);
}
