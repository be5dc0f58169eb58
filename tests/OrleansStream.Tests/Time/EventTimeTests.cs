using OrleansStream.Time;

namespace OrleansStream.Tests.Time;

public sealed class EventTimeTests
{
    [Theory]
    [InlineData(10, 3, 7)]
    [InlineData(long.MinValue + 3, 3, long.MinValue)]
    [InlineData(long.MinValue + 2, 3, long.MinValue)]
    [InlineData(long.MinValue, 0, long.MinValue)]
    [InlineData(long.MinValue, long.MaxValue, long.MinValue)]
    [InlineData(long.MaxValue, long.MaxValue, 0)]
    public void Subtracting_stops_at_the_beginning(long time, long milliseconds, long expected) => Assert.Equal(expected, EventTime.Minus(time, milliseconds));

    [Theory]
    [InlineData(10, 3, 13)]
    [InlineData(long.MaxValue - 3, 3, long.MaxValue)]
    [InlineData(long.MaxValue - 2, 3, long.MaxValue)]
    [InlineData(long.MaxValue, 0, long.MaxValue)]
    [InlineData(long.MaxValue, long.MaxValue, long.MaxValue)]
    [InlineData(long.MinValue, long.MaxValue, -1)]
    public void Adding_stops_at_the_end(long time, long milliseconds, long expected) => Assert.Equal(expected, EventTime.Plus(time, milliseconds));

    [Fact]
    public void A_time_that_no_calendar_has_is_shown_as_a_number()
    {
        Assert.Equal("none", EventTime.Show(EventTime.Beginning));
        Assert.Equal("end of input", EventTime.Show(EventTime.End));
        Assert.Equal("1970-01-01T00:00:00.001Z", EventTime.Show(1));
        Assert.Equal("0001-01-01T00:00:00.000Z", EventTime.Show(-62_135_596_800_000));
        Assert.Equal("-62135596800001 ms", EventTime.Show(-62_135_596_800_001));
        Assert.Equal("9999-12-31T23:59:59.999Z", EventTime.Show(253_402_300_799_999));
        Assert.Equal("253402300800000 ms", EventTime.Show(253_402_300_800_000));
    }

    [Fact]
    public void A_time_that_no_calendar_has_becomes_the_calendars_nearest()
    {
        Assert.Null(EventTime.ToDateTime(EventTime.Beginning));
        Assert.Equal(DateTimeOffset.MinValue, EventTime.ToDateTime(long.MinValue + 1));
        Assert.Equal(DateTimeOffset.MaxValue, EventTime.ToDateTime(EventTime.End));
        Assert.Equal(DateTimeOffset.UnixEpoch, EventTime.ToDateTime(0));
    }
}
