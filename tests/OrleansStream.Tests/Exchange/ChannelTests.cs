using OrleansStream.Exchange;
using OrleansStream.Stages;
using OrleansStream.Tests.Stages;

namespace OrleansStream.Tests.Exchange;

public sealed class ChannelTests
{
    private const int Window = 4;

    [Fact]
    public void Envelopes_that_overtook_each_other_leave_the_inbox_in_the_order_sent()
    {
        var input = Input();
        foreach (var number in new[] { 3, 1, 4, 2 }) Assert.Null(input.Accept(Wiring.Envelope(number)));

        Assert.Equal([1, 2, 3, 4], Drain(input));
        Assert.False(input.HasGap);
    }

    [Fact]
    public void An_envelope_behind_a_missing_one_waits()
    {
        var input = Input();
        input.Accept(Wiring.Envelope(2));

        Assert.True(input.HasGap);
        Assert.False(input.HasWork);
    }

    [Fact]
    public void A_repeat_is_answered_like_the_first_time_and_enters_once_whether_early_queued_or_processed()
    {
        var input = Input();
        Assert.Null(input.Accept(Wiring.Envelope(2)));
        Assert.Null(input.Accept(Wiring.Envelope(2)));
        Assert.Null(input.Accept(Wiring.Envelope(1)));
        Assert.Null(input.Accept(Wiring.Envelope(1)));
        Assert.Equal([1, 2], Drain(input));
        Assert.Null(input.Accept(Wiring.Envelope(1)));
        Assert.Null(input.Accept(Wiring.Envelope(2)));

        Assert.Equal((0, false), (input.Queued, input.HasGap));
        Assert.Equal(2, input.Processed);
    }

