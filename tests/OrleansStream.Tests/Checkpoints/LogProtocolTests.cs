using OrleansStream.Checkpoints;
using OrleansStream.Jobs;

namespace OrleansStream.Tests.Checkpoints;

/// <summary>The two deciding halves alone, answered by hand.</summary>
public sealed class LogProtocolTests
{
    private static readonly Attempt First = Attempt.First;
    private static readonly Attempt Second = new(2);
    private static readonly Attempt Third = new(3);

    [Fact]
    public void A_takeover_of_nothing_owns_the_first_attempt_without_a_seal()
    {
        var protocol = new TakeoverProtocol();
        Answer(protocol, LogAction.Probe, First, 0, LogAnswer.Nothing);
        Assert.Equal(LogAction.Done, protocol.Next.Action);
        Assert.Equal(First, protocol.Owned);
    }

    [Fact]
    public void A_takeover_seals_the_end_and_owns_the_next_attempt_when_no_later_one_is_there()
    {
        var protocol = AtSealOfEntry1();
        Answer(protocol, LogAction.Create, First, 1, LogAnswer.Created);
        Answer(protocol, LogAction.Probe, Second, 0, LogAnswer.Nothing);
        Assert.Equal(LogAction.Done, protocol.Next.Action);
        Assert.Equal(Second, protocol.Owned);
    }

    [Fact]
    public void A_seal_owns_nothing_when_a_later_attempt_is_there()
    {
        var protocol = AtSealOfEntry1();
        Answer(protocol, LogAction.Create, First, 1, LogAnswer.Created);
        Answer(protocol, LogAction.Probe, Second, 0, LogAnswer.Entry);
        Assert.Equal(new LogStep(LogAction.Probe, First, 0), protocol.Next); // Begins anew.
        Assert.Throws<InvalidOperationException>(() => protocol.Owned);
    }

    [Fact]
    public void A_number_taken_by_an_entry_is_passed_and_one_taken_by_our_seal_is_ours()
    {
        var protocol = AtSealOfEntry1();
        Answer(protocol, LogAction.Create, First, 1, LogAnswer.Taken);
        Answer(protocol, LogAction.Read, First, 1, LogAnswer.Entry);
        Answer(protocol, LogAction.Create, First, 2, LogAnswer.Taken);
        Answer(protocol, LogAction.Read, First, 2, LogAnswer.Own);
        Answer(protocol, LogAction.Probe, Second, 0, LogAnswer.Nothing);
        Assert.Equal(Second, protocol.Owned);
    }

    [Fact]
    public void Anothers_seal_is_answered_by_sealing_the_attempt_it_owns()
    {
        var protocol = AtSealOfEntry1();
        Answer(protocol, LogAction.Create, First, 1, LogAnswer.Taken);
        Answer(protocol, LogAction.Read, First, 1, LogAnswer.Seal);
        Answer(protocol, LogAction.Probe, Second, 0, LogAnswer.Nothing);
        Answer(protocol, LogAction.Create, Second, 0, LogAnswer.Created);
        Answer(protocol, LogAction.Probe, Third, 0, LogAnswer.Nothing);
        Assert.Equal(Third, protocol.Owned);
    }

    [Fact]
    public void An_owner_who_begins_first_is_sealed_behind_its_start()
    {
        var protocol = AtSealOfEntry1();
        Answer(protocol, LogAction.Create, First, 1, LogAnswer.Taken);
        Answer(protocol, LogAction.Read, First, 1, LogAnswer.Seal);
        Answer(protocol, LogAction.Probe, Second, 0, LogAnswer.Nothing);
        Answer(protocol, LogAction.Create, Second, 0, LogAnswer.Taken);
        Answer(protocol, LogAction.Read, Second, 0, LogAnswer.Entry);
        Assert.Equal(new LogStep(LogAction.Create, Second, 1), protocol.Next);
    }

    [Fact]
    public void An_append_is_won_or_lost_only_when_the_number_was_seen()
    {
        var append = new AppendProtocol(First, 7);
        Assert.Throws<InvalidOperationException>(() => append.Won);
        Assert.Equal(new LogStep(LogAction.Create, First, 7), append.Next);
        append.Answer(LogAnswer.Taken);
        Assert.Equal(new LogStep(LogAction.Read, First, 7), append.Next);
        append.Answer(LogAnswer.Nothing);
        Assert.Equal(new LogStep(LogAction.Create, First, 7), append.Next);
        append.Answer(LogAnswer.Taken);
        append.Answer(LogAnswer.Own);
        Assert.True(append.Won);
    }

    [Theory]
    [InlineData((int)LogAnswer.Seal)]
    [InlineData((int)LogAnswer.Entry)]
    public void An_append_is_lost_to_whatever_another_wrote(int found)
    {
        var append = new AppendProtocol(First, 7);
        append.Answer(LogAnswer.Taken);
        append.Answer((LogAnswer)found);
        Assert.False(append.Won);
    }

    [Fact]
    public void An_answer_that_does_not_fit_the_step_is_refused()
    {
        Assert.Throws<InvalidOperationException>(() => new AppendProtocol(First, 7).Answer(LogAnswer.Own));
        Assert.Throws<InvalidOperationException>(() => new TakeoverProtocol().Answer(LogAnswer.Created));
    }

    /// <summary>The first attempt has entry 0 only.</summary>
    private static TakeoverProtocol AtSealOfEntry1()
    {
        var protocol = new TakeoverProtocol();
        Answer(protocol, LogAction.Probe, First, 0, LogAnswer.Entry);
        Answer(protocol, LogAction.Probe, Second, 0, LogAnswer.Nothing);
        Answer(protocol, LogAction.Probe, Second, 0, LogAnswer.Nothing);
        Answer(protocol, LogAction.Probe, First, 0, LogAnswer.Entry);
        Answer(protocol, LogAction.Probe, First, 1, LogAnswer.Nothing);
        Answer(protocol, LogAction.Probe, First, 1, LogAnswer.Nothing);
        Answer(protocol, LogAction.Read, First, 0, LogAnswer.Entry);
        return protocol;
    }

    private static void Answer(TakeoverProtocol protocol, LogAction action, Attempt attempt, long number, LogAnswer answer)
    {
        Assert.Equal(new LogStep(action, attempt, number), protocol.Next);
        protocol.Answer(answer);
    }
}
