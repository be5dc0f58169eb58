namespace OrleansStream.Graph;

/// <summary>Names types as a C# developer writes them.</summary>
internal static class TypeName
{
    public static string Of(Type type)
    {
        if (type == typeof(string)) return "string";
        if (type == typeof(int)) return "int";
        if (type == typeof(long)) return "long";
        if (type == typeof(double)) return "double";
        if (type == typeof(bool)) return "bool";
        if (type == typeof(object)) return "object";
        if (type.IsArray) return $"{Of(type.GetElementType()!)}[]";
        if (Nullable.GetUnderlyingType(type) is { } underlying) return $"{Of(underlying)}?";
        if (!type.IsGenericType) return type.Name;
        var arguments = type.GetGenericArguments();
        if (type.FullName!.StartsWith("System.ValueTuple`", StringComparison.Ordinal)) return $"({Joined(arguments)})";

        // A type in a generic type has its outer type's arguments before its own.
        var outer = type.DeclaringType is { IsGenericType: true } declaring ? declaring.GetGenericArguments().Length : 0;
        var prefix = outer > 0 ? $"{Of(type.DeclaringType!.MakeGenericType(arguments[..outer]))}." : "";
        var tick = type.Name.IndexOf('`');
        return tick < 0 ? $"{prefix}{type.Name}" : $"{prefix}{type.Name[..tick]}<{Joined(arguments[outer..])}>";
    }

    private static string Joined(Type[] types) => string.Join(", ", types.Select(Of));
}
