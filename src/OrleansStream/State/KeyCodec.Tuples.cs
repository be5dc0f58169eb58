using System.Runtime.CompilerServices;

namespace OrleansStream.State;

// A tuple is encoded as its parts one after another; each delimits itself, so different tuples never have the same bytes.
// Nested tuples are flattened by that, which is safe: the type, and with it the signature, is fixed per state.

/// <summary>Tuples of 1 part.</summary>
internal sealed class TupleKeyCodec<T1> : KeyCodec<ValueTuple<T1>>
{
    public override string Signature => $"({KeyCodec<T1>.Default.Signature})";

    public override int MaxLength(ValueTuple<T1> key) =>
        checked(KeyCodec<T1>.Default.MaxLength(key.Item1));

    public override int Encode(ValueTuple<T1> key, Span<byte> target)
    {
        var at = KeyCodec<T1>.Default.Encode(key.Item1, target);
        return at;
    }

    [MethodImpl(Compilation.AtOnce)]
    public override ValueTuple<T1> Read(ref ReadOnlySpan<byte> source) =>
        new(KeyCodec<T1>.Default.Read(ref source));
}

/// <summary>Tuples of 2 parts.</summary>
internal sealed class TupleKeyCodec<T1, T2> : KeyCodec<ValueTuple<T1, T2>>
{
    public override string Signature =>
        string.Join(',', "(" + KeyCodec<T1>.Default.Signature,
            KeyCodec<T2>.Default.Signature) + ")";

    public override int MaxLength(ValueTuple<T1, T2> key) =>
        checked(KeyCodec<T1>.Default.MaxLength(key.Item1)
            + KeyCodec<T2>.Default.MaxLength(key.Item2));

    public override int Encode(ValueTuple<T1, T2> key, Span<byte> target)
    {
        var at = KeyCodec<T1>.Default.Encode(key.Item1, target);
        at += KeyCodec<T2>.Default.Encode(key.Item2, target[at..]);
        return at;
    }

    [MethodImpl(Compilation.AtOnce)]
    public override ValueTuple<T1, T2> Read(ref ReadOnlySpan<byte> source) =>
        new(KeyCodec<T1>.Default.Read(ref source),
            KeyCodec<T2>.Default.Read(ref source));
}

/// <summary>Tuples of 3 parts.</summary>
internal sealed class TupleKeyCodec<T1, T2, T3> : KeyCodec<ValueTuple<T1, T2, T3>>
{
    public override string Signature =>
        string.Join(',', "(" + KeyCodec<T1>.Default.Signature,
            KeyCodec<T2>.Default.Signature,
            KeyCodec<T3>.Default.Signature) + ")";

    public override int MaxLength(ValueTuple<T1, T2, T3> key) =>
        checked(KeyCodec<T1>.Default.MaxLength(key.Item1)
            + KeyCodec<T2>.Default.MaxLength(key.Item2)
            + KeyCodec<T3>.Default.MaxLength(key.Item3));

    public override int Encode(ValueTuple<T1, T2, T3> key, Span<byte> target)
    {
        var at = KeyCodec<T1>.Default.Encode(key.Item1, target);
        at += KeyCodec<T2>.Default.Encode(key.Item2, target[at..]);
        at += KeyCodec<T3>.Default.Encode(key.Item3, target[at..]);
        return at;
    }

    [MethodImpl(Compilation.AtOnce)]
    public override ValueTuple<T1, T2, T3> Read(ref ReadOnlySpan<byte> source) =>
        new(KeyCodec<T1>.Default.Read(ref source),
            KeyCodec<T2>.Default.Read(ref source),
            KeyCodec<T3>.Default.Read(ref source));
}

/// <summary>Tuples of 4 parts.</summary>
internal sealed class TupleKeyCodec<T1, T2, T3, T4> : KeyCodec<ValueTuple<T1, T2, T3, T4>>
{
    public override string Signature =>
        string.Join(',', "(" + KeyCodec<T1>.Default.Signature,
            KeyCodec<T2>.Default.Signature,
            KeyCodec<T3>.Default.Signature,
            KeyCodec<T4>.Default.Signature) + ")";

    public override int MaxLength(ValueTuple<T1, T2, T3, T4> key) =>
        checked(KeyCodec<T1>.Default.MaxLength(key.Item1)
            + KeyCodec<T2>.Default.MaxLength(key.Item2)
            + KeyCodec<T3>.Default.MaxLength(key.Item3)
            + KeyCodec<T4>.Default.MaxLength(key.Item4));

    public override int Encode(ValueTuple<T1, T2, T3, T4> key, Span<byte> target)
    {
        var at = KeyCodec<T1>.Default.Encode(key.Item1, target);
        at += KeyCodec<T2>.Default.Encode(key.Item2, target[at..]);
        at += KeyCodec<T3>.Default.Encode(key.Item3, target[at..]);
        at += KeyCodec<T4>.Default.Encode(key.Item4, target[at..]);
        return at;
    }

