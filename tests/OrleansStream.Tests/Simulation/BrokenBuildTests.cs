
namespace OrleansStream.Tests.Simulation;

/// <summary>Each test takes one guard out of the engine and asks that a checker notices: the checkers are worth what they catch.</summary>
public sealed class BrokenBuildTests(ITestOutputHelper output)
{
    private const int MostSeeds = 300;

    [Fact]
    public void Acknowledging_before_processing_is_caught_by_the_cut() => RequireCaught(Breakage.OffsetAhead, "cut");

    [Fact]
    public void Taking_messages_of_other_attempts_and_incarnations_is_caught_by_the_order_of_records() => RequireCaught(Breakage.NoIncarnationCheck, "sequence", mostSeeds: 1000);

    [Fact]
    public void Taking_a_repeat_for_news_is_caught_by_the_order_of_records() => RequireCaught(Breakage.NoRepeatCheck, "sequence");

    [Fact]
    public void Counting_the_reply_to_a_repeat_as_credit_is_caught_by_a_sender_that_hears_nothing() => RequireCaught(Breakage.RepeatTellsCredit, "stall");

    [Fact]
    public void Beginning_watermarks_anew_is_caught_by_a_watermark_that_goes_back() => RequireCaught(Breakage.WatermarkNotRestored, "watermark");

    [Fact]
    public void Sending_a_barrier_after_newer_records_is_caught_by_the_cut() => RequireCaught(Breakage.BarrierAfterNewer, "cut");

    [Fact]
    public void Publishing_a_manifest_before_a_segment_is_durable_is_caught_by_what_is_not_there() => RequireCaught(Breakage.ManifestBeforeSegment, "objects");

    [Fact]
    public void Leaving_pending_output_uncommitted_on_recovery_is_caught_when_the_attempt_goes_on() => RequireCaught(Breakage.PendingNotCommitted, "recovery");

    [Fact]
    public void Giving_up_an_entry_of_unknown_outcome_is_caught_by_output_without_publication() => RequireCaught(Breakage.UnknownOutcomeGivenUp, "permit");

    [Fact]
    public void Reading_on_ahead_of_other_subtasks_is_caught_by_the_drift() => RequireCaught(Breakage.NoAlignment, "alignment");

    [Fact]
    public void Forgetting_a_rescale_after_a_failure_is_caught_by_the_parallelism_of_the_next_attempt() => RequireCaught(Breakage.RescaleForgotten, "rescale");

    [Fact]
    public void Going_on_from_the_former_subtask_of_the_same_number_is_caught_by_the_cut() => RequireCaught(Breakage.RestoredByNumber, "cut");

    private void RequireCaught(Breakage breakage, string checker, int mostSeeds = MostSeeds)
    {
        var others = new SortedDictionary<string, int>(StringComparer.Ordinal);
        for (var seed = 1; seed <= mostSeeds; seed++)
        {
            var run = EngineRun.Of(seed, breakage);
            run.Execute();
            if (run.Violation is not { } violation) continue;
            if (violation.Checker == checker)
            {
                output.WriteLine(run.ToString());
                return;
            }

            others[violation.Checker] = others.GetValueOrDefault(violation.Checker) + 1;
        }

        Assert.Fail($"{breakage} was not caught by the checker '{checker}' in {mostSeeds} seeds; others caught it: {string.Join(", ", others)}.");
    }
}
