using System.Collections;
using System.Reflection;
using System.Runtime.CompilerServices;
using OrleansStream.State;

namespace OrleansStream.Graph;

/// <summary>
/// Checks, when the graph is built, that every type that travels or rests can: walks it deep through its serialized members. What a serializer would take
/// and bring back as something else (open classes, interfaces, object) is refused; so is a state value that could be changed behind the engine's back.
/// </summary>
internal static class StateCheck
{
    private static readonly HashSet<Type> Leaves =
    [
        typeof(string), typeof(decimal), typeof(DateTime), typeof(DateTimeOffset), typeof(DateOnly), typeof(TimeOnly), typeof(TimeSpan), typeof(Guid), typeof(Uri), typeof(Half),
        typeof(Int128), typeof(UInt128), typeof(System.Numerics.BigInteger), typeof(Version),
    ];

    private static readonly HashSet<Type> ImmutableCollections =
    [
        typeof(System.Collections.Immutable.ImmutableArray<>), typeof(System.Collections.Immutable.ImmutableList<>), typeof(System.Collections.Immutable.ImmutableDictionary<,>),
        typeof(System.Collections.Immutable.ImmutableSortedDictionary<,>), typeof(System.Collections.Immutable.ImmutableHashSet<>), typeof(System.Collections.Immutable.ImmutableSortedSet<>),
        typeof(System.Collections.Immutable.ImmutableQueue<>), typeof(System.Collections.Immutable.ImmutableStack<>),
    ];

    private static readonly HashSet<Type> MutableCollections = [typeof(List<>), typeof(Dictionary<,>), typeof(HashSet<>), typeof(Queue<>), typeof(Stack<>), typeof(SortedDictionary<,>), typeof(SortedSet<>)];

    /// <summary>Reads what state a function declares, and checks it.</summary>
    public static IReadOnlyList<StateDeclaration> Declared(JobGraph graph, Node node, Func<IReadOnlyList<StateDeclaration>> read)
    {
        IReadOnlyList<StateDeclaration> states = [];
        try
        {
            states = read();
        }
        catch (Exception error)
        {
            graph.Refuse(node, $"its function could not be made to read its state declarations: {error.GetType().Name}: {error.Message}");
        }

        Check(graph, node, states);
        return states;
    }

    public static void Check(JobGraph graph, Node node, IReadOnlyList<StateDeclaration> states)
    {
        var names = new HashSet<string>();
        foreach (var state in states)
        {
            if (!JobGraph.Named().IsMatch(state.Name)) graph.Refuse(node, $"the name of state '{state.Name}' must have 1 to 64 characters of a-z, 0-9 and '-'");
            if (!names.Add(state.Name)) graph.Refuse(node, $"state '{state.Name}' is declared twice");
            if (state.TimeToLive is { Milliseconds: < 1 } policy) graph.Refuse(node, $"state '{state.Name}' has a time to live of {policy.Duration}; it lives for a millisecond at least, or without one");
            foreach (var type in state.StoredTypes) CheckStored(graph, node, $"state '{state.Name}'", type);
            if (state.MapKeyType is { } mapKey && !KeyCodec.IsSupported(mapKey)) graph.Refuse(node, $"state '{state.Name}' has map keys of {TypeName.Of(mapKey)}; a key is a string, an integer, a Guid, or a tuple of these");
            node.Properties[$"state:{state.Name}"] = $"{TypeName.Of(state.GetType())}";
        }
    }

    /// <summary>Checks a type whose values rest in snapshots.</summary>
    public static void CheckStored(JobGraph graph, Node node, string place, Type type)
    {
        CheckTravels(graph, node, place, type);
        if (Mutability(type, []) is { } problem) graph.Refuse(node, $"{place} holds {TypeName.Of(type)}, which can be changed without the engine seeing it ({problem}); use a struct, an immutable record, an immutable collection, or list and map state");
    }

    /// <summary>Checks a type whose values go between silos.</summary>
    public static void CheckTravels(JobGraph graph, Node node, string place, Type type)
    {
        if (Problem(type, []) is { } problem) graph.Refuse(node, $"{place} holds {TypeName.Of(type)}: {problem}");
    }

