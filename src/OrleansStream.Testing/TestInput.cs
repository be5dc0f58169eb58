using System.Buffers.Binary;
using System.Globalization;
using OrleansStream.Sources;

namespace OrleansStream.Testing;

/// <summary>
/// A source that a test feeds: records with their times, watermarks and idleness, in the order given, in one split or several. Nothing is read before the harness runs; what was
/// given stays, so that the same input can be read again after a crash, or by another harness from the beginning.
/// </summary>
/// <remarks>
/// Behind it no <c>WithTimestamps</c> is needed: its watermarks are those of <see cref="Watermark"/>. Where the graph has one, watermarks begin there, and those given here
/// are not heard.
/// </remarks>
/// <typeparam name="T">The type of a record.</typeparam>
public sealed class TestInput<T> : Source<T>, ITimedSource
{
    private readonly List<Item>[] _splits;

    /// <summary>Makes an empty input.</summary>
    /// <param name="splits">How many splits it has. They are shared among the source's subtasks, and their records are in no order between them.</param>
    public TestInput(int splits = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(splits, 1);
        _splits = [.. Enumerable.Range(0, splits).Select(static _ => new List<Item>())];
    }

    /// <summary>How many splits it has.</summary>
    public int Splits => _splits.Length;

    /// <summary>Gives a record with its event time.</summary>
    /// <param name="record">The record.</param>
    /// <param name="timestamp">Milliseconds since 1970.</param>
    /// <param name="split">The split, from 0.</param>
    public void Add(T record, long timestamp, int split = 0) => Put(split, new Item(ItemKind.Record, record, timestamp));

    /// <summary>Gives a record without a time, for graphs that read it from the record.</summary>
    public void Add(T record) => Add(record, SourceOutput<T>.NoTimestamp);

    /// <summary>Says that no record at or before a time follows. One that is not above an earlier one changes nothing.</summary>
    /// <param name="timestamp">Milliseconds since 1970.</param>
    /// <param name="split">The split, from 0; all splits when null.</param>
    public void Watermark(long timestamp, int? split = null) => PutAll(split, new Item(ItemKind.Watermark, default!, timestamp));

    /// <summary>Says that nothing is to be expected before the next record: the split holds back no watermark until then.</summary>
    /// <param name="split">The split, from 0; all splits when null.</param>
    public void Idle(int? split = null) => PutAll(split, new Item(ItemKind.Idle, default!, 0));

    /// <summary>Ends the input: nothing can be given any more.</summary>
    /// <param name="split">The split, from 0; all splits when null.</param>
    public void End(int? split = null) => PutAll(split, new Item(ItemKind.End, default!, 0));

    /// <inheritdoc/>
    public override ValueTask<IReadOnlyList<SourceSplit>> DiscoverAsync(CancellationToken cancellation) =>
        new([.. Enumerable.Range(0, _splits.Length).Select(static split => new SourceSplit(split.ToString(CultureInfo.InvariantCulture), ""))]);

    /// <inheritdoc/>
    public override ValueTask<SplitReader<T>> OpenAsync(SourceSplit split, ReadOnlyMemory<byte> offset, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(split);
        var items = _splits[int.Parse(split.Name, CultureInfo.InvariantCulture)];
        return new(new Reader(items, offset.IsEmpty ? 0 : BinaryPrimitives.ReadInt32LittleEndian(offset.Span)));
    }

    private void PutAll(int? split, Item item)
    {
        for (var index = 0; index < _splits.Length; index++)
        {
            // Ending all of them passes over those that have ended.
            if (split is { } one ? one == index : item.Kind != ItemKind.End || !HasEnded(index)) Put(index, item);
        }
    }

    private void Put(int split, Item item)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(split);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(split, _splits.Length);
        if (HasEnded(split)) throw new InvalidOperationException($"Split {split} of the test input has ended; nothing can follow.");
        _splits[split].Add(item);
    }

    private bool HasEnded(int split) => _splits[split] is [.., { Kind: ItemKind.End }];

    private enum ItemKind
    {
        Record,
        Watermark,
        Idle,
        End,
    }

    private readonly record struct Item(ItemKind Kind, T Record, long Time);

    private sealed class Reader : SplitReader<T>, ITimedSplit
    {
        private readonly List<Item> _items;
        private int _next;

        public Reader(List<Item> items, int next)
        {
            _items = items;
            for (var passed = 0; passed < next; passed++) Pass(items[passed]);
            _next = next;
        }

        public long Watermark { get; private set; } = long.MinValue;

        public bool IsIdle { get; private set; }

        public override string Position => string.Create(CultureInfo.InvariantCulture, $"item {_next} of the test input");

        public override ReadOnlyMemory<byte> SaveOffset()
        {
            var bytes = new byte[sizeof(int)];
            BinaryPrimitives.WriteInt32LittleEndian(bytes, _next);
            return bytes;
        }

        public override ReadStatus Read(SourceOutput<T> output)
        {
            // Records, then the marks behind them: the marks leave behind those records and before the next.
            while (_next < _items.Count && _items[_next].Kind == ItemKind.Record)
            {
                if (output.IsFull) return ReadStatus.More;
                output.Add(_items[_next].Record, _items[_next].Time);
                Pass(_items[_next++]);
            }

            while (_next < _items.Count && _items[_next].Kind is ItemKind.Watermark or ItemKind.Idle) Pass(_items[_next++]);
            if (_next == _items.Count) return ReadStatus.Waiting;
            return _items[_next].Kind == ItemKind.End ? ReadStatus.Ended : ReadStatus.More;
        }

        private void Pass(Item item)
        {
            if (item.Kind == ItemKind.Watermark) Watermark = Math.Max(Watermark, item.Time);
            if (item.Kind is not ItemKind.End) IsIdle = item.Kind == ItemKind.Idle;
        }
    }
}
