namespace OrleansStream.State;

/// <summary>One value per key into which each item is folded: the first item, then the fold of it with each other. It rests as a value of the same type does.</summary>
/// <typeparam name="T">A struct, an immutable record, or a class that its author marked.</typeparam>
public sealed class ReducingState<T> : StateDeclaration
{
    /// <summary>Declares a reduction.</summary>
    /// <param name="name">The state's name: <c>^[a-z0-9-]{1,64}$</c>.</param>
    /// <param name="reduce">Folds what is there with an item. It must not change either.</param>
    public ReducingState(string name, Func<T, T, T> reduce)
        : base(name)
    {
        ArgumentNullException.ThrowIfNull(reduce);
        Reduce = reduce;
        Accumulator = new ValueState<T>(name);
    }

    /// <summary>Folds what is there with an item.</summary>
    internal Func<T, T, T> Reduce { get; }

    /// <summary>What rests.</summary>
    internal ValueState<T> Accumulator { get; }

    internal override IReadOnlyList<Type> StoredTypes => Accumulator.StoredTypes;

    internal override KeyedColumn OpenColumn(KeyedSlots slots, StateSerializers serializers) => Accumulator.OpenColumn(slots, serializers);

    internal override StateExpiry OpenExpiry(TimeToLive policy, KeyedColumn column, KeyedSlots slots, StateSerializers serializers, ExpiryTime time) =>
        Accumulator.OpenExpiry(policy, column, slots, serializers, time);
}