    [Fact]
    public void An_envelope_beyond_the_window_is_refused_with_its_coordinates()
    {
        var input = Input();
        Assert.Null(input.Accept(Wiring.Envelope(Window)));

        var refusal = input.Accept(Wiring.Envelope(Window + 1));

        Assert.Contains("Envelope 5 on the channel from 0/0", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void The_window_moves_with_what_was_processed_and_not_with_what_arrived()
    {
        var input = Input();
        for (var number = 1; number <= Window; number++) input.Accept(Wiring.Envelope(number));
        Assert.NotNull(input.Accept(Wiring.Envelope(Window + 1)));
        input.Done();

        Assert.Null(input.Accept(Wiring.Envelope(Window + 1)));
    }

    [Fact]
    public void A_blocked_channel_takes_envelopes_and_gives_none()
    {
        var input = Input();
        input.Blocked = true;
        Assert.Null(input.Accept(Wiring.Envelope(1)));

        Assert.False(input.HasWork);
        input.Blocked = false;
        Assert.True(input.HasWork);
    }

    [Fact]
    public void An_envelope_after_the_end_breaks_an_invariant_even_before_the_end_is_processed()
    {
        var input = Input();
        input.Accept(Wiring.Envelope(1, end: true));

        Assert.Throws<InvariantException>(() => input.Accept(Wiring.Envelope(2)));
    }

    [Fact]
    public void Credit_goes_back_for_a_third_of_a_window_and_once()
    {
        var input = new InputChannel(Wiring.Upper, 0, window: 8);
        for (var number = 1; number <= 4; number++) input.Accept(Wiring.Envelope(number));
        input.Done();
        Assert.False(input.TryTakeCredit(out _));
        input.Done();
        Assert.True(input.TryTakeCredit(out var processed));
        Assert.Equal(2, processed);
        Assert.False(input.TryTakeCredit(out _));
        input.Done();
        Assert.False(input.TryTakeCredit(out _));
        input.Done();
        Assert.True(input.TryTakeCredit(out processed));
        Assert.Equal(4, processed);
    }

    [Fact]
    public void What_a_reply_told_needs_no_credit()
    {
        var input = new InputChannel(Wiring.Upper, 0, window: 6);
        for (var number = 1; number <= 20; number++)
        {
            input.Accept(Wiring.Envelope(number));
            Assert.Equal(number - 1, input.Processed);
            input.Done();
            Assert.False(input.TryTakeCredit(out _));
        }

        for (var number = 21; number <= 22; number++) input.Accept(Wiring.Envelope(number));
        input.Done();
        Assert.False(input.TryTakeCredit(out _));
        input.Done();
        Assert.True(input.TryTakeCredit(out var processed));
        Assert.Equal(22, processed);
    }

    [Fact]
    public void What_the_reply_to_a_repeat_said_may_have_reached_nobody()
    {
        var input = new InputChannel(Wiring.Upper, 0, window: 6);
        for (var number = 1; number <= 6; number++) input.Accept(Wiring.Envelope(number));
        for (var number = 1; number <= 6; number++)
        {
            input.Done();
            input.Accept(Wiring.Envelope(number));
            Assert.Equal(number % 2 == 0, input.TryTakeCredit(out var processed));
            Assert.Equal(number, processed);
        }
    }

    [Fact]
    public void A_sender_without_room_always_gets_credit()
    {
        // Whatever was credited before, and however many envelopes the inbox holds: once all that a blocked sender has sent is processed, it hears of it.
        for (var window = 1; window <= 8; window++)
        {
            var late = new Random(window);
            var input = new InputChannel(Wiring.Upper, 0, window);
            var output = Wiring.Output(window);
            for (var round = 0; round < 20; round++)
            {
                for (var few = 0; few <= round % 3 && output.HasRoom; few++) output.Enqueue(null);
                while (round % 4 == 3 && output.HasRoom) output.Enqueue(null);
                var sent = output.TakeAll();
                foreach (var envelope in sent)
                {
                    Assert.Null(input.Accept(envelope));
                    output.Credit(input.Processed);
                }

                while (input.HasWork)
                {
                    input.Done();
                    if (late.Next(2) == 0) input.Accept(sent[late.Next(sent.Count)]);
                    if (input.TryTakeCredit(out var processed)) output.Credit(processed);
                }

                Assert.True(output.HasRoom, $"window {window}, round {round}");
            }
        }
    }

    [Fact]
    public void Numbers_are_given_out_without_gaps_and_carry_the_addresses()
    {
        var output = Wiring.Output(channel: 7);
        output.Enqueue(null);
        output.Enqueue(null, Wiring.Barrier(1));
        output.Enqueue(null, end: true);

        var sent = output.TakeAll();

        Assert.Equal([1, 2, 3], sent.Select(static envelope => envelope.Sequence));
        Assert.All(sent, static envelope => Assert.Equal((7, Wiring.UpperOpening, Wiring.LowerOpening), (envelope.Channel, envelope.FromIncarnation, envelope.ToIncarnation)));
        Assert.True(sent[2].End);
    }

    [Fact]
    public void No_more_than_the_window_is_sent_and_not_processed()
    {
        var output = Wiring.Output(Window);
        for (var i = 0; i < Window + 2; i++) output.Enqueue(null);

        Assert.Equal(Window, output.TakeAll().Count);
        Assert.False(output.HasRoom);
        output.Credit(1);
        Assert.Equal([Window + 1], output.TakeAll().Select(static envelope => envelope.Sequence));
        Assert.False(output.HasRoom);
        output.Credit(3);
        Assert.Equal([Window + 2], output.TakeAll().Select(static envelope => envelope.Sequence));
        Assert.True(output.HasRoom);
        Assert.Equal(3, output.Outstanding);
    }

    [Fact]
    public void There_is_no_room_while_something_waits_to_be_sent()
    {
        var output = Wiring.Output(Window);
        output.Enqueue(null);

        Assert.False(output.HasRoom);
        output.TakeAll();
        Assert.True(output.HasRoom);
    }

    [Fact]
    public void Old_and_repeated_credit_changes_nothing()
    {
        var output = Wiring.Output(Window);
        for (var i = 0; i < 3; i++) output.Enqueue(null);
        output.TakeAll();
        output.Credit(2);
        output.Credit(1);
        output.Credit(2);

        Assert.Equal(1, output.Outstanding);
    }

    [Fact]
    public void Credit_for_what_was_never_made_breaks_an_invariant()
    {
        var output = Wiring.Output(Window);
        output.Enqueue(null);

        Assert.Throws<InvariantException>(() => output.Credit(2));
    }

    [Fact]
    public void Nothing_is_written_behind_the_end()
    {
        var output = Wiring.Output();
        output.Enqueue(null, end: true);

        Assert.Throws<InvariantException>(() => output.Enqueue(null));
    }

    [Fact]
    public void A_watermark_travels_once_and_never_back()
    {
        var output = Wiring.Output();
        output.Watermark(100);
        Assert.True(output.HasNews);
        output.Enqueue(null);
        Assert.False(output.HasNews);
        output.Enqueue(null);
        output.Watermark(50);
        Assert.False(output.HasNews);
        output.Watermark(200);
        output.Watermark(150);
        output.Enqueue(null);

        Assert.Equal([100, long.MinValue, 200], output.TakeAll().Select(static envelope => envelope.Watermark));
    }

    [Fact]
    public void Idleness_is_news_both_ways()
    {
        var output = Wiring.Output();
        output.Idle(true);
        Assert.True(output.HasNews);
        output.Enqueue(null);
        Assert.False(output.HasNews);
        output.Idle(false);
        Assert.True(output.HasNews);
        output.Enqueue(null);

        Assert.Equal([true, false], output.TakeAll().Select(static envelope => envelope.Idle));
    }

    [Fact]
    public void A_sender_says_with_records_that_it_has_more_and_by_itself_that_it_has_not()
    {
        var output = Wiring.Output();
        output.Dry(false);
        Assert.False(output.HasNews);
        output.Enqueue(Wiring.Batch(("a", 1L)));
        output.Dry(true);
        Assert.True(output.HasNews);
        output.Enqueue(null);
        Assert.False(output.HasNews);
        Assert.Equal([true, false], output.TakeAll().Select(static envelope => envelope.More));

        output.Dry(false);
        output.Enqueue(null, end: true);
        output.Dry(true);
        Assert.False(output.HasNews);
    }

    private static InputChannel Input() => new(Wiring.Upper, 0, Window) { FromIncarnation = Wiring.UpperOpening };

    private static List<long> Drain(InputChannel input)
    {
        var numbers = new List<long>();
        while (input.HasWork)
        {
            numbers.Add(input.Peek().Sequence);
            input.Done();
        }

        return numbers;
    }
}
