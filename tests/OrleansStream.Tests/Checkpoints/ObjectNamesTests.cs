using OrleansStream.Checkpoints;
using OrleansStream.Jobs;

namespace OrleansStream.Tests.Checkpoints;

public sealed class ObjectNamesTests
{
    [Fact]
    public void Names_say_job_attempt_and_number()
    {
        Assert.Equal("jobs/pay/attempts/00000002/log/000000000017", ObjectNames.LogEntry("pay", new Attempt(2), 17));
        Assert.Equal("jobs/pay/attempts/00000002/manifests/000000000003", ObjectNames.Manifest("pay", Samples.Id(2, 3)));
        Assert.Equal("jobs/pay/attempts/00000002/segments/000000000003-score-7-000000000000beef", ObjectNames.Segment("pay", Samples.Id(2, 3), "score", 7, new Incarnation(0xbeef)));
    }

    [Fact]
    public void Every_name_is_one_that_stores_take()
    {
        StoreNames.Require(ObjectNames.LogEntry("pay", new Attempt(int.MaxValue), long.MaxValue));
        StoreNames.Require(ObjectNames.Segment("pay", Samples.Id(int.MaxValue, long.MaxValue), "score", int.MaxValue, new Incarnation(-1)));
        StoreNames.RequirePrefix(ObjectNames.Attempts("pay"));
    }

    [Fact]
    public void What_a_name_says_is_read_back()
    {
        Assert.Equal((new Attempt(123_456_789), 17L), ObjectNames.LogEntryOf("pay", ObjectNames.LogEntry("pay", new Attempt(123_456_789), 17)));
        Assert.Null(ObjectNames.LogEntryOf("pay", ObjectNames.Manifest("pay", Samples.Id(1, 1))));
        Assert.Equal(new Attempt(4), ObjectNames.AttemptOf("pay", ObjectNames.Manifest("pay", Samples.Id(4, 1))));
        Assert.Null(ObjectNames.AttemptOf("pay", ObjectNames.Manifest("payments", Samples.Id(4, 1))));
        Assert.Null(ObjectNames.AttemptOf("pay", "jobs/pay/attempts/00000000/log/1"));
        Assert.Null(ObjectNames.AttemptOf("pay", "jobs/pay/attempts/+1/log/1"));
        Assert.False(ObjectNames.BelongsToCheckpoint("pay", ObjectNames.LogEntry("pay", new Attempt(1), 0)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("Pay")]
    [InlineData("a/b")]
    [InlineData("..")]
    [InlineData("a.b")]
    public void A_job_or_stage_that_cannot_be_part_of_a_name_is_refused(string part)
    {
        Assert.Throws<ArgumentException>(() => ObjectNames.Attempts(part));
        Assert.Throws<ArgumentException>(() => ObjectNames.Segment("pay", Samples.Id(1, 1), part, 0, default));
    }

    [Fact]
    public void Default_ids_name_nothing()
    {
        Assert.Throws<ArgumentException>(() => ObjectNames.LogEntry("pay", default, 0));
        Assert.Throws<ArgumentException>(() => ObjectNames.Manifest("pay", default));
        Assert.Throws<ArgumentException>(() => ObjectNames.Manifest("pay", Samples.Id(1, 0)));
    }
}
