using System.Buffers;
using System.IO.Hashing;
using OrleansStream.Jobs;
using OrleansStream.State;

namespace OrleansStream.Tests.State;

public sealed class KeyCodecTests
{
    [Fact]
    public void The_hashes_of_given_keys_never_change()
    {
        const string Recorded =
            "2d06800538d394c2 0d78baac08237ddb 809886422b7b3eeb 78856d0d419006be 50acc81fd28dadf9 4c5cca45d0f4811f "
            + "4d4b413ed14f19f6 17c8fb846929d74b f2082378a32f83aa a68707a2dbd7adad e12ef9d2eb86ceeb 48b2c92616fc193d "
            + "2132b64814a1ad5d cd6b1c920d3f662c 2132b64814a1ad5d d5a6f8c838df27c8 828f2476789a0e5f d5a6f8c838df27c8 "
            + "33695758ff7e581e db02334e96d65708 721135042adac8ff 69fcd66dc5df015d f4c3a04d9a059938 c4140a17869e9a7b";
        Assert.Equal(Recorded, string.Join(' ',
            Hex(""), Hex("a"), Hex("machine_temperature"), Hex("\ud800"), Hex(new string('x', 1000)),
            Hex((byte)7), Hex((sbyte)-7), Hex((short)-300), Hex((ushort)300), Hex('x'), Hex(true),
            Hex(0), Hex(42), Hex(-1), Hex(42u), Hex(42L), Hex(long.MinValue), Hex(42UL),
            Hex(new Guid("00112233-4455-6677-8899-aabbccddeeff")),
            Hex(ValueTuple.Create(1)), Hex(("a", 1)), Hex(("a", ("b", 2L))), Hex((1, 2, 3, 4, 5, 6, 7, 8)), Hex((new string('y', 500), 1))));
    }

    [Fact]
    public void The_fast_hashes_of_integers_are_those_of_the_library()
    {
        var random = new Random(1);
        for (var i = 0; i < 10_000; i++)
        {
            var key = random.NextInt64(long.MinValue, long.MaxValue);
            Assert.Equal(XxHash3.HashToUInt64(BitConverter.GetBytes(key)), KeyCodec<long>.Default.Hash(key));
            Assert.Equal(XxHash3.HashToUInt64(BitConverter.GetBytes((uint)key)), KeyCodec<uint>.Default.Hash((uint)key));
        }
    }

    [Fact]
    public void Every_kind_of_key_comes_back_and_ends_where_the_next_begins()
    {
        Roundtrip("", "ä€𝄞", "\udc00\ud800", new string('z', 3000));
        Roundtrip(byte.MinValue, byte.MaxValue);
        Roundtrip(sbyte.MinValue, sbyte.MaxValue);
        Roundtrip(short.MinValue, short.MaxValue);
        Roundtrip(ushort.MinValue, ushort.MaxValue);
        Roundtrip('\0', '\uffff');
        Roundtrip(int.MinValue, -1, int.MaxValue);
        Roundtrip(uint.MinValue, uint.MaxValue);
        Roundtrip(long.MinValue, -1, long.MaxValue);
        Roundtrip(ulong.MinValue, ulong.MaxValue);
        Roundtrip(true, false);
        Roundtrip(Guid.Empty, new Guid("00112233-4455-6677-8899-aabbccddeeff"));
        Roundtrip(ValueTuple.Create("a"));
        Roundtrip(("a", 1), ("", 0));
        Roundtrip(("a", "b", "c"));
        Roundtrip((1, "b", 3L, '4'));
        Roundtrip((1, 2, 3, 4, "5"));
        Roundtrip((1, 2, 3, 4, 5, "6"));
        Roundtrip((1, 2, 3, 4, 5, 6, "7"));
        Roundtrip((1, 2, 3, 4, 5, 6, 7, "8"));
        Roundtrip((("a", 1), (true, Guid.Empty)));
    }

    [Fact]
    public void Strings_that_differ_only_in_lone_surrogates_are_different_keys()
    {
        Assert.NotEqual(KeyCodec<string>.Default.Hash("\ud800"), KeyCodec<string>.Default.Hash("\ud801"));
        Assert.NotEqual(KeyCodec<string>.Default.Hash("\ud800"), KeyCodec<string>.Default.Hash("\ufffd"));
    }

    [Fact]
    public void Text_does_not_slip_from_one_part_of_a_tuple_to_the_next() =>
        Assert.NotEqual(KeyCodec<(string, string)>.Default.Hash(("ab", "c")), KeyCodec<(string, string)>.Default.Hash(("a", "bc")));

    [Fact]
    public void A_column_of_keys_is_hashed_as_each_key_is()
    {
        string[] keys = ["a", "b", ""];
        var hashes = new ulong[5];
        KeyCodec<string>.Default.Hash(keys, hashes);
        Assert.Equal([Hash("a"), Hash("b"), Hash(""), 0, 0], hashes);
    }

    [Fact]
    public void A_null_key_is_refused_and_the_message_says_what_to_do()
    {
        Assert.Contains("before KeyBy", Assert.Throws<ArgumentNullException>(() => Hash<string>(null!)).Message);
        Assert.Throws<ArgumentNullException>(() => Hash((1, (string)null!)));
    }

    [Fact]
    public void Only_types_with_an_encoding_of_our_own_are_keys()
    {
        Assert.True(KeyCodec.IsSupported(typeof((string, (Guid, long)))));
        Assert.False(KeyCodec.IsSupported(typeof(double)));
        Assert.False(KeyCodec.IsSupported(typeof(DateTime)));
        Assert.False(KeyCodec.IsSupported(typeof((string, object))));
        Assert.Contains("Guid", Assert.Throws<JobRefusedException>(() => KeyCodec<double>.Default).Message);
    }

    private static ulong Hash<T>(T key) => KeyCodec<T>.Default.Hash(key);

    private static string Hex<T>(T key) => Hash(key).ToString("x16");

    private static void Roundtrip<T>(params T[] keys)
    {
        var buffer = new ArrayBufferWriter<byte>();
        foreach (var key in keys)
        {
            KeyCodec<T>.Default.Write(buffer, key);
            Assert.Equal(KeyCodec<T>.Default.MaxLength(key), KeyCodec<T>.Default.Encode(key, new byte[KeyCodec<T>.Default.MaxLength(key)]));
        }

        var source = buffer.WrittenSpan;
        foreach (var key in keys)
        {
            var read = KeyCodec<T>.Default.Read(ref source);
            Assert.True(KeyCodec<T>.Same(key, read));
            Assert.Equal(Hash(key), Hash(read));
        }

        Assert.Equal(0, source.Length);
    }
}