    [MethodImpl(Compilation.AtOnce)]
    public override ValueTuple<T1, T2, T3, T4> Read(ref ReadOnlySpan<byte> source) =>
        new(KeyCodec<T1>.Default.Read(ref source),
            KeyCodec<T2>.Default.Read(ref source),
            KeyCodec<T3>.Default.Read(ref source),
            KeyCodec<T4>.Default.Read(ref source));
}

/// <summary>Tuples of 5 parts.</summary>
internal sealed class TupleKeyCodec<T1, T2, T3, T4, T5> : KeyCodec<ValueTuple<T1, T2, T3, T4, T5>>
{
    public override string Signature =>
        string.Join(',', "(" + KeyCodec<T1>.Default.Signature,
            KeyCodec<T2>.Default.Signature,
            KeyCodec<T3>.Default.Signature,
            KeyCodec<T4>.Default.Signature,
            KeyCodec<T5>.Default.Signature) + ")";

    public override int MaxLength(ValueTuple<T1, T2, T3, T4, T5> key) =>
        checked(KeyCodec<T1>.Default.MaxLength(key.Item1)
            + KeyCodec<T2>.Default.MaxLength(key.Item2)
            + KeyCodec<T3>.Default.MaxLength(key.Item3)
            + KeyCodec<T4>.Default.MaxLength(key.Item4)
            + KeyCodec<T5>.Default.MaxLength(key.Item5));

    public override int Encode(ValueTuple<T1, T2, T3, T4, T5> key, Span<byte> target)
    {
        var at = KeyCodec<T1>.Default.Encode(key.Item1, target);
        at += KeyCodec<T2>.Default.Encode(key.Item2, target[at..]);
        at += KeyCodec<T3>.Default.Encode(key.Item3, target[at..]);
        at += KeyCodec<T4>.Default.Encode(key.Item4, target[at..]);
        at += KeyCodec<T5>.Default.Encode(key.Item5, target[at..]);
        return at;
    }

    [MethodImpl(Compilation.AtOnce)]
    public override ValueTuple<T1, T2, T3, T4, T5> Read(ref ReadOnlySpan<byte> source) =>
        new(KeyCodec<T1>.Default.Read(ref source),
            KeyCodec<T2>.Default.Read(ref source),
            KeyCodec<T3>.Default.Read(ref source),
            KeyCodec<T4>.Default.Read(ref source),
            KeyCodec<T5>.Default.Read(ref source));
}

/// <summary>Tuples of 6 parts.</summary>
internal sealed class TupleKeyCodec<T1, T2, T3, T4, T5, T6> : KeyCodec<ValueTuple<T1, T2, T3, T4, T5, T6>>
{
    public override string Signature =>
        string.Join(',', "(" + KeyCodec<T1>.Default.Signature,
            KeyCodec<T2>.Default.Signature,
            KeyCodec<T3>.Default.Signature,
            KeyCodec<T4>.Default.Signature,
            KeyCodec<T5>.Default.Signature,
            KeyCodec<T6>.Default.Signature) + ")";

    public override int MaxLength(ValueTuple<T1, T2, T3, T4, T5, T6> key) =>
        checked(KeyCodec<T1>.Default.MaxLength(key.Item1)
            + KeyCodec<T2>.Default.MaxLength(key.Item2)
            + KeyCodec<T3>.Default.MaxLength(key.Item3)
            + KeyCodec<T4>.Default.MaxLength(key.Item4)
            + KeyCodec<T5>.Default.MaxLength(key.Item5)
            + KeyCodec<T6>.Default.MaxLength(key.Item6));

    public override int Encode(ValueTuple<T1, T2, T3, T4, T5, T6> key, Span<byte> target)
    {
        var at = KeyCodec<T1>.Default.Encode(key.Item1, target);
        at += KeyCodec<T2>.Default.Encode(key.Item2, target[at..]);
        at += KeyCodec<T3>.Default.Encode(key.Item3, target[at..]);
        at += KeyCodec<T4>.Default.Encode(key.Item4, target[at..]);
        at += KeyCodec<T5>.Default.Encode(key.Item5, target[at..]);
        at += KeyCodec<T6>.Default.Encode(key.Item6, target[at..]);
        return at;
    }

    [MethodImpl(Compilation.AtOnce)]
    public override ValueTuple<T1, T2, T3, T4, T5, T6> Read(ref ReadOnlySpan<byte> source) =>
        new(KeyCodec<T1>.Default.Read(ref source),
            KeyCodec<T2>.Default.Read(ref source),
            KeyCodec<T3>.Default.Read(ref source),
            KeyCodec<T4>.Default.Read(ref source),
            KeyCodec<T5>.Default.Read(ref source),
            KeyCodec<T6>.Default.Read(ref source));
}

/// <summary>Tuples of 7 parts.</summary>
internal sealed class TupleKeyCodec<T1, T2, T3, T4, T5, T6, T7> : KeyCodec<ValueTuple<T1, T2, T3, T4, T5, T6, T7>>
{
    public override string Signature =>
        string.Join(',', "(" + KeyCodec<T1>.Default.Signature,
            KeyCodec<T2>.Default.Signature,
            KeyCodec<T3>.Default.Signature,
            KeyCodec<T4>.Default.Signature,
            KeyCodec<T5>.Default.Signature,
            KeyCodec<T6>.Default.Signature,
            KeyCodec<T7>.Default.Signature) + ")";

