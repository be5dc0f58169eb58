using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using Orleans.Serialization.Session;

namespace OrleansStream.State;

// Contract: every value rests by itself.
// - The serializer's session is reset before each value, so no value refers to an object or type written with another one.
// - A codec holds no session: encoding and processing run side by side, each with a session of its own.
// - Fixed-size primitives rest as their little-endian bytes and say so in their signature; a changed primitive type is refused, never misread.

/// <summary>Finds how values of state rest: raw for primitives, Orleans' generated serializers for the rest.</summary>
internal sealed class StateSerializers
{
    private readonly IServiceProvider _services;
    private readonly SerializerSessionPool _sessions;
    private readonly ConcurrentDictionary<Type, object> _codecs = new();

    /// <summary>Takes the serializers of a silo's services.</summary>
    public StateSerializers(IServiceProvider services)
    {
        _services = services;
        _sessions = services.GetRequiredService<SerializerSessionPool>();
    }

    /// <summary>The codec for values of a type.</summary>
    public StateCodec<T> For<T>() => (StateCodec<T>)_codecs.GetOrAdd(typeof(T), _ => Make<T>());

    /// <summary>A session for one encoding or one restore; dispose it afterwards.</summary>
    public SerializerSession OpenSession() => _sessions.GetSession();

    private StateCodec<T> Make<T>() => RawSignature(typeof(T)) is { } signature
        ? new RawStateCodec<T>(signature)
        : new GeneratedStateCodec<T>(_services.GetRequiredService<Serializer<T>>());

    private static string? RawSignature(Type type) =>
        type == typeof(int) ? "int32" : type == typeof(long) ? "int64" : type == typeof(double) ? "float64"
        : type == typeof(uint) ? "uint32" : type == typeof(ulong) ? "uint64" : type == typeof(float) ? "float32"
        : type == typeof(byte) ? "uint8" : type == typeof(sbyte) ? "int8" : type == typeof(short) ? "int16"
        : type == typeof(ushort) ? "uint16" : type == typeof(char) ? "char" : null;

    /// <summary>
    /// Names a type as its author does: by its alias, else by its full name. Part of the signature, because the generated serializers skip what they do not
    /// know: another type would come back as defaults instead of failing.
    /// </summary>
    internal static string NameOf(Type type)
    {
        if (type.IsArray) return $"{NameOf(type.GetElementType()!)}[{new string(',', type.GetArrayRank() - 1)}]";
        var definition = type.IsGenericType ? type.GetGenericTypeDefinition() : type;
        var name = definition.GetCustomAttribute<AliasAttribute>()?.Alias ?? definition.FullName ?? definition.Name;
        return type.IsGenericType ? $"{name}<{string.Join(',', type.GetGenericArguments().Select(NameOf))}>" : name;
    }
}

/// <summary>Writes and reads values of one type.</summary>
internal abstract class StateCodec<T>
{
    /// <summary>Names the form in a segment; a state restored with another one is refused.</summary>
    public abstract string Signature { get; }

    public abstract void Write(SegmentBuffer target, in T value, SerializerSession session);

    /// <summary>Reads a value and moves <paramref name="source"/> behind it.</summary>
    public abstract T Read(ref ReadOnlySpan<byte> source, SerializerSession session);
}

/// <summary>Primitives of a fixed size.</summary>
internal sealed class RawStateCodec<T>(string signature) : StateCodec<T>
{
    public override string Signature => signature;

    public override void Write(SegmentBuffer target, in T value, SerializerSession session)
    {
        var bytes = target.GetSpan(Unsafe.SizeOf<T>())[..Unsafe.SizeOf<T>()];
        Unsafe.WriteUnaligned(ref MemoryMarshal.GetReference(bytes), value);
        if (!BitConverter.IsLittleEndian) bytes.Reverse();
        target.Advance(bytes.Length);
    }

    [MethodImpl(Compilation.AtOnce)]
    public override T Read(ref ReadOnlySpan<byte> source, SerializerSession session)
    {
        var bytes = source[..Unsafe.SizeOf<T>()];
        source = source[bytes.Length..];
        if (BitConverter.IsLittleEndian) return Unsafe.ReadUnaligned<T>(ref MemoryMarshal.GetReference(bytes));
        Span<byte> reversed = stackalloc byte[bytes.Length];
        bytes.CopyTo(reversed);
        reversed.Reverse();
        return Unsafe.ReadUnaligned<T>(ref MemoryMarshal.GetReference(reversed));
    }
}

/// <summary>Everything else: a length, then what Orleans' generated serializer makes of the value, with its tolerance to added and removed fields.</summary>
internal sealed class GeneratedStateCodec<T>(Serializer<T> serializer) : StateCodec<T>
{
    public override string Signature { get; } = $"generated:{StateSerializers.NameOf(typeof(T))}";

    public override void Write(SegmentBuffer target, in T value, SerializerSession session)
    {
        var lengthAt = target.Skip(sizeof(int));
        session.Reset();
        serializer.Serialize(value, target, session);
        target.PatchInt32(lengthAt, target.Length - lengthAt - sizeof(int));
    }

    [MethodImpl(Compilation.AtOnce)]
    public override T Read(ref ReadOnlySpan<byte> source, SerializerSession session)
    {
        var length = SegmentBuffer.ReadInt32(ref source);
        var bytes = source[..length];
        source = source[length..];
        session.Reset();
        return serializer.Deserialize(bytes, session)!;
    }
}
