using System.Globalization;
using System.IO.Hashing;
using System.Text.Json;
using OrleansStream.State;

namespace OrleansStream.Tests.Formats;

/// <summary>The encodings of keys, their hashes and key groups: what decides to which subtask a key belongs.</summary>
internal static class KeyFormats
{
    private const int MaxParallelism = 128;

    private static readonly JsonSerializerOptions Json = new() { IncludeFields = true };

    private static readonly IKey[] Keys =
    [
        .. Of("", "a", "card-1", "zähler", "😀", "\ud800", "\udfff", "\0", new string('x', 200)),
        .. Of('\0', 'a', '€', '\uffff'),
        .. Of(false, true),
        .. Of<byte>(0, 1, 255),
        .. Of<sbyte>(-128, -1, 0, 127),
        .. Of<short>(short.MinValue, -1, 0, 258, short.MaxValue),
        .. Of<ushort>(0, 258, ushort.MaxValue),
        .. Of(int.MinValue, -1, 0, 1, 16909060, int.MaxValue),
        .. Of(0u, 16909060u, uint.MaxValue),
        .. Of(long.MinValue, -1, 0, 1, 72623859790382856, long.MaxValue),
        .. Of(0ul, 72623859790382856ul, ulong.MaxValue),
        .. Of(Guid.Empty, new Guid("00112233-4455-6677-8899-aabbccddeeff")),
        .. Of(ValueTuple.Create(1), ValueTuple.Create(-1)),
        .. Of(("", 0), ("card", 7), ("é", -7)),
        .. Of((1L, 'x', true)),
        .. Of(((byte)1, "a", "", (short)-2)),
        .. Of((1, 2, 3, 4, 5)),
        .. Of((1u, 2ul, "3", (sbyte)4, (ushort)5, false)),
        .. Of((1, 2, 3, 4, 5, 6, "7")),
        .. Of((1, 2, 3, 4, 5, 6, 7, "8", 9)),
        .. Of((("a", 1), new Guid("00112233-4455-6677-8899-aabbccddeeff"), ("b", ("c", 2)))),
    ];

    private static readonly IKey[] WindowKeys =
    [
        .. Of(new WindowKey<string>("card-1", 0, 1000), new WindowKey<string>("card-1", -1000, 0), new WindowKey<string>("", long.MinValue, long.MaxValue)),
        .. Of(new WindowKey<byte>(0, 5, 6)),
        .. Of(new WindowKey<(string, int)>(("card", 7), 1, 2)),
    ];

    public static IEnumerable<RecordedFormat> All =>
    [
        Format("v1/keys.txt", "the encoding of keys, their hashes or key groups", Keys),
        Format("v1/window-keys.txt", "the encoding of windows of keys, whose hashes and key groups are those of the keys", WindowKeys),
    ];

    private static RecordedFormat Format(string file, string what, IKey[] keys) => new(file, what, () => RecordedFormat.Lines(keys.Select(static key => key.Line)), bytes =>
    {
        var lines = RecordedFormat.Lines(bytes);
        Assert.Equal(keys.Length, lines.Length);
        foreach (var (key, line) in keys.Zip(lines)) key.Check(line.Split(" | "));
    });

    private static IEnumerable<IKey> Of<TKey>(params TKey[] keys) => keys.Select(static IKey (key) => new Key<TKey>(key));

    private interface IKey
    {
        string Line { get; }

        void Check(string[] columns);
    }

    /// <summary>Columns: signature, key as JSON, encoding in hex, hash, key group.</summary>
    private sealed class Key<TKey>(TKey key) : IKey
    {
        private static readonly KeyCodec<TKey> Codec = KeyCodec<TKey>.Default;

        public string Line
        {
            get
            {
                var hash = Codec.Hash(key);
                return string.Create(
                    CultureInfo.InvariantCulture,
                    $"{KeyCodec.Version}:{Codec.Signature} | {Text} | {Convert.ToHexStringLower(Encoded())} | {hash:x16} | {KeyGroups.Of(hash, MaxParallelism)}");
            }
        }

        // JSON has no lone surrogates.
        private string Text => key is string text ? string.Concat(text.Select(static c => c is > ' ' and <= '~' ? $"{c}" : $"\\u{(int)c:x4}")) : JsonSerializer.Serialize(key, Json);

        public void Check(string[] columns)
        {
            Assert.Equal(5, columns.Length);
            var bytes = Convert.FromHexString(columns[2]);
            ReadOnlySpan<byte> source = bytes;
            Assert.Equal(key, Codec.Read(ref source));
            Assert.True(source.IsEmpty);
            // A string that is the whole key without its length; of a window of a key, the key alone.
            var hashed = bytes.AsSpan(key is string or WindowKey<string> ? 4 : 0);
            if (typeof(TKey).IsGenericType && typeof(TKey).GetGenericTypeDefinition() == typeof(WindowKey<>)) hashed = hashed[..^16];
            var hash = XxHash3.HashToUInt64(hashed);
            Assert.Equal(hash.ToString("x16", CultureInfo.InvariantCulture), columns[3]);
            Assert.Equal((hash % MaxParallelism).ToString(CultureInfo.InvariantCulture), columns[4]);
            Assert.Equal(hash, Codec.Hash(key));
        }

        private byte[] Encoded()
        {
            var bytes = new byte[Codec.MaxLength(key)];
            return bytes[..Codec.Encode(key, bytes)];
        }
    }
}
