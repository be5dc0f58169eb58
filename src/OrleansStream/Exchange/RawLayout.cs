using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace OrleansStream.Exchange;

/// <summary>
/// Whether the records of a type may cross between silos as the bytes they are in memory. The silos of an attempt run one build, so they lay a type out
/// alike, and nothing of it rests on a disk. It must hold only numbers, and mean on every silo what it means on this one: every part of it is a
/// type of the runtime's or has a generated serializer. A serializer written by hand may translate, say an index into a table of its process into a name.
/// </summary>
internal static class RawLayout<T>
{
    public static readonly bool IsUsable = BitConverter.IsLittleEndian && !RuntimeHelpers.IsReferenceOrContainsReferences<T>() && RawLayout.IsPlain(typeof(T));

    /// <summary>The used part of a column as bytes. Only for types whose layout is usable.</summary>
    public static Span<byte> Bytes(T[] column, int count) =>
        MemoryMarshal.CreateSpan(ref Unsafe.As<T, byte>(ref MemoryMarshal.GetArrayDataReference(column)), checked(column.AsSpan(0, count).Length * Unsafe.SizeOf<T>()));
}

/// <inheritdoc cref="RawLayout{T}"/>
internal static class RawLayout
{
    /// <summary>Whether a type without references means the same in every process.</summary>
    public static bool IsPlain(Type type)
    {
        if (type == typeof(nint) || type == typeof(nuint) || type.IsPointer || type.IsFunctionPointer) return false;
        if (type.IsPrimitive || type.IsEnum) return true;
        if (type.Assembly != typeof(object).Assembly && !type.IsDefined(typeof(GenerateSerializerAttribute), inherit: false)) return false;
        foreach (var field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
        {
            if (field.IsDefined(typeof(NonSerializedAttribute)) || !IsPlain(field.FieldType)) return false;
        }

        return true;
    }
}
