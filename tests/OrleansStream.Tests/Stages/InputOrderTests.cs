using OrleansStream.Exchange;
using OrleansStream.Stages;
using OrleansStream.Time;

namespace OrleansStream.Tests.Stages;

public sealed class InputOrderTests
{
    private readonly InputChannel[] _inputs = [Input(), Input()];
    private readonly WatermarkMerge _merge = new(2);
    private readonly long[] _sent = new long[2];
    private readonly InputOrder _order;

    public InputOrderTests() => _order = new InputOrder(_inputs);

    [Fact]
    public void The_channel_furthest_behind_comes_first_and_every_fourth_time_the_next_in_turn()
    {
        Bring(0, watermark: 100, more: false, times: 10);
        Bring(1, watermark: 50, more: false, times: 10);
        _merge.Update(0, 100, false);
        _merge.Update(1, 50, false);
        Assert.Equal([0, 1, 1, 1, 0, 1, 1, 1], Enumerable.Range(0, 8).Select(_ => Take()));
    }

    [Fact]
    public void A_channel_waits_for_one_that_is_behind_empty_and_has_more_to_come()
    {
        RunAhead(more: true);
        Assert.Equal([0, 0, 0, 0, -1, -1], Enumerable.Range(0, 6).Select(_ => Take()));
        Assert.Equal(InputOrder.HoldMs, _order.HeldUntil);

        Bring(1, watermark: 20, more: true);
        Assert.Equal(1, Take());
        Assert.Null(_order.HeldUntil);
        Assert.Equal(0, Take());
    }

    [Fact]
    public void A_channel_that_is_held_goes_on_after_a_short_time()
    {
        RunAhead(more: true);
        for (var taken = 0; taken < InputOrder.MostAhead; taken++) Assert.Equal(0, Take());
        Assert.Equal(-1, Take(at: 100));
        Assert.Equal(-1, Take(at: 100 + InputOrder.HoldMs - 1));
        Assert.Equal([0, 0, 0, 0, -1], Enumerable.Range(0, 5).Select(_ => Take(at: 100 + InputOrder.HoldMs)));
    }

    [Fact]
    public void A_channel_does_not_wait_for_a_sender_that_waits_itself()
    {
        RunAhead(more: false);
        for (var taken = 0; taken < 8; taken++) Assert.Equal(0, Take());
    }

    [Fact]
    public void A_channel_does_not_wait_for_one_that_is_idle_or_has_ended()
    {
        RunAhead(more: true);
        _merge.Update(1, 10, idle: true);
        for (var taken = 0; taken < 6; taken++) Assert.Equal(0, Take());
        _merge.Update(1, 10, idle: false);
        _merge.End(1);
        for (var taken = 0; taken < 6; taken++) Assert.Equal(0, Take());
    }

    [Fact]
    public void Nothing_waits_while_a_barrier_is_aligned()
    {
        RunAhead(more: true);
        for (var taken = 0; taken < 8; taken++) Assert.Equal(0, Take(aligning: true));
    }

    [Fact]
    public void Channels_without_watermarks_never_wait()
    {
        Bring(1, long.MinValue, more: true);
        Assert.Equal(1, Take());
        Bring(0, long.MinValue, more: true, times: 12);
        for (var taken = 0; taken < 8; taken++) Assert.Equal(0, Take());
    }

    /// <summary>Channel 1 is at 10 and empty, channel 0 is at 100 with a full inbox.</summary>
    private void RunAhead(bool more)
    {
        Bring(1, watermark: 10, more);
        Assert.Equal(1, Take());
        Bring(0, watermark: 100, more: true, times: 16);
        _merge.Update(0, 100, false);
        _merge.Update(1, 10, false);
    }

    private void Bring(int channel, long watermark, bool more, int times = 1)
    {
        for (; times > 0; times--) Assert.Null(_inputs[channel].Accept(Wiring.Envelope(++_sent[channel], channel: channel, watermark: watermark, more: more)));
    }

    private int Take(long at = 0, bool aligning = false)
    {
        var channel = _order.Next(_merge, aligning, at);
        if (channel >= 0) _inputs[channel].Done();
        return channel;
    }

    private static InputChannel Input() => new(Wiring.Upper, 0, 16);
}