    public override int MaxLength(ValueTuple<T1, T2, T3, T4, T5, T6, T7> key) =>
        checked(KeyCodec<T1>.Default.MaxLength(key.Item1)
            + KeyCodec<T2>.Default.MaxLength(key.Item2)
            + KeyCodec<T3>.Default.MaxLength(key.Item3)
            + KeyCodec<T4>.Default.MaxLength(key.Item4)
            + KeyCodec<T5>.Default.MaxLength(key.Item5)
            + KeyCodec<T6>.Default.MaxLength(key.Item6)
            + KeyCodec<T7>.Default.MaxLength(key.Item7));

    public override int Encode(ValueTuple<T1, T2, T3, T4, T5, T6, T7> key, Span<byte> target)
    {
        var at = KeyCodec<T1>.Default.Encode(key.Item1, target);
        at += KeyCodec<T2>.Default.Encode(key.Item2, target[at..]);
        at += KeyCodec<T3>.Default.Encode(key.Item3, target[at..]);
        at += KeyCodec<T4>.Default.Encode(key.Item4, target[at..]);
        at += KeyCodec<T5>.Default.Encode(key.Item5, target[at..]);
        at += KeyCodec<T6>.Default.Encode(key.Item6, target[at..]);
        at += KeyCodec<T7>.Default.Encode(key.Item7, target[at..]);
        return at;
    }

    [MethodImpl(Compilation.AtOnce)]
    public override ValueTuple<T1, T2, T3, T4, T5, T6, T7> Read(ref ReadOnlySpan<byte> source) =>
        new(KeyCodec<T1>.Default.Read(ref source),
            KeyCodec<T2>.Default.Read(ref source),
            KeyCodec<T3>.Default.Read(ref source),
            KeyCodec<T4>.Default.Read(ref source),
            KeyCodec<T5>.Default.Read(ref source),
            KeyCodec<T6>.Default.Read(ref source),
            KeyCodec<T7>.Default.Read(ref source));
}

/// <summary>Tuples of eight and more parts.</summary>
internal sealed class TupleKeyCodec<T1, T2, T3, T4, T5, T6, T7, TRest> : KeyCodec<ValueTuple<T1, T2, T3, T4, T5, T6, T7, TRest>>
    where TRest : struct
{
    public override string Signature =>
        string.Join(',', "(" + KeyCodec<T1>.Default.Signature,
            KeyCodec<T2>.Default.Signature,
            KeyCodec<T3>.Default.Signature,
            KeyCodec<T4>.Default.Signature,
            KeyCodec<T5>.Default.Signature,
            KeyCodec<T6>.Default.Signature,
            KeyCodec<T7>.Default.Signature,
            KeyCodec<TRest>.Default.Signature) + ")";

    public override int MaxLength(ValueTuple<T1, T2, T3, T4, T5, T6, T7, TRest> key) =>
        checked(KeyCodec<T1>.Default.MaxLength(key.Item1)
            + KeyCodec<T2>.Default.MaxLength(key.Item2)
            + KeyCodec<T3>.Default.MaxLength(key.Item3)
            + KeyCodec<T4>.Default.MaxLength(key.Item4)
            + KeyCodec<T5>.Default.MaxLength(key.Item5)
            + KeyCodec<T6>.Default.MaxLength(key.Item6)
            + KeyCodec<T7>.Default.MaxLength(key.Item7)
            + KeyCodec<TRest>.Default.MaxLength(key.Rest));

    public override int Encode(ValueTuple<T1, T2, T3, T4, T5, T6, T7, TRest> key, Span<byte> target)
    {
        var at = KeyCodec<T1>.Default.Encode(key.Item1, target);
        at += KeyCodec<T2>.Default.Encode(key.Item2, target[at..]);
        at += KeyCodec<T3>.Default.Encode(key.Item3, target[at..]);
        at += KeyCodec<T4>.Default.Encode(key.Item4, target[at..]);
        at += KeyCodec<T5>.Default.Encode(key.Item5, target[at..]);
        at += KeyCodec<T6>.Default.Encode(key.Item6, target[at..]);
        at += KeyCodec<T7>.Default.Encode(key.Item7, target[at..]);
        at += KeyCodec<TRest>.Default.Encode(key.Rest, target[at..]);
        return at;
    }

    [MethodImpl(Compilation.AtOnce)]
    public override ValueTuple<T1, T2, T3, T4, T5, T6, T7, TRest> Read(ref ReadOnlySpan<byte> source) =>
        new(KeyCodec<T1>.Default.Read(ref source),
            KeyCodec<T2>.Default.Read(ref source),
            KeyCodec<T3>.Default.Read(ref source),
            KeyCodec<T4>.Default.Read(ref source),
            KeyCodec<T5>.Default.Read(ref source),
            KeyCodec<T6>.Default.Read(ref source),
            KeyCodec<T7>.Default.Read(ref source),
            KeyCodec<TRest>.Default.Read(ref source));
}
