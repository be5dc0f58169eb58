namespace OrleansStream.State;

/// <summary>Declares a map that is the same in every subtask of an operator. Declare each once as a static field.</summary>
public abstract class BroadcastDeclaration
{
    private protected BroadcastDeclaration(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Name = name;
    }

    /// <summary>The name by which the state is found again in a snapshot; unique within the operator: <c>^[a-z0-9-]{1,64}$</c>.</summary>
    public string Name { get; }

    /// <summary>The type of the map's keys.</summary>
    internal abstract Type MapKeyType { get; }

    /// <summary>The type of the map's values, which rest in snapshots.</summary>
    internal abstract Type ValueType { get; }

    /// <summary>Opens an empty map.</summary>
    internal abstract BroadcastMap Open(StateSerializers serializers);
}

/// <summary>
/// A map that every subtask of an operator has, written by a stream that goes to all of them and read beside the records of another. It is for rules and settings: each
/// snapshot holds all of it, once.
/// </summary>
/// <typeparam name="TMapKey">A string, an integer, a Guid, or a tuple of these.</typeparam>
/// <typeparam name="TValue">A struct or an immutable record.</typeparam>
/// <param name="name">The state's name: <c>^[a-z0-9-]{1,64}$</c>.</param>
public sealed class BroadcastState<TMapKey, TValue>(string name) : BroadcastDeclaration(name)
    where TMapKey : notnull
{
    internal override Type MapKeyType => typeof(TMapKey);

    internal override Type ValueType => typeof(TValue);

    internal override BroadcastMap Open(StateSerializers serializers) => new BroadcastMap<TMapKey, TValue>(serializers);
}
