using System.Globalization;
using OrleansStream.Jobs;

namespace OrleansStream.Sources;

/// <summary>Sources of records that are in memory, for tests and first steps.</summary>
public static class Collections
{
    /// <summary>
    /// Reads records, copied when the source is made. Split s of S has the records s, s + S, s + 2S, … in their order. Replayable, as long as every silo and every start
    /// of the job makes the source of the same records.
    /// </summary>
    /// <param name="records">The records.</param>
    /// <param name="splits">How many splits.</param>
    public static Source<T> From<T>(IEnumerable<T> records, int splits = 1)
    {
        ArgumentNullException.ThrowIfNull(records);
        ArgumentOutOfRangeException.ThrowIfLessThan(splits, 1);
        return new CollectionSource<T>([.. records], splits);
    }
}

internal sealed class CollectionSource<T>(T[] records, int splits) : Source<T>
{
    public override ValueTask<IReadOnlyList<SourceSplit>> DiscoverAsync(CancellationToken cancellation)
    {
        var fingerprint = string.Create(CultureInfo.InvariantCulture, $"{records.Length}");
        var found = new SourceSplit[splits];
        for (var i = 0; i < splits; i++) found[i] = new SourceSplit(SplitName(i), fingerprint);
        return new(found);
    }

    public override ValueTask<SplitReader<T>> OpenAsync(SourceSplit split, ReadOnlyMemory<byte> offset, CancellationToken cancellation)
    {
        for (var i = 0; i < splits; i++)
        {
            if (split.Name == SplitName(i)) return new(new Reader(records, splits, i, NumberedOffset.Decode(offset.Span, split, 0)));
        }

        throw new StreamException($"The collection has no split '{split.Name}': it has {splits}, named '{SplitName(0)}' and so on.");
    }

    private string SplitName(int index) => string.Create(CultureInfo.InvariantCulture, $"{index}-of-{splits}");

    /// <summary>The offset is the index within the split.</summary>
    private sealed class Reader : SplitReader<T>
    {
        private readonly T[] _records;
        private readonly int _step;
        private readonly int _first;
        private readonly long _count;
        private long _next;

        public Reader(T[] records, int splits, int first, long next)
        {
            _records = records;
            _step = splits;
            _first = first;
            _count = first < records.Length ? (records.Length - first - 1) / splits + 1 : 0;
            if (next < 0 || next > _count) throw new StreamException($"The saved offset {next} is not within split {first} of the collection, which has {_count} records.");
            _next = next;
        }

        public override string Position => $"record {_next} of {_count}";

        public override ReadOnlyMemory<byte> SaveOffset() => NumberedOffset.Encode(_next);

        public override ReadStatus Read(SourceOutput<T> output)
        {
            for (; _next < _count && !output.IsFull; _next++) output.Add(_records[_first + _next * _step]);
            return _next < _count ? ReadStatus.More : ReadStatus.Ended;
        }
    }
}