    /// <summary>Why a type cannot be serialized and brought back as it was; null when it can.</summary>
    private static string? Problem(Type type, HashSet<Type> seen)
    {
        if (type.IsPrimitive || type.IsEnum || Leaves.Contains(type) || !seen.Add(type)) return null;
        if (type.IsPointer || type.IsByRefLike) return $"{TypeName.Of(type)} cannot be stored";
        if (type.IsArray) return Problem(type.GetElementType()!, seen);
        if (Nullable.GetUnderlyingType(type) is { } underlying) return Problem(underlying, seen);
        if (type == typeof(object) || type.IsInterface) return $"{TypeName.Of(type)} is open: anything could be in it; name a sealed type";
        if (typeof(Delegate).IsAssignableFrom(type)) return $"{TypeName.Of(type)} is code; lambdas never travel";
        if (type.IsGenericType)
        {
            var definition = type.GetGenericTypeDefinition();
            if (typeof(ITuple).IsAssignableFrom(type) || definition == typeof(KeyValuePair<,>) || ImmutableCollections.Contains(definition) || MutableCollections.Contains(definition))
            {
                return type.GetGenericArguments().Select(argument => Problem(argument, seen)).FirstOrDefault(static problem => problem is not null);
            }
        }

        if (type.GetCustomAttribute<GenerateSerializerAttribute>(inherit: false) is null) return $"{TypeName.Of(type)} has no [GenerateSerializer]; add it, and [Id] to its members";
        if (!type.IsValueType && !type.IsSealed) return OpenProblem(type, seen);
        return Members(type).Select(member => Problem(member, seen)).FirstOrDefault(static problem => problem is not null);
    }

    private static string? OpenProblem(Type type, HashSet<Type> seen)
    {
        if (!type.IsAbstract) return $"{TypeName.Of(type)} is an open class; seal it, or make it the abstract root of sealed classes with [Alias]";
        var kinds = Kinds(type);
        foreach (var kind in kinds)
        {
            if (!kind.IsSealed) return $"{TypeName.Of(kind)}, a kind of {TypeName.Of(type)}, is an open class; seal it";
            if (kind.GetCustomAttribute<AliasAttribute>(inherit: false) is null) return $"{TypeName.Of(kind)}, a kind of {TypeName.Of(type)}, has no [Alias]";
            if (Problem(kind, seen) is { } problem) return problem;
        }

        return kinds.Count == 0 ? $"{TypeName.Of(type)} is abstract and has no kinds in its assembly" : null;
    }

    private static string? Mutability(Type type, HashSet<Type> seen)
    {
        if (type.IsPrimitive || type.IsEnum || Leaves.Contains(type) || !seen.Add(type)) return null;
        if (type.IsArray) return "an array";
        if (type.IsGenericType)
        {
            var definition = type.GetGenericTypeDefinition();
            if (MutableCollections.Contains(definition)) return $"{TypeName.Of(type)} is a mutable collection";
            if (Nullable.GetUnderlyingType(type) is not null || typeof(ITuple).IsAssignableFrom(type) || definition == typeof(KeyValuePair<,>) || ImmutableCollections.Contains(definition))
            {
                return type.GetGenericArguments().Select(argument => Mutability(argument, seen)).FirstOrDefault(static problem => problem is not null);
            }
        }

        if (typeof(IEnumerable).IsAssignableFrom(type)) return $"{TypeName.Of(type)} is a collection";
        foreach (var field in Fields(type))
        {
            // A struct is copied whole; a class must not be changed once made.
            if (!type.IsValueType && !field.IsInitOnly && !IsInitOnlyProperty(field)) return $"{TypeName.Of(field.DeclaringType!)}.{MemberName(field)} can be set";
            if (Mutability(field.FieldType, seen) is { } problem) return problem;
        }

        return type.IsAbstract ? Kinds(type).Select(kind => Mutability(kind, seen)).FirstOrDefault(static problem => problem is not null) : null;
    }

    private static bool IsInitOnlyProperty(FieldInfo field) =>
        field.Name.StartsWith('<') && field.DeclaringType!.GetProperty(MemberName(field), BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic) is { } property
        && (property.SetMethod is null || property.SetMethod.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)));

    private static string MemberName(FieldInfo field) => field.Name.StartsWith('<') ? field.Name[1..field.Name.IndexOf('>')] : field.Name;

    /// <summary>The classes that can stand for an abstract one: a closed hierarchy is of one assembly.</summary>
    private static List<Type> Kinds(Type type) => [.. type.Assembly.GetTypes().Where(other => other != type && type.IsAssignableFrom(other) && !other.IsAbstract)];

    private static IEnumerable<Type> Members(Type type) => Fields(type).Where(static field => field.GetCustomAttribute<NonSerializedAttribute>() is null).Select(static field => field.FieldType);

    /// <summary>The fields of a type and of those it derives from, private ones too.</summary>
    private static IEnumerable<FieldInfo> Fields(Type type)
    {
        const BindingFlags Own = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        for (var level = type; level is not null && level != typeof(object) && level != typeof(ValueType); level = level.BaseType)
        {
            foreach (var field in level.GetFields(Own)) yield return field;
        }
    }
}
