using OrleansStream.Exchange;

namespace OrleansStream.Tests.Exchange;

/// <summary>Received batches and the pool; each test has a record type, and so a pool, of its own.</summary>
public sealed class BatchOwnershipTests
{
    [Fact]
    public void A_received_batch_comes_from_the_pool_and_goes_back_to_it()
    {
        var bytes = BatchWire.Write(BatchWire.Batch(new (long, short)[BatchSize.Small + 1], static n => n, keyed: true));
        var first = BatchWire.Read<(long, short)>(bytes);
        Assert.Equal(BatchSize.Full, first.Capacity);
        first.Recycle();

        Assert.Same(first, BatchWire.Read<(long, short)>(bytes));
    }

    [Fact]
    public void A_small_batch_takes_no_room_of_a_full_one()
    {
        var received = BatchWire.Read<(short, short, long)>(BatchWire.Write(BatchWire.Batch(new (short, short, long)[3], static n => n, keyed: false)));

        Assert.Equal(BatchSize.Small, received.Capacity);
    }

    [Fact]
    public void A_batch_from_the_pool_carries_nothing_of_what_it_held_before()
    {
        var many = BatchWire.Read<(string, short)>(BatchWire.Write(BatchWire.Batch([.. Enumerable.Repeat(("before", (short)1), 300)], static n => n, keyed: true)));
        many.Recycle();
        var few = BatchWire.Batch([.. Enumerable.Repeat(("now", (short)2), 200)], static n => n * 2, keyed: true);

        var received = BatchWire.Read<(string, short)>(BatchWire.Write(few));

        Assert.Same(many, received);
        BatchWire.AssertSame(few, received);
        Assert.All(received.Values[200..], static value => Assert.Equal(default, value));
    }

    [Fact]
    public void A_batch_that_could_not_be_read_to_its_end_is_not_used_again()
    {
        var bytes = BatchWire.Write(BatchWire.Batch([.. Enumerable.Repeat(("half", 1.5f), 300)], static n => n, keyed: true));
        var pooled = BatchWire.Read<(string, float)>(bytes);
        pooled.Recycle();
        Assert.NotNull(Record.Exception(() => BatchWire.Read<(string, float)>([.. bytes[..^3], 0xFF, 0xFF, 0xFF])));

        Assert.NotSame(pooled, BatchWire.Read<(string, float)>(bytes));
    }

    [Fact]
    public void Reading_numbers_into_pooled_batches_allocates_next_to_nothing()
    {
        var bytes = BatchWire.Write(BatchWire.Batch(new (double, short)[BatchSize.Full], static n => n, keyed: true));
        for (var warm = 0; warm < 100; warm++) BatchWire.Read<(double, short)>(bytes).Recycle();

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var n = 0; n < 100; n++) BatchWire.Read<(double, short)>(bytes).Recycle();

        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / 100, 0, 1024);
    }

    [Fact]
    public void Reading_strings_allocates_them_and_no_table_of_what_was_read()
    {
        const int StringBytes = 48;
        var bytes = BatchWire.Write(BatchWire.Batch([.. Enumerable.Range(0, BatchSize.Full).Select(static n => ($"account-{n:D4}", 'c'))], static n => n, keyed: true));
        for (var warm = 0; warm < 100; warm++) BatchWire.Read<(string, char)>(bytes).Recycle();

        var before = GC.GetAllocatedBytesForCurrentThread();
        BatchWire.Read<(string, char)>(bytes).Recycle();

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, BatchSize.Full * StringBytes, (BatchSize.Full * StringBytes) + 4096);
    }
}
