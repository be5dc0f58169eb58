using OrleansStream.State;

namespace OrleansStream.Tests.State;

/// <summary>Random work on queues of small blocks, held against a sorted set.</summary>
public sealed class TimerQueueTests
{
    [Fact]
    public void A_queue_gives_its_items_in_the_order_of_time_and_hash_whatever_came_and_went()
    {
        for (var seed = 0; seed < 1000; seed++)
        {
            var run = new Run(seed);
            try
            {
                run.AllSteps();
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"Seed {seed}: {e.Message}", e);
            }
        }
    }

    [Fact]
    public void Items_that_are_all_alike_cost_no_more_than_others()
    {
        var queue = new TimerQueue();
        for (var i = 0; i < 200_000; i++) queue.Add(new TimerHeap.Item(5, 7, i));
        queue.Add(new TimerHeap.Item(6, 0, -1));
        for (var i = 0; i < 200_000; i++) queue.Add(new TimerHeap.Item(6, 1, i));
        for (var i = 0; i < 200_000; i++) Assert.Equal(5, queue.TakeFirst().At);

        Assert.Equal(-1, queue.TakeFirst().Entry);
        Assert.Equal(200_000, queue.Count);
    }

    [Fact]
    public void A_queue_that_was_filled_at_once_gives_all_in_order()
    {
        var random = new Random(5);
        var items = Enumerable.Range(0, 200_000).Select(entry => new TimerHeap.Item(random.Next(50_000), (ulong)random.NextInt64(long.MaxValue), entry)).ToArray();
        var expected = items.OrderBy(static item => item.At).ThenBy(static item => item.Hash).ToList();
        var queue = new TimerQueue();
        queue.Load(items);

        Assert.Equal(expected.Count, queue.Count);
        foreach (var item in expected) Assert.Equal(item, queue.TakeFirst());
        Assert.Equal(0, queue.Count);
    }

    [Fact]
    public void Alike_items_that_came_at_once_cost_no_more_than_others()
    {
        var queue = new TimerQueue();
        queue.Load([.. Enumerable.Range(0, 300_000).Select(static entry => new TimerHeap.Item(5 + (entry % 3), 7, entry))]);
        for (var i = 0; i < 300_000; i++) Assert.Equal(5 + (i / 100_000), queue.TakeFirst().At);
    }

    private sealed class Run(int seed)
    {
        private static readonly Comparer<TimerHeap.Item> Order = Comparer<TimerHeap.Item>.Create(static (left, right) => Key(left).CompareTo(Key(right)));

        private readonly Random _random = new(seed);
        private readonly TimerQueue _queue = new(2 + (seed % 7));
        private readonly SortedSet<TimerHeap.Item> _model = new(Order);
        private readonly int _pattern = seed % 5;
        private int _entry;

        public void AllSteps()
        {
            if (seed % 3 == 0) Load(_random.Next(400));
            for (var step = 0; step < 400; step++)
            {
                switch (_random.Next(10))
                {
                    case < 6: Add(step); break;
                    case < 9: Take(1 + _random.Next(3)); break;
                    default: Drop(); break;
                }

                Assert.Equal(_model.Count, _queue.Count);
                if (_model.Count > 0) Assert.Equal(Key(_model.Min), Key(_queue.First));
            }

            Take(_model.Count);
        }

        private static (long, ulong, int) Key(TimerHeap.Item item) => (item.At, item.Hash, 0);

        /// <summary>Ever later, ever earlier, a few times, far and wide, and before all that was taken.</summary>
        private void Add(int step)
        {
            for (var more = _random.Next(1, 12); more > 0; more--)
            {
                var item = new TimerHeap.Item(NextTime(step, more), (ulong)_random.NextInt64(long.MaxValue), _entry++);
                if (_model.Add(item)) _queue.Add(item);
            }
        }

        private long NextTime(int step, int more) => _pattern switch
        {
            0 => (step * 20L) + more,
            1 => -(step * 20L) + more,
            2 => _random.Next(3),
            3 => _random.NextInt64(long.MinValue, long.MaxValue),
            _ => _random.Next(2) == 0 ? step + 1000 : _random.Next(step + 1),
        };

        private void Load(int count)
        {
            for (; count > 0; count--) _model.Add(new TimerHeap.Item(NextTime(0, count), (ulong)_random.NextInt64(long.MaxValue), _entry++));
            var items = _model.ToArray();
            _random.Shuffle(items);
            _queue.Load(items);
        }

        private void Take(int count)
        {
            for (; count > 0 && _model.Count > 0; count--)
            {
                var expected = _model.Min;
                Assert.Equal(expected, _queue.TakeFirst());
                _model.Remove(expected);
            }
        }

        private void Drop()
        {
            var left = _random.Next(10);
            _model.RemoveWhere(item => item.Entry % 10 >= left);
            _queue.Rebuild(item => item.Entry % 10 < left);
        }
    }
}
