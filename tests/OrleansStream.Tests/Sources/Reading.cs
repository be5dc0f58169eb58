using OrleansStream.Sources;

namespace OrleansStream.Tests.Sources;

/// <summary>What was read of a split: records and side records in order, as text.</summary>
internal sealed record Read(List<string> Records, List<string> Side, byte[] Offset)
{
    public List<string> All => [.. Records, .. Side];
}

/// <summary>Reads splits as the engine does.</summary>
internal static class Reading
{
    /// <summary>Reads one split from an offset, at most <paramref name="limit"/> records at a time, to the end or until so many reads were made.</summary>
    public static async Task<Read> SplitAsync<T>(Source<T> source, SourceSplit split, byte[] offset, int limit = 1024, int reads = int.MaxValue)
    {
        await using var reader = await source.OpenAsync(split, offset, TestContext.Current.CancellationToken);
        var output = new SourceOutput<T>(Math.Max(limit, 1));
        List<string> records = [], side = [];
        var status = ReadStatus.More;
        for (var i = 0; i < reads && status != ReadStatus.Ended; i++)
        {
            output.Begin(limit);
            status = reader.Read(output);
            foreach (var value in output.Values) records.Add($"{value}");
            foreach (var bad in output.Side) side.Add($"{bad}");
        }

        return new Read(records, side, reader.SaveOffset().ToArray());
    }

    public static async Task<Read> AllAsync<T>(Source<T> source)
    {
        List<string> records = [], side = [];
        foreach (var split in await source.DiscoverAsync(TestContext.Current.CancellationToken))
        {
            var read = await SplitAsync(source, split, []);
            records.AddRange(read.Records);
            side.AddRange(read.Side);
        }

        return new Read(records, side, []);
    }

    /// <summary>Checks for every k: k reads of one record each, the offset saved, another reader opened there = the unbroken read.</summary>
    public static async Task<Read> CheckEveryRestartAsync<T>(Source<T> source)
    {
        var split = Assert.Single(await source.DiscoverAsync(TestContext.Current.CancellationToken));
        var unbroken = await SplitAsync(source, split, []);
        for (var k = 0; k <= unbroken.Records.Count + unbroken.Side.Count + 1; k++)
        {
            var first = await SplitAsync(source, split, [], limit: 1, reads: k);
            var second = await SplitAsync(source, split, first.Offset);
            Assert.Equal(unbroken.Records, [.. first.Records, .. second.Records]);
            Assert.Equal(unbroken.Side, [.. first.Side, .. second.Side]);
        }

        return unbroken;
    }
}
