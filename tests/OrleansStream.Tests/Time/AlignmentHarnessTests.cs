using OrleansStream.Testing;
using OrleansStream.Time;

namespace OrleansStream.Tests.Time;

/// <summary>Fast and slow inputs of one alignment group in a whole job.</summary>
public sealed class AlignmentHarnessTests
{
    private readonly TestInput<long> _fast = new();
    private readonly TestInput<long> _slow = new(splits: 2);
    private readonly TestOutput<long> _output = new();

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_source_that_is_ahead_waits_until_the_slowest_split_of_the_other_has_come_closer(int parallelism)
    {
        await using var harness = await StartAsync(parallelism);
        // A read takes 1,024 records at most: the first is beyond the drift, and the rest waits.
        for (var n = 1; n <= 3000; n++) _fast.Add(n, n);
        await harness.RunAsync();
        Assert.Equal(1024, _output.Take().Count);

        _slow.Add(500, 500, split: 0);
        await harness.RunAsync();
        Assert.Equal([500], _output.Take().Select(static record => record.Value));
        _slow.Add(922, 922, split: 1);
        _slow.Add(923, 923, split: 0);
        await harness.RunAsync();
        Assert.Equal([922, 923], _output.Take().Select(static record => record.Value));
        _slow.Add(924, 924, split: 1);
        _slow.Add(924, 924, split: 0);
        await harness.RunAsync();
        Assert.Equal(2 + 1024, _output.Take().Count);
        _slow.End();
        _fast.End();
        await harness.RunAsync();

        Assert.True(harness.HasEnded);
        Assert.Equal(3000 - 2048, _output.Take().Count);
    }

    [Fact]
    public async Task A_restored_job_goes_on_waiting_where_it_waited()
    {
        await using var harness = await StartAsync(2);
        for (var n = 1; n <= 3000; n++) _fast.Add(n, n);
        await harness.RestoreAsync(1);
        await harness.RestoreAsync(3);
        await harness.RunAsync();
        Assert.Equal(1024, _output.Take().Count);

        _slow.Add(1500, 1500);
        _slow.End(split: 1);
        await harness.RunAsync();
        Assert.Equal(1 + 1024, _output.Take().Count);
    }

    [Fact]
    public async Task An_input_that_is_idle_is_not_waited_for_and_one_that_waits_is_not_idle()
    {
        await using var harness = await StartAsync(1, idleAfter: 100);
        for (var n = 1; n <= 3000; n++) _fast.Add(n, n);
        await harness.AdvanceProcessingTimeAsync(99);
        Assert.Equal(1024, _output.Take().Count);
        await harness.AdvanceProcessingTimeAsync(100);
        Assert.Equal(3000 - 1024, _output.Take().Count);
    }

    [Fact]
    public async Task An_idle_input_that_comes_back_behind_is_waited_for_again()
    {
        await using var harness = await StartAsync(1, idleAfter: 100);
        for (var n = 1; n <= 1500; n++) _fast.Add(n, n);
        await harness.AdvanceProcessingTimeAsync(100);
        Assert.Equal(1500, _output.Take().Count);
        _slow.Add(100, 100);
        await harness.RunAsync();
        for (var n = 1501; n <= 1600; n++) _fast.Add(n, n);
        await harness.RunAsync();
        Assert.Equal([100], _output.Take().Select(static record => record.Value));
        await harness.AdvanceProcessingTimeAsync(200);

        Assert.Equal(100, _output.Take().Count);
    }

    private Task<JobHarness> StartAsync(int parallelism, int? idleAfter = null) => JobHarness.StartAsync(
        graph =>
        {
            var strategy = WatermarkStrategy.Monotonous<long>().WithAlignment("both", TimeSpan.FromMilliseconds(100));
            if (idleAfter is { } after) strategy = strategy.WithIdleness(TimeSpan.FromMilliseconds(after));
            graph.From("fast", _fast).WithTimestamps(strategy).Merge(graph.From("slow", _slow).WithTimestamps(strategy)).To("out", _output);
        },
        new HarnessOptions { Parallelism = parallelism });
}
