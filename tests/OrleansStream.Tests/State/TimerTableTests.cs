using OrleansStream.State;

namespace OrleansStream.Tests.State;

public sealed class TimerTableTests
{
    private readonly KeyedStateTable<int> _table = new("alarm", StateSetup.AllGroups(128), 128, [], StateSetup.Serializers);

    [Fact]
    public void A_timer_registered_twice_fires_once()
    {
        var slot = _table.Slot(1);
        Assert.True(_table.EventTimers.Register(slot, 5));
        Assert.False(_table.EventTimers.Register(slot, 5));
        Assert.Equal([(5, 1)], Due(5));
    }

    [Fact]
    public void A_deleted_timer_does_not_fire_and_can_be_registered_again()
    {
        var slot = _table.Slot(1);
        _table.EventTimers.Register(slot, 5);
        Assert.True(_table.EventTimers.Delete(slot, 5));
        Assert.False(_table.EventTimers.Delete(slot, 5));
        Assert.Null(_table.EventTimers.Next);
        _table.EventTimers.Register(slot, 5);
        _table.EventTimers.Delete(slot, 5);
        _table.EventTimers.Register(slot, 5);
        Assert.Equal([(5, 1)], Due(9));
    }

    [Fact]
    public void Timers_of_one_time_fire_in_an_order_that_does_not_depend_on_registration()
    {
        for (var key = 0; key < 100; key++) _table.EventTimers.Register(_table.Slot(key), 5);
        var order = Due(5);
        for (var key = 99; key >= 0; key--) _table.EventTimers.Register(_table.Slot(key), 5);
        Assert.Equal(order, Due(5));
        Assert.Equal(100, order.Distinct().Count());
    }

    [Fact]
    public void Nothing_fires_before_its_time()
    {
        _table.EventTimers.Register(_table.Slot(1), 5);
        Assert.Empty(Due(4));
        Assert.Equal(5, _table.EventTimers.Next);
    }

    [Fact]
    public void Event_time_and_processing_time_are_apart()
    {
        _table.EventTimers.Register(_table.Slot(1), 5);
        Assert.Null(_table.ProcessingTimers.Next);
        Assert.False(_table.ProcessingTimers.Delete(_table.Slot(1), 5));
    }

    [Fact]
    public void A_timer_pushed_ahead_a_million_times_leaves_no_pile_of_leftovers()
    {
        for (var key = 0; key < 10; key++) _table.EventTimers.Register(_table.Slot(key), 0);
        for (var i = 0; i < 1_000_000; i++)
        {
            var slot = _table.Slot(i % 10);
            _table.EventTimers.Register(slot, (i / 10) + 1);
            _table.EventTimers.Delete(slot, i / 10);
        }

        Assert.InRange(_table.EventTimers.HeapCount, 10, 100);
        Assert.Equal(10, _table.EventTimers.Count);
        Assert.Equal(10, Due(long.MaxValue).Count);
    }

    [Fact]
    public void Random_timers_fire_in_order_of_time_each_once()
    {
        var random = new Random(3);
        var model = new SortedSet<(long At, int Key)>();
        var now = 0;
        for (var i = 0; i < 100_000; i++)
        {
            var (key, at) = (random.Next(500), now + random.Next(1000));
            var slot = _table.Slot(key);
            if (random.Next(4) == 0) Assert.Equal(model.Remove((at, key)), _table.EventTimers.Delete(slot, at));
            else Assert.Equal(model.Add((at, key)), _table.EventTimers.Register(slot, at));
            if (random.Next(10) != 0) continue;
            now += random.Next(5);
            var due = Due(now);
            var expected = model.Where(t => t.At <= now).ToList();
            Assert.Equal(expected.Select(t => t.At), due.Select(t => t.At));
            Assert.Equal(expected, due.Order());
            model.ExceptWith(expected);
            Assert.Equal(model.Count, _table.EventTimers.Count);
        }
    }

    private List<(long At, int Key)> Due(long now)
    {
        var due = new List<(long, int)>();
        while (_table.EventTimers.TryPopDue(now, out var slot, out var at))
        {
            due.Add((at, _table.KeyOf(slot)));
            _table.ReleaseIfEmpty(slot);
        }

        return due;
    }
}
