using System.Buffers;
using System.IO.Hashing;
using System.Runtime.CompilerServices;
using OrleansStream.Jobs;

namespace OrleansStream.State;

// Contract: the bytes of a key, and with them its hash, its key group and its subtask, never change for a given encoding version.
// - Two keys are equal exactly when their encodings are equal; nothing but these bytes is ever hashed (never codec bytes of a serializer).
// - The hash is XxHash3 (64 bits, seed 0) over the encoding. A string that is the whole key is hashed without its length prefix.
// - An encoding delimits itself: keys can be read one after another without further lengths.
// - Everything is little-endian. Changing any of this is a new version, which is part of the signature written into segments.

/// <summary>Finds the encoding of a key type.</summary>
internal static class KeyCodec
{
    /// <summary>Part of every signature in a segment.</summary>
    public const int Version = 1;

    /// <summary>What may be a key, for messages to people.</summary>
    public const string Allowed = "string, char, bool, the integers from byte to ulong, Guid, and tuples (ValueTuple) of these";

    private static readonly Dictionary<Type, object> Simple = new()
    {
        [typeof(string)] = new StringKeyCodec(),
        [typeof(byte)] = new PrimitiveKeyCodec<byte>("uint8"),
        [typeof(sbyte)] = new PrimitiveKeyCodec<sbyte>("int8"),
        [typeof(short)] = new PrimitiveKeyCodec<short>("int16"),
        [typeof(ushort)] = new PrimitiveKeyCodec<ushort>("uint16"),
        [typeof(char)] = new PrimitiveKeyCodec<char>("char"),
        [typeof(int)] = new PrimitiveKeyCodec<int>("int32"),
        [typeof(uint)] = new PrimitiveKeyCodec<uint>("uint32"),
        [typeof(long)] = new PrimitiveKeyCodec<long>("int64"),
        [typeof(ulong)] = new PrimitiveKeyCodec<ulong>("uint64"),
        [typeof(bool)] = new BooleanKeyCodec(),
        [typeof(Guid)] = new GuidKeyCodec(),
    };

    private static readonly Dictionary<Type, Type> Tuples = new()
    {
        [typeof(ValueTuple<>)] = typeof(TupleKeyCodec<>),
        [typeof(ValueTuple<,>)] = typeof(TupleKeyCodec<,>),
        [typeof(ValueTuple<,,>)] = typeof(TupleKeyCodec<,,>),
        [typeof(ValueTuple<,,,>)] = typeof(TupleKeyCodec<,,,>),
        [typeof(ValueTuple<,,,,>)] = typeof(TupleKeyCodec<,,,,>),
        [typeof(ValueTuple<,,,,,>)] = typeof(TupleKeyCodec<,,,,,>),
        [typeof(ValueTuple<,,,,,,>)] = typeof(TupleKeyCodec<,,,,,,>),
        [typeof(ValueTuple<,,,,,,,>)] = typeof(TupleKeyCodec<,,,,,,,>),
    };

    /// <summary>Whether values of the type can be keys.</summary>
    public static bool IsSupported(Type type) =>
        Simple.ContainsKey(type) ||
        (type.IsGenericType && Tuples.ContainsKey(type.GetGenericTypeDefinition()) && type.GetGenericArguments().All(IsSupported));

    /// <summary>The codec for the type, a <see cref="KeyCodec{TKey}"/>; null when the type cannot be a key.</summary>
    internal static object? Find(Type type)
    {
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(WindowKey<>)) return Activator.CreateInstance(typeof(WindowKeyCodec<>).MakeGenericType(type.GetGenericArguments()));
        if (!IsSupported(type)) return null;
        if (Simple.TryGetValue(type, out var simple)) return simple;
        var codec = Tuples[type.GetGenericTypeDefinition()].MakeGenericType(type.GetGenericArguments());
        return Activator.CreateInstance(codec);
    }
}

/// <summary>The versioned byte encoding of a key type, and the hash of its keys.</summary>
internal abstract class KeyCodec<TKey>
{
    private const int StackBytes = 256;

    private static readonly KeyCodec<TKey>? Resolved = (KeyCodec<TKey>?)KeyCodec.Find(typeof(TKey));

    /// <summary>The codec of the type.</summary>
    /// <exception cref="JobRefusedException">The type cannot be a key.</exception>
    public static KeyCodec<TKey> Default =>
        Resolved ?? throw new JobRefusedException($"'{typeof(TKey)}' cannot be a key: use {KeyCodec.Allowed}.");

    /// <summary>Names the encoding in a segment, without the version.</summary>
    public abstract string Signature { get; }

    /// <summary>An upper bound of the encoded length.</summary>
    public abstract int MaxLength(TKey key);

    /// <summary>Writes the key and returns how many bytes that took.</summary>
    public abstract int Encode(TKey key, Span<byte> target);

    /// <summary>Reads a key and moves <paramref name="source"/> behind it.</summary>
    public abstract TKey Read(ref ReadOnlySpan<byte> source);

    /// <summary>XxHash3 over the encoding.</summary>
    /// <exception cref="ArgumentNullException">The key, or a part of it, is null.</exception>
    public virtual ulong Hash(TKey key)
    {
        var length = MaxLength(key);
        if (length <= StackBytes)
        {
            Span<byte> bytes = stackalloc byte[StackBytes];
            return XxHash3.HashToUInt64(bytes[..Encode(key, bytes)]);
        }

        var rented = ArrayPool<byte>.Shared.Rent(length);
        var hash = XxHash3.HashToUInt64(rented.AsSpan(0, Encode(key, rented)));
        ArrayPool<byte>.Shared.Return(rented);
        return hash;
    }

    /// <summary>Spreads the hash over keys that have it in common; asked only of keys that are an <see cref="IScopedKey"/>.</summary>
    public virtual ulong Spread(TKey key, ulong hash) => hash;

    /// <summary>Hashes a column of keys: one virtual call for all.</summary>
    public virtual void Hash(ReadOnlySpan<TKey> keys, Span<ulong> hashes)
    {
        hashes = hashes[..keys.Length];
        for (var i = 0; i < keys.Length; i++) hashes[i] = Hash(keys[i]);
    }

    public void Write(IBufferWriter<byte> target, TKey key) => target.Advance(Encode(key, target.GetSpan(MaxLength(key))));

    /// <summary>Whether two keys are equal, without a virtual call.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Same(TKey left, TKey right)
    {
        if (typeof(TKey).IsValueType) return EqualityComparer<TKey>.Default.Equals(left, right);
        // Strings are the only keys that are objects.
        return ReferenceEquals(left, right) || string.Equals(Unsafe.As<TKey, string>(ref left), Unsafe.As<TKey, string>(ref right));
    }

    /// <summary>Thrown in a method of its own, to keep hot callers small.</summary>
    protected static ArgumentNullException NullKey() =>
        new("key", "A key, or a part of a tuple key, is null. Filter such records out before KeyBy, or give them a key of their own.");
}
