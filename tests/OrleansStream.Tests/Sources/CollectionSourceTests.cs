using OrleansStream.Jobs;
using OrleansStream.Sources;

namespace OrleansStream.Tests.Sources;

public sealed class CollectionSourceTests
{
    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 3)]
    [InlineData(10, 1)]
    [InlineData(10, 3)]
    public async Task Every_record_is_in_one_split_and_in_order_there(int count, int splits)
    {
        var source = Collections.From(Enumerable.Range(0, count), splits);
        var records = new List<int>();
        foreach (var split in await source.DiscoverAsync(TestContext.Current.CancellationToken))
        {
            var read = (await Reading.SplitAsync(source, split, [], limit: 2)).Records.Select(int.Parse).ToList();
            Assert.Equal(read.Order(), read);
            records.AddRange(read);
        }

        Assert.Equal(Enumerable.Range(0, count), records.Order());
    }

    [Fact]
    public async Task A_restart_at_any_record_goes_on_with_the_next() =>
        Assert.Equal(["a", "b", "c"], (await Reading.CheckEveryRestartAsync(Collections.From(["a", "b", "c"]))).Records);

    [Fact]
    public async Task What_is_added_to_the_list_later_is_not_read()
    {
        var list = new List<int> { 1 };
        var source = Collections.From(list);
        list.Add(2);

        Assert.Equal(["1"], (await Reading.AllAsync(source)).Records);
    }

    [Fact]
    public async Task An_offset_beyond_the_split_is_refused()
    {
        var source = Collections.From([1, 2, 3], splits: 2);
        var split = (await source.DiscoverAsync(TestContext.Current.CancellationToken))[1];

        await Assert.ThrowsAsync<StreamException>(() => Reading.SplitAsync(source, split, NumberedOffset.Encode(2)));
    }
}
