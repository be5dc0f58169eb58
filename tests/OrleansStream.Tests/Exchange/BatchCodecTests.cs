using CsCheck;
using Orleans.Serialization;
using Orleans.Serialization.Buffers;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.WireProtocol;
using OrleansStream.Exchange;
using OrleansStream.Tests.Stages;

namespace OrleansStream.Tests.Exchange;

public sealed class BatchCodecTests
{
    private const long Base = 1_700_000_000_000;

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(300, false)]
    [InlineData(300, true)]
    [InlineData(BatchSize.Full, true)]
    [InlineData(3 * BatchSize.Full + 1, true)]
    public void Batches_of_every_size_keyed_or_not_arrive_as_they_were_sent(int count, bool keyed)
    {
        AssertArrives(Trades(count), keyed);
        AssertArrives([.. Enumerable.Range(0, count).Select(static n => new Quote($"S{n % 10}", n))], keyed);
    }

    [Fact]
    public void Records_of_all_kinds_arrive_as_they_were_sent()
    {
        AssertArrives([1, -1, int.MinValue, int.MaxValue]);
        AssertArrives([(byte)1, (byte)0, byte.MaxValue]);
        AssertArrives([Guid.Empty, new Guid("11223344-5566-7788-99aa-bbccddeeff00")]);
        AssertArrives([decimal.MinValue, 0.10m, 79.95m]);
        AssertArrives([DateTime.MinValue, new DateTime(2026, 5, 17, 1, 2, 3, DateTimeKind.Utc)]);
        AssertArrives([new DateTimeOffset(2026, 5, 17, 1, 2, 3, TimeSpan.FromHours(5))]);
        AssertArrives([DayOfWeek.Sunday, DayOfWeek.Friday]);
        AssertArrives([(1L, 2, 'x'), (3L, 4, 'ß')]);
        AssertArrives([(int?)1, null, 3]);
        AssertArrives<(string?, int)>([("a", 1), (null, 2)]);
        AssertArrives(["a", "", "a", new string('ü', 10_000)]);
        AssertArrives<object>([1, "two", new Order("three", 3)]);
        AssertArrives([Page.Of(1), Page.Of(-2)]);
    }

    [Fact]
    public void Records_that_are_null_or_hold_null_arrive_as_such()
    {
        AssertArrives<string?>([null, "a", null]);
        AssertArrives([new Quote(null, 1), default, new Quote("a", 0)]);
        AssertArrives<Order?>([null, new Order("a", 1), new Order("b", 2, new Order("b", 1)), null]);
    }

    [Theory]
    [InlineData(0L, 0L)]
    [InlineData(1L, 65_535L)]
    [InlineData(1L, 65_536L)]
    [InlineData(1L, uint.MaxValue)]
    [InlineData(1L, uint.MaxValue + 1L)]
    [InlineData(-7L, 70_000L)]
    [InlineData(long.MinValue, -1L)]
    public void Timestamps_near_and_far_arrive_as_they_were_sent(long first, long reach)
    {
        var times = new[] { unchecked(first + reach), first, first, first + (reach / 2), unchecked(first + reach) };

        AssertArrives(BatchWire.Batch(Trades(times.Length), n => times[n], keyed: true));
        AssertArrives(BatchWire.Batch(Trades(1000), n => times[n % times.Length], keyed: false));
    }

    [Fact]
    public void Only_what_a_batch_holds_travels_and_its_timestamps_and_numbers_cost_what_they_must()
    {
        var batch = BatchWire.Batch(Trades(100), static n => Base + n, keyed: true, capacity: BatchSize.Full);
        var half = BatchWire.Batch(Trades(50), static n => Base + n, keyed: true, capacity: BatchSize.Full);

        var bytes = BatchWire.Write(batch);

        BatchWire.AssertSame(batch, BatchWire.Read<Trade>(bytes));
        Assert.Equal(50 * (24 + 8 + 2), bytes.Length - BatchWire.Write(half).Length);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(1000)]
    public void Bytes_that_come_in_pieces_are_read_alike(int pieceBytes)
    {
        var trades = BatchWire.Batch(Trades(500), static n => Base + (n * 1000), keyed: true);
        var orders = BatchWire.Batch(Orders(500), static n => Base + n, keyed: false);

        BatchWire.AssertSame(trades, BatchWire.ReadInPieces<Trade>(BatchWire.Write(trades), pieceBytes));
        BatchWire.AssertSame(orders, BatchWire.ReadInPieces<Order>(BatchWire.Write(orders), pieceBytes));
    }

    [Fact]
    public void A_serializer_written_by_hand_is_not_passed_over()
    {
        var received = (Batch<Holding>)BatchWire.RoundTrip(BatchWire.Batch([new Holding(new Interned(7), 1)], static _ => Base, keyed: false))!;

        Assert.Equal(new Holding(new Interned(7 + InternedConverter.Apart), 1), received.Values[0]);
        Assert.False(RawLayout<Interned>.IsUsable);
        Assert.False(RawLayout<(int, Interned)>.IsUsable);
        Assert.False(RawLayout<Interned?>.IsUsable);
        Assert.False(RawLayout<nint>.IsUsable);
        Assert.False(RawLayout<Quote>.IsUsable);
        Assert.True(RawLayout<Trade>.IsUsable);
    }

    [Fact]
    public void An_envelope_arrives_with_its_batch_and_all_else_or_without_one()
    {
        var batch = BatchWire.Batch(Trades(3), static n => Base + n, keyed: true);
        var sent = Wiring.Envelope(5, batch, channel: 2, watermark: 17, idle: true, barrier: Wiring.Barrier(3), end: true);

        var received = BatchWire.RoundTrip(sent);

        BatchWire.AssertSame(batch, (Batch<Trade>)received.Batch!);
        Assert.Equal((5L, 2, 17L, true, true), (received.Sequence, received.Channel, received.Watermark, received.Idle, received.End));
        Assert.Equal(Wiring.Barrier(3), received.Barrier);
        Assert.Null(BatchWire.RoundTrip(Wiring.Envelope(6)).Batch);
        Assert.Null(BatchWire.RoundTrip((Batch?)null));
    }

    [Fact]
    public void Random_batches_arrive_as_they_were_sent()
    {
        var times = Gen.OneOf(Gen.Long[Base, Base + 60_000], Gen.Long[Base, Base + 5_000_000_000], Gen.Long);
        Gen.Select(Gen.Select(Gen.Long, Gen.Double, Gen.Int, Gen.Bool, times).Array[0, 300], Gen.Bool).Sample((records, keyed) =>
        {
            AssertArrives(BatchWire.Batch([.. records.Select(static r => new Trade(r.Item1, r.Item2, r.Item3, r.Item4))], n => records[n].Item5, keyed));
        });
        Gen.Select(Gen.Select(Gen.String.Null(), Gen.Decimal, times).Array[0, 100], Gen.Bool).Sample((records, keyed) =>
        {
            AssertArrives(BatchWire.Batch([.. records.Select(static r => new Quote(r.Item1, r.Item2))], n => records[n].Item3, keyed));
        });
    }

    [Fact]
    public void Bytes_that_end_early_are_refused_wherever_they_end()
    {
        foreach (var bytes in new[] { BatchWire.Write(Batch(Trades(5))), BatchWire.Write(Batch(Orders(5))) })
        {
            for (var length = 0; length < bytes.Length; length++) Assert.NotNull(Record.Exception(() => BatchWire.Read(bytes[..length])));
        }
    }

    [Fact]
    public void A_flipped_bit_gives_a_batch_or_a_refusal_and_never_takes_much_memory()
    {
        BatchWire.Write(Batch(Trades(5)));
        foreach (var bytes in new[] { BatchWire.Write(Batch(Trades(5))), BatchWire.Write(Batch(Orders(5))) })
        {
            for (var bit = 0; bit < bytes.Length * 8; bit++)
            {
                var flipped = bytes.ToArray();
                flipped[bit / 8] ^= (byte)(1 << (bit % 8));
                var before = GC.GetAllocatedBytesForCurrentThread();
                var error = Record.Exception(() => BatchWire.Read(flipped));
                Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4_000_000);
                Assert.False(error is OutOfMemoryException or NullReferenceException, $"Bit {bit}: {error}");
            }
        }
    }

    [Theory]
    [InlineData(uint.MaxValue, 0u, 8u, "cannot hold its")]
    [InlineData(5_000_000u, 0u, 8u, "cannot hold its")]
    [InlineData(5_000_000u, 0x21u, 50_000_008u, "cannot hold its")]
    [InlineData(5_000_000u, 0x21u, 8u, "are not those of")]
    public void A_count_that_the_bytes_cannot_hold_is_refused_before_anything_is_made_for_it(uint count, uint shape, uint columnBytes, string problem)
    {
        var bytes = Forge<string>(count, shape, columnBytes);

        var before = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.Throws<SerializerException>(() => BatchWire.Read<string>(bytes));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_layout_or_shape_that_is_not_this_builds_is_refused_with_what_to_do()
    {
        var layout = Assert.Throws<SerializerException>(() => BatchWire.Read<Trade>(Forge<Trade>(1, 25 << 8, 8 + 25)));
        var shape = Assert.Throws<SerializerException>(() => BatchWire.Read<Trade>(Forge<Trade>(1, (24 << 8) | 0x30, 8 + 24 + 3)));
        Assert.Contains("Its shape 1830 is none", shape.Message, StringComparison.Ordinal);

        Assert.Contains("A record takes 25 bytes in the sender's memory and 24 here: all silos that run an attempt must have the same build", layout.Message, StringComparison.Ordinal);
        Assert.Contains($"A batch of {typeof(Trade)}", shape.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Records_too_few_or_too_many_are_refused()
    {
        Assert.Contains("ends before its 2 records", Assert.Throws<SerializerException>(() => BatchWire.Read<string>(ForgeStrings(2, "a"))).Message, StringComparison.Ordinal);
        Assert.Contains("goes on behind its 1 records", Assert.Throws<SerializerException>(() => BatchWire.Read<string>(ForgeStrings(1, "a", "b"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Something_large_that_all_records_share_travels_once()
    {
        var shared = new Order(new string('x', 10_000), 0);
        var sent = Batch([.. Enumerable.Range(0, 300).Select(n => new Order($"account-{n}", n, shared))]);

        var bytes = BatchWire.Write(sent);

        Assert.InRange(bytes.Length, 10_000, 30_000);
        var received = BatchWire.Read<Order>(bytes);
        BatchWire.AssertSame(sent, received);
        Assert.Same(received.Values[0].Replaces, received.Values[299].Replaces);
    }

    [Fact]
    public void A_batch_of_more_records_than_any_channel_gathers_arrives_as_it_was_sent() => AssertArrives(new byte[3_000_000]);

    private static byte[] Forge<T>(uint count, uint shape, uint columnBytes) => BatchWire.Forge((ref Writer<System.Buffers.ArrayBufferWriter<byte>> writer) =>
    {
        WriteHead<T>(ref writer, count, shape, columnBytes);
        writer.Write(new byte[Math.Min(64, columnBytes - 8)]);
        writer.WriteEndObject();
    });

    private static byte[] ForgeStrings(uint count, params string[] records) => BatchWire.Forge((ref Writer<System.Buffers.ArrayBufferWriter<byte>> writer) =>
    {
        WriteHead<string>(ref writer, count, 0, 8);
        for (var i = 0; i < records.Length; i++) StringCodec.WriteField(ref writer, i == 0 ? 1u : 0, records[i]);
        writer.WriteEndObject();
    });

    private static void WriteHead<T>(ref Writer<System.Buffers.ArrayBufferWriter<byte>> writer, uint count, uint shape, uint columnBytes)
    {
        writer.WriteFieldHeader(0, typeof(Batch), typeof(Batch<T>), WireType.TagDelimited);
        ReferenceCodec.MarkValueField(writer.Session);
        UInt32Codec.WriteField(ref writer, 0, count);
        UInt32Codec.WriteField(ref writer, 1, shape);
        writer.WriteFieldHeaderExpected(1, WireType.LengthPrefixed);
        writer.WriteVarUInt32(columnBytes);
        writer.WriteInt64(Base);
    }

    private static Trade[] Trades(int count) => [.. Enumerable.Range(0, count).Select(static n => new Trade(n, n / 3.0, -n, n % 2 == 0))];

    private static Order[] Orders(int count) => [.. Enumerable.Range(0, count).Select(static n => new Order($"account-{n % 3}", n, n % 4 == 0 ? new Order("old", n) : null))];

    private static Batch<T> Batch<T>(IReadOnlyList<T> values, bool keyed = true) => BatchWire.Batch(values, static n => Base + n, keyed);

    private static void AssertArrives<T>(IReadOnlyList<T> values, bool keyed = true) => AssertArrives(Batch(values, keyed));

    private static void AssertArrives<T>(Batch<T> sent) => BatchWire.AssertSame(sent, BatchWire.Read<T>(BatchWire.Write(sent)));
}
