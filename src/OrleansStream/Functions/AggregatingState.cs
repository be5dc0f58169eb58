using OrleansStream.State;

namespace OrleansStream.Functions;

/// <summary>One accumulator per key that takes in items of one type and makes a result of another. It rests as a value of the accumulator's type does.</summary>
/// <typeparam name="TIn">The type of an item.</typeparam>
/// <typeparam name="TAccumulator">A struct, an immutable record, or a class that its author marked; all that snapshots hold.</typeparam>
/// <typeparam name="TResult">The type of the result.</typeparam>
public sealed class AggregatingState<TIn, TAccumulator, TResult> : StateDeclaration
{
    /// <summary>Declares an aggregate.</summary>
    /// <param name="name">The state's name: <c>^[a-z0-9-]{1,64}$</c>.</param>
    /// <param name="aggregate">Takes items in and makes the result. One serves all keys and subtasks of a silo: it must not keep anything.</param>
    public AggregatingState(string name, AggregateFunction<TIn, TAccumulator, TResult> aggregate)
        : base(name)
    {
        ArgumentNullException.ThrowIfNull(aggregate);
        Aggregate = aggregate;
        Accumulator = new ValueState<TAccumulator>(name);
    }

    /// <summary>Takes items in and makes the result.</summary>
    internal AggregateFunction<TIn, TAccumulator, TResult> Aggregate { get; }

    /// <summary>What rests.</summary>
    internal ValueState<TAccumulator> Accumulator { get; }

    internal override IReadOnlyList<Type> StoredTypes => Accumulator.StoredTypes;

    internal override KeyedColumn OpenColumn(KeyedSlots slots, StateSerializers serializers) => Accumulator.OpenColumn(slots, serializers);

    internal override StateExpiry OpenExpiry(TimeToLive policy, KeyedColumn column, KeyedSlots slots, StateSerializers serializers, ExpiryTime time) =>
        Accumulator.OpenExpiry(policy, column, slots, serializers, time);
}
