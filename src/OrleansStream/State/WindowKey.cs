using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace OrleansStream.State;

/// <summary>A key of two parts: the second tells apart what belongs to the first, and goes where it goes.</summary>
internal interface IScopedKey;

/// <summary>A window of a key, as a key itself: what is kept by window lives in the key group of the window's key.</summary>
/// <param name="Key">The key.</param>
/// <param name="Start">The window's start; of windows that grow, what it was at first.</param>
/// <param name="End">The window's end; of windows that grow, what it was at first.</param>
internal readonly record struct WindowKey<TKey>(TKey Key, long Start, long End) : IScopedKey
    where TKey : notnull;

/// <summary>Where what is kept by window is found.</summary>
internal static class WindowKey
{
    /// <summary>The name of the table of an operator's windows: one that no operator can have, as what the operator keeps by key is found by its own.</summary>
    public static string TableOf(string operatorName) => $"{operatorName}.windows";
}

/// <summary>The key's encoding, then start and end. The hash is the key's alone, as it decides the key group.</summary>
internal sealed class WindowKeyCodec<TKey> : KeyCodec<WindowKey<TKey>>
    where TKey : notnull
{
    private readonly KeyCodec<TKey> _keys = KeyCodec<TKey>.Default;

    public override string Signature => $"window({_keys.Signature})";

    public override int MaxLength(WindowKey<TKey> key) => _keys.MaxLength(key.Key) + (2 * sizeof(long));

    public override int Encode(WindowKey<TKey> key, Span<byte> target)
    {
        var length = _keys.Encode(key.Key, target);
        BinaryPrimitives.WriteInt64LittleEndian(target[length..], key.Start);
        BinaryPrimitives.WriteInt64LittleEndian(target[(length + sizeof(long))..], key.End);
        return length + (2 * sizeof(long));
    }

    [MethodImpl(Compilation.AtOnce)]
    public override WindowKey<TKey> Read(ref ReadOnlySpan<byte> source)
    {
        var key = _keys.Read(ref source);
        var start = BinaryPrimitives.ReadInt64LittleEndian(source);
        var end = BinaryPrimitives.ReadInt64LittleEndian(source[sizeof(long)..]);
        source = source[(2 * sizeof(long))..];
        return new WindowKey<TKey>(key, start, end);
    }

    public override ulong Hash(WindowKey<TKey> key) => _keys.Hash(key.Key);

    public override ulong Spread(WindowKey<TKey> key, ulong hash) => SlotIndex.Mix(hash, SlotIndex.Mix((ulong)key.Start, (ulong)key.End));
}
