using System.Numerics;
using OrleansStream.Checkpoints;

namespace OrleansStream.Tests.Checkpoints;

public sealed class EndFinderTests
{
    [Fact]
    public void The_end_is_found_in_a_log_of_any_length_with_all_trimmed_that_may_be()
    {
        var log = new ModelLog();
        for (var length = 0; length < 3000; length++)
        {
            Assert.Equal(length, Find(log, static () => { }));
            log.Append();
            log.Trim();
        }
    }

    [Fact]
    public void The_end_is_found_in_a_log_that_was_never_trimmed()
    {
        var log = new ModelLog();
        for (var length = 0; length < 600; length++)
        {
            Assert.Equal(length, Find(log, static () => { }));
            log.Append();
        }
    }

    [Fact]
    public void While_the_log_grows_and_is_trimmed_the_end_found_is_one_that_was()
    {
        var grew = 0;
        for (var seed = 0; seed < 20_000; seed++)
        {
            var random = new Random(seed);
            var log = new ModelLog();
            for (var i = random.Next(70); i > 0; i--) log.Append();
            var before = log.Length;
            var end = Find(log, () =>
            {
                for (var i = random.Next(3) == 0 ? random.Next(6) : 0; i > 0; i--) log.Append();
                if (random.Next(2) == 0) log.Trim();
                if (random.Next(8) == 0) log.FillAHole(random);
            });
            Assert.True(end >= before && end <= log.Length, $"Seed {seed}: found {end}; the end was {before} at first and {log.Length} at last.");
            if (log.Length > before) grew++;
        }

        Assert.True(grew > 10_000, $"The log grew in {grew} runs only.");
    }

    [Fact]
    public void A_trimmed_log_holds_few_entries_and_is_searched_with_few_reads()
    {
        var log = new ModelLog();
        for (var length = 1; length <= 20_000; length++)
        {
            log.Append();
            log.Trim();
            Assert.True(log.Count <= 2 * (BitOperations.Log2((uint)length) + 1), $"{log.Count} entries of {length} are left.");
        }

        var reads = 0;
        Find(log, () => reads++);
        Assert.InRange(reads, 1, 50);
    }

    [Fact]
    public void An_entry_is_released_when_the_log_is_as_long_as_the_next_position_above_it()
    {
        var released = new Dictionary<long, long>();
        for (long last = 0; last < 5000; last++)
        {
            foreach (var position in LogTrimming.ReleasedBy(last)) released.Add(position, last);
        }

        for (long position = 0; position < 2500; position++)
        {
            var above = LogTrimming.Above(position);
            if (LogTrimming.IsAnchor(position)) Assert.False(released.ContainsKey(position), $"{position} is an anchor.");
            else if (above < 5000) Assert.Equal(above, released[position]);
        }
    }

    private static long Find(ModelLog log, Action meanwhile)
    {
        var finder = new EndFinder();
        while (!finder.IsDone)
        {
            finder.Answer(log.Exists(finder.Probe));
            meanwhile();
        }

        return finder.End;
    }

    private sealed class ModelLog
    {
        private readonly HashSet<long> _there = [];
        private readonly List<long> _released = [];

        public long Length { get; private set; }

        public int Count => _there.Count;

        public bool Exists(long position) => _there.Contains(position);

        public void Append()
        {
            _released.AddRange(LogTrimming.ReleasedBy(Length));
            _there.Add(Length++);
        }

        public void Trim()
        {
            foreach (var position in _released) _there.Remove(position);
            _released.Clear();
        }

        public void FillAHole(Random random)
        {
            if (Length > 0) _there.Add(random.NextInt64(Length));
        }
    }
}
