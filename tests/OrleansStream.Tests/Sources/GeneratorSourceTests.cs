using OrleansStream.Jobs;
using OrleansStream.Sources;

namespace OrleansStream.Tests.Sources;

public sealed class GeneratorSourceTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    public async Task The_records_of_all_splits_are_the_same_whatever_their_number(int splits)
    {
        var read = await Reading.AllAsync(Generator.Of(n => n * n, count: 11, splits: splits));

        Assert.Equal(Enumerable.Range(0, 11).Select(n => (long)n * n), read.Records.Select(long.Parse).Order());
    }

    [Fact]
    public async Task Splits_have_names_of_their_own_that_hold_their_number()
    {
        var two = await Generator.Of(n => n, count: 3, splits: 2).DiscoverAsync(Cancellation);

        Assert.Equal(["0-of-2", "1-of-2"], two.Select(s => s.Name));
        Assert.Equal(two, await Generator.Of(n => n, count: 3, splits: 2).DiscoverAsync(Cancellation));
        Assert.NotEqual(two[0].Fingerprint, (await Generator.Of(n => n, count: 4, splits: 2).DiscoverAsync(Cancellation))[0].Fingerprint);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(10)]
    public async Task A_restart_at_any_record_goes_on_with_the_next(int count)
    {
        var read = await Reading.CheckEveryRestartAsync(Generator.Of(n => n, count));

        Assert.Equal(count, read.Records.Count);
    }

    [Fact]
    public async Task A_restart_of_the_second_of_three_splits_goes_on_with_its_next_record()
    {
        var source = Generator.Of(n => n, splits: 3);
        var split = (await source.DiscoverAsync(Cancellation))[1];

        var first = await Reading.SplitAsync(source, split, [], limit: 2, reads: 1);
        var second = await Reading.SplitAsync(source, split, first.Offset, limit: 2, reads: 2);

        Assert.Equal(["1", "4", "7", "10", "13", "16"], [.. first.Records, .. second.Records]);
    }

    [Fact]
    public async Task A_read_fills_no_more_than_its_limit_and_timestamps_are_those_of_the_function()
    {
        var source = Generator.Of(n => n, timestamp: n => 1000 * n, splits: 2);
        await using var reader = await source.OpenAsync((await source.DiscoverAsync(Cancellation))[0], default, Cancellation);
        var output = new SourceOutput<long>(100);
        output.Begin(3);

        Assert.Equal(ReadStatus.More, reader.Read(output));

        Assert.Equal([0, 2, 4], output.Values.ToArray());
        Assert.Equal([0, 2000, 4000], output.Timestamps.ToArray());
        Assert.Equal("record 6", reader.Position);
    }

    [Fact]
    public async Task Numbers_do_not_overflow_at_the_end_of_their_range()
    {
        var source = Generator.Of(n => n, splits: 3);
        var split = (await source.DiscoverAsync(Cancellation))[1];
        var read = await Reading.SplitAsync(source, split, NumberedOffset.Encode(long.MaxValue - 3), limit: 2, reads: 5);

        Assert.Equal([$"{long.MaxValue - 3}"], read.Records);
    }

    [Fact]
    public async Task An_offset_of_another_split_or_source_is_refused()
    {
        var source = Generator.Of(n => n, splits: 3);
        var split = (await source.DiscoverAsync(Cancellation))[1];

        foreach (var offset in new[] { NumberedOffset.Encode(3), NumberedOffset.Encode(-2), [1] })
            await Assert.ThrowsAsync<StreamException>(() => Reading.SplitAsync(source, split, offset));
        await Assert.ThrowsAsync<StreamException>(() => Reading.SplitAsync(source, new SourceSplit("1-of-2", ""), []));
    }

    [Fact]
    public async Task An_error_of_the_function_names_the_record()
    {
        var source = Generator.Of<int>(n => n < 3 ? 0 : throw new InvalidOperationException("a bug"));

        Assert.Contains("record 3: InvalidOperationException: a bug", (await Assert.ThrowsAsync<StreamException>(() => Reading.AllAsync(source))).Message);
    }
}
