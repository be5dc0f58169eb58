using OrleansStream.Sources;

namespace OrleansStream.Tests.Sources;

public sealed class RateLimitTests
{
    [Fact]
    public void Without_a_rate_everything_is_allowed_and_nothing_is_awaited()
    {
        var limit = new RateLimit(null);

        Assert.Equal(1024, limit.Allowance(0, 1024));
        limit.Used(1024);
        Assert.Equal(1024, limit.Allowance(0, 1024));
        Assert.Null(limit.NextAt(0));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(250)]
    [InlineData(10_000)]
    [InlineData(1_500_000)]
    public void Over_a_minute_the_rate_is_kept_and_used(int rate)
    {
        var limit = new RateLimit(rate);
        var read = 0L;
        for (var now = 0; now <= 60_000; now++)
        {
            while (limit.Allowance(now, 1024) is > 0 and var allowed)
            {
                limit.Used(allowed);
                read += allowed;
            }
        }

        Assert.InRange(read, rate * 60L - 1, rate * 60L + 1);
    }

    [Fact]
    public void The_first_record_may_be_read_at_once()
    {
        Assert.Equal(1, new RateLimit(0.01).Allowance(0, 1024));
    }

    [Fact]
    public void What_was_not_used_for_long_is_lost_but_for_a_tenth_of_a_second()
    {
        var limit = new RateLimit(1000);
        limit.Used(limit.Allowance(0, 1024));

        Assert.Equal(100, limit.Allowance(3_600_000, 1024));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(700)]
    public void At_the_announced_time_a_record_is_allowed_and_a_millisecond_before_it_is_not(int rate)
    {
        var limit = new RateLimit(rate);
        var now = 0L;
        for (var record = 0; record < 50; record++)
        {
            limit.Used(limit.Allowance(now, 1));
            while (limit.Allowance(now, 1) > 0) limit.Used(1);
            var next = limit.NextAt(now)!.Value;
            Assert.True(next > now, $"record {record} is announced for {next} at {now}");
            Assert.Equal(0, limit.Allowance(next - 1, 1));
            Assert.Equal(1, limit.Allowance(next, 1));
            now = next;
        }
    }
}
