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

        Assert.InRange(_table.EventTimers.QueueCount, 10, 100);
        Assert.Equal(10, _table.EventTimers.Count);
        Assert.Equal(10, Due(long.MaxValue).Count);
    }

    [Fact]
    public void Random_timers_fire_in_the_order_of_time_and_hash_each_once()
    {
        for (var seed = 0; seed < 1000; seed++) Compare(seed, steps: 300, keys: 40);
        Compare(seed: 3, steps: 100_000, keys: 5000);
    }

    [Fact]
    public void Timers_that_a_timer_sets_and_deletes_count_at_once_in_the_order_of_time()
    {
        var (one, two) = (_table.Slot(1), _table.Slot(2));
        foreach (var (slot, at) in new[] { (one, 10L), (two, 20L), (one, 30L) }) _table.EventTimers.Register(slot, at);
        Assert.Equal((one, 10), Pop(100));
        _table.EventTimers.Register(two, 15);
        _table.EventTimers.Register(two, 5);
        _table.EventTimers.Delete(one, 30);

        Assert.Equal([(5, 2), (15, 2), (20, 2)], Due(100));
    }

    private static void Compare(int seed, int steps, int keys)
    {
        var table = new KeyedStateTable<int>("alarm", StateSetup.AllGroups(128), 128, [], StateSetup.Serializers);
        var random = new Random(seed);
        var model = new SortedDictionary<(long At, ulong Hash), int>();
        var now = 0;
        for (var i = 0; i < steps; i++)
        {
            var (key, at) = (random.Next(keys), now + random.Next(-20, 1000));
            var slot = table.Slot(key);
            var hash = KeyCodec<int>.Default.Hash(key);
            if (random.Next(3) == 0) Assert.Equal(model.Remove((at, hash)), table.EventTimers.Delete(slot, at));
            else Assert.Equal(model.TryAdd((at, hash), key), table.EventTimers.Register(slot, at));
            table.ReleaseIfEmpty(slot);
            if (random.Next(10) != 0) continue;
            now += random.Next(20);
            var expected = model.TakeWhile(timer => timer.Key.At <= now).Select(static timer => (timer.Key.At, timer.Value)).ToList();
            var due = Due(table, now);
            if (!expected.SequenceEqual(due)) Assert.Fail($"Seed {seed}, step {i}: {string.Join(' ', due)} fired, not {string.Join(' ', expected)}.");
            foreach (var (firedAt, fired) in due) model.Remove((firedAt, KeyCodec<int>.Default.Hash(fired)));
            Assert.Equal(model.Count, table.EventTimers.Count);
            Assert.Equal(model.Count > 0 ? model.Keys.First().At : null, table.EventTimers.Next);
        }
    }

    private (int Slot, long At) Pop(long now) => _table.EventTimers.TryPopDue(now, out var slot, out var at) ? (slot, at) : (-1, 0);

    private List<(long At, int Key)> Due(long now) => Due(_table, now);

    private static List<(long At, int Key)> Due(KeyedStateTable<int> table, long now)
    {
        var due = new List<(long, int)>();
        while (table.EventTimers.TryPopDue(now, out var slot, out var at))
        {
            due.Add((at, table.KeyOf(slot)));
            table.ReleaseIfEmpty(slot);
        }

        return due;
    }
}
