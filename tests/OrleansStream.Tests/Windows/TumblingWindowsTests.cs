using OrleansStream.Windows;

namespace OrleansStream.Tests.Windows;

public sealed class TumblingWindowsTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(999, 0)]
    [InlineData(1000, 1000)]
    [InlineData(-1, -1000)]
    [InlineData(-1000, -1000)]
    [InlineData(-1001, -2000)]
    public void Windows_are_aligned_to_1970_before_it_too(long timestamp, long start) =>
        Assert.Equal(start, TumblingWindows.Of(TimeSpan.FromSeconds(1)).StartOf(timestamp));

    [Theory]
    [InlineData(0, -700)]
    [InlineData(299, -700)]
    [InlineData(300, 300)]
    [InlineData(1299, 300)]
    [InlineData(-701, -1700)]
    [InlineData(-700, -700)]
    public void An_offset_shifts_where_windows_begin(long timestamp, long start) =>
        Assert.Equal(start, TumblingWindows.Of(TimeSpan.FromSeconds(1), TimeSpan.FromMilliseconds(300)).StartOf(timestamp));

    [Fact]
    public void Each_time_is_in_the_one_window_that_an_exact_division_gives()
    {
        var random = new Random(7);
        for (var round = 0; round < 20_000; round++)
        {
            var size = random.Next(4) == 0 ? random.NextInt64(1, 900_000_000_000_000) : random.Next(1, 100_000);
            var offset = random.NextInt64(size);
            var timestamp = random.Next(4) == 0 ? random.NextInt64(long.MinValue, long.MaxValue) : random.NextInt64(-1_000_000, 1_000_000);
            var windows = TumblingWindows.Of(TimeSpan.FromTicks(size * TimeSpan.TicksPerMillisecond), TimeSpan.FromTicks(offset * TimeSpan.TicksPerMillisecond));

            var quotient = System.Numerics.BigInteger.DivRem((System.Numerics.BigInteger)timestamp - offset, size, out var remainder);
            var exact = (remainder < 0 ? quotient - 1 : quotient) * size + offset;
            Assert.Equal(exact < long.MinValue ? long.MinValue : (long)exact, windows.StartOf(timestamp));
            Assert.Equal(exact + size > long.MaxValue ? long.MaxValue : (long)(exact + size), windows.EndOf(windows.StartOf(timestamp)));
        }
    }

    [Fact]
    public void The_first_window_of_all_ends_where_the_second_begins()
    {
        var windows = TumblingWindows.Of(TimeSpan.FromDays(1), TimeSpan.FromHours(5));
        var end = windows.EndOf(windows.StartOf(long.MinValue + 1));

        Assert.Equal(end, windows.StartOf(end));
        Assert.Equal(end - 1, windows.LastOf(windows.StartOf(end - 1)));
    }

    [Theory]
    [InlineData(long.MinValue + 1)]
    [InlineData(long.MaxValue - 1)]
    public void At_the_ends_of_time_a_window_does_not_wrap(long timestamp)
    {
        var start = TumblingWindows.Of(TimeSpan.FromDays(1), TimeSpan.FromHours(5)).StartOf(timestamp);

        Assert.InRange(start, Math.Max(long.MinValue + 86_400_000, timestamp) - 86_400_000, timestamp);
    }

    [Theory]
    [InlineData(0, 0, "whole number of milliseconds")]
    [InlineData(-10_000, 0, "whole number of milliseconds")]
    [InlineData(15_000, 0, "whole number of milliseconds")]
    [InlineData(10_000, 10_000, "offset")]
    [InlineData(10_000, -10_000, "offset")]
    [InlineData(100_000, 15_000, "offset")]
    public void Impossible_windows_say_what_is_wrong(long sizeTicks, long offsetTicks, string problem) =>
        Assert.Contains(problem, TumblingWindows.Of(TimeSpan.FromTicks(sizeTicks), TimeSpan.FromTicks(offsetTicks)).Problem, StringComparison.Ordinal);

    [Fact]
    public void The_largest_window_is_possible()
    {
        var windows = TumblingWindows.Of(TimeSpan.FromMilliseconds(TimeSpan.MaxValue.Ticks / TimeSpan.TicksPerMillisecond));

        Assert.Null(windows.Problem);
        Assert.Equal(TimeSpan.MaxValue.Ticks / TimeSpan.TicksPerMillisecond, windows.SizeMilliseconds);
    }
}
