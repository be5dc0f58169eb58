using System.Globalization;
using OrleansStream.Jobs;
using OrleansStream.Sources;

namespace OrleansStream.Benchmarks.Pacing;

/// <summary>A source of a fixed number of numbered splits whose offsets are numbers.</summary>
/// <param name="splits">How many splits.</param>
/// <param name="open">Opens a split at an offset: 0 at a fresh start.</param>
internal sealed class SplitSource<T>(int splits, Func<int, long, SplitReader<T>> open) : Source<T>
{
    public override ValueTask<IReadOnlyList<SourceSplit>> DiscoverAsync(CancellationToken cancellation) =>
        new([.. Enumerable.Range(0, splits).Select(static split => new SourceSplit(split.ToString(CultureInfo.InvariantCulture), ""))]);

    public override ValueTask<SplitReader<T>> OpenAsync(SourceSplit split, ReadOnlyMemory<byte> offset, CancellationToken cancellation)
    {
        if (!int.TryParse(split.Name, CultureInfo.InvariantCulture, out var number) || number >= splits) throw new StreamException($"There is no split '{split.Name}' of {splits}.");
        return new(open(number, NumberedOffset.Decode(offset.Span, split, 0)));
    }
}
