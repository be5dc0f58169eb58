namespace OrleansStream.State;

/// <summary>Declares a piece of keyed state before the run: its name, its types. Declare each once as a static field of the function.</summary>
public abstract class StateDeclaration
{
    private protected StateDeclaration(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Name = name;
    }

    /// <summary>The name by which the state is found again in a snapshot; unique within the operator: <c>^[a-z0-9-]{1,64}$</c>.</summary>
    public string Name { get; }

    /// <summary>How long the state lives untouched; null for ever. No part of its form: it may change between a checkpoint and the job that goes on from it.</summary>
    public TimeToLive? TimeToLive { get; init; }

    /// <summary>The types that rest in snapshots, for the check at build time.</summary>
    internal abstract IReadOnlyList<Type> StoredTypes { get; }

    /// <summary>The type of the keys inside one key's map; null for other state.</summary>
    internal virtual Type? MapKeyType => null;

    /// <summary>Opens the column that keeps this state for all keys of one operator in one subtask.</summary>
    internal abstract KeyedColumn OpenColumn(KeyedSlots slots, StateSerializers serializers);

    /// <summary>Opens what makes a column that <see cref="OpenColumn"/> gave expire.</summary>
    internal abstract StateExpiry OpenExpiry(TimeToLive policy, KeyedColumn column, KeyedSlots slots, StateSerializers serializers, ExpiryTime time);
}

/// <summary>One value per key.</summary>
/// <typeparam name="T">A struct, an immutable record, or a class that its author marked; changed only through <c>Set</c>.</typeparam>
/// <param name="name">The state's name: <c>^[a-z0-9-]{1,64}$</c>.</param>
public sealed class ValueState<T>(string name) : StateDeclaration(name)
{
    /// <summary>What a key that was never set has; the type's default unless set here.</summary>
    public T Default { get; init; } = default!;

    internal override IReadOnlyList<Type> StoredTypes => [typeof(T)];

    internal override KeyedColumn OpenColumn(KeyedSlots slots, StateSerializers serializers) => new ValueColumn<T>(this, slots, serializers);

    internal override StateExpiry OpenExpiry(TimeToLive policy, KeyedColumn column, KeyedSlots slots, StateSerializers serializers, ExpiryTime time) =>
        new ValueExpiry<T>(this, policy, (ValueColumn<T>)column, slots, serializers, time);
}

/// <summary>A list per key, in the order of adding.</summary>
/// <typeparam name="T">The type of an item.</typeparam>
/// <param name="name">The state's name: <c>^[a-z0-9-]{1,64}$</c>.</param>
public sealed class ListState<T>(string name) : StateDeclaration(name)
{
    internal override IReadOnlyList<Type> StoredTypes => [typeof(T)];

    internal override KeyedColumn OpenColumn(KeyedSlots slots, StateSerializers serializers) => new ListColumn<T>(this, slots, serializers);

    internal override StateExpiry OpenExpiry(TimeToLive policy, KeyedColumn column, KeyedSlots slots, StateSerializers serializers, ExpiryTime time) =>
        new ListExpiry<T>(this, policy, (ListColumn<T>)column, slots, serializers, time);
}

/// <summary>A map per key. Entries are stored apart, so a large map costs only what changes in it.</summary>
/// <typeparam name="TMapKey">A string, an integer, a Guid, or a tuple of these.</typeparam>
/// <typeparam name="TValue">The type of a value.</typeparam>
/// <param name="name">The state's name: <c>^[a-z0-9-]{1,64}$</c>.</param>
public sealed class MapState<TMapKey, TValue>(string name) : StateDeclaration(name)
    where TMapKey : notnull
{
    internal override IReadOnlyList<Type> StoredTypes => [typeof(TValue)];

    internal override Type MapKeyType => typeof(TMapKey);

    internal override KeyedColumn OpenColumn(KeyedSlots slots, StateSerializers serializers) => new MapColumn<TMapKey, TValue>(this, slots, serializers);

    internal override StateExpiry OpenExpiry(TimeToLive policy, KeyedColumn column, KeyedSlots slots, StateSerializers serializers, ExpiryTime time) =>
        new MapExpiry<TMapKey, TValue>(this, policy, (MapColumn<TMapKey, TValue>)column, slots, serializers, time);
}
