using OrleansStream.Jobs;

namespace OrleansStream.Tests.Jobs;

public sealed class RestartStrategyTests
{
    private static readonly DateTimeOffset Start = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Exponential_waits_begin_with_the_second_failure_double_up_to_the_longest_and_then_give_up()
    {
        var strategy = RestartStrategy.Exponential(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10), attempts: 6);

        Assert.Equal([0, 1, 2, 4, 8, 10], Enumerable.Range(1, 6).Select(failures => strategy.DelayAfter(failures)!.Value.TotalSeconds));
        Assert.Null(strategy.DelayAfter(7));
    }

    [Fact]
    public void Waits_stay_finite_after_any_number_of_failures()
    {
        var strategy = RestartStrategy.Exponential(attempts: int.MaxValue);

        Assert.Equal(TimeSpan.FromMinutes(1), strategy.DelayAfter(int.MaxValue - 1));
    }

    [Fact]
    public void Fixed_waits_are_all_the_same()
    {
        var strategy = RestartStrategy.Fixed(TimeSpan.FromSeconds(3), attempts: 2);

        Assert.Equal([TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(3), null], Enumerable.Range(1, 3).Select(strategy.DelayAfter));
    }

    [Fact]
    public void None_makes_the_first_failure_the_last() => Assert.Null(RestartStrategy.None.DelayAfter(1));

    [Fact]
    public void The_first_cause_is_kept_over_its_echoes()
    {
        var decision = new RestartDecision(RestartStrategy.Fixed(TimeSpan.FromSeconds(1), attempts: 2));
        Assert.NotNull(decision.OnFailure("line 7 is malformed", isPermanent: false, Start));
        Assert.NotNull(decision.OnFailure("channel closed", isPermanent: false, Start));
        Assert.Null(decision.OnFailure("channel closed", isPermanent: false, Start));

        Assert.Equal(("line 7 is malformed", 3), (decision.FirstCause, decision.Failures));
    }

    [Fact]
    public void A_permanent_failure_is_not_tried_again() =>
        Assert.Null(new RestartDecision(RestartStrategy.Exponential()).OnFailure("malformed", isPermanent: true, Start));

    [Fact]
    public void A_long_good_run_makes_the_count_begin_anew_with_its_own_cause()
    {
        var decision = new RestartDecision(RestartStrategy.Exponential(TimeSpan.FromSeconds(1), attempts: 2, resetAfter: TimeSpan.FromMinutes(10)));
        decision.OnAttempt(Start);
        decision.OnFailure("first", false, Start);
        decision.OnAttempt(Start);
        Assert.Equal(TimeSpan.FromSeconds(1), decision.OnFailure("second", false, Start.AddMinutes(10) - TimeSpan.FromTicks(1)));
        decision.OnAttempt(Start);

        Assert.Equal(TimeSpan.Zero, decision.OnFailure("third", false, Start.AddMinutes(10)));
        Assert.Equal(("third", 1), (decision.FirstCause, decision.Failures));
    }
}
