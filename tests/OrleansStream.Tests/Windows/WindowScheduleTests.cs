using OrleansStream.Windows;

namespace OrleansStream.Tests.Windows;

public sealed class WindowScheduleTests
{
    private readonly WindowSchedule _schedule = new();

    [Fact]
    public void Windows_come_due_in_time_order_and_those_of_one_start_in_the_order_they_were_opened()
    {
        _schedule.Add(200, 1, fired: false);
        _schedule.Add(100, 2, fired: false);
        _schedule.Add(200, 3, fired: false);
        _schedule.Add(100, 4, fired: false);

        Assert.Equal([2, 4, 1, 3], Due(200));
    }

    [Fact]
    public void Only_what_is_due_is_taken_and_once()
    {
        _schedule.Add(100, 1, fired: false);
        _schedule.Add(200, 2, fired: false);

        Assert.Equal([1], Due(199));
        Assert.Empty(Due(199));
        Assert.Equal([2], Due(200));
    }

    [Fact]
    public void A_start_that_was_taken_may_be_opened_again()
    {
        _schedule.Add(100, 1, fired: false);
        Due(100);
        _schedule.Add(100, 2, fired: false);

        Assert.Equal([2], Due(100));
    }

    [Fact]
    public void Taking_may_pause_in_the_middle_of_a_start()
    {
        for (var slot = 0; slot < 3; slot++) _schedule.Add(100, slot, fired: false);
        Assert.True(_schedule.TryTakeDue(static _ => true, keep: false, out var first));

        Assert.Equal([0, 1, 2], [first, .. Due(100)]);
    }

    [Fact]
    public void Kept_windows_expire_once_later()
    {
        _schedule.Add(100, 1, fired: false);
        _schedule.Add(200, 2, fired: false);
        Due(200, keep: true);

        Assert.Equal([1], Expired(100));
        Assert.Equal([2], Expired(200));
        Assert.Empty(Expired(300));
    }

    [Fact]
    public void Windows_that_had_fired_before_a_restart_only_expire()
    {
        _schedule.Add(100, 1, fired: true);
        _schedule.Add(100, 2, fired: false);

        Assert.Equal([2], Due(100, keep: true));
        Assert.Equal([1, 2], Expired(100).Order());
    }

    [Fact]
    public void Lists_that_were_used_before_hold_nothing_of_their_past()
    {
        for (var round = 0; round < 50; round++)
        {
            var start = round * 100L;
            _schedule.Add(start, round, fired: false);
            _schedule.Add(start + 1, round + 1000, fired: false);
            Assert.Equal([round, round + 1000], Due(start + 1, keep: round % 2 == 0));
            Assert.Equal(round % 2 == 0 ? [round, round + 1000] : [], Expired(start + 1));
        }
    }

    private List<int> Due(long until, bool keep = false)
    {
        var slots = new List<int>();
        while (_schedule.TryTakeDue(start => start <= until, keep, out var slot)) slots.Add(slot);
        return slots;
    }

    private List<int> Expired(long until)
    {
        var slots = new List<int>();
        while (_schedule.TryTakeExpired(start => start <= until, out var slot)) slots.Add(slot);
        return slots;
    }
}
