using OrleansStream.State;

namespace OrleansStream.Functions;

/// <summary>State into which items are folded.</summary>
public readonly partial struct KeyedContext<TKey, TOut>
{
    /// <summary>What the items of the key have been reduced to; the type's default when there was none.</summary>
    public T Get<T>(ReducingState<T> state) => TryGetValue<T>(state, out var value) ? value : default!;

    /// <summary>Folds an item into the key's reduction; the first one is taken as it is.</summary>
    public void Add<T>(ReducingState<T> state, T item)
    {
        ArgumentNullException.ThrowIfNull(state);
        SetValue(state, TryGetValue<T>(state, out var value) ? state.Reduce(value, item) : item);
    }

    /// <summary>Whether an item of the key was added.</summary>
    public bool Has<T>(ReducingState<T> state) => TryGetValue<T>(state, out _);

    /// <summary>Removes the key's reduction.</summary>
    public void Clear<T>(ReducingState<T> state) => ClearValue<T>(state);

    /// <summary>The result of the key's items; the type's default when there was none.</summary>
    public TResult Get<TIn, TAccumulator, TResult>(AggregatingState<TIn, TAccumulator, TResult> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        return TryGetValue<TAccumulator>(state, out var accumulator) ? state.Aggregate.Result(in accumulator) : default!;
    }

    /// <summary>Takes an item into the key's accumulator.</summary>
    public void Add<TIn, TAccumulator, TResult>(AggregatingState<TIn, TAccumulator, TResult> state, TIn item)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (!TryGetValue<TAccumulator>(state, out var accumulator)) accumulator = state.Aggregate.Create();
        state.Aggregate.Add(ref accumulator, in item);
        SetValue(state, accumulator);
    }

    /// <summary>Whether an item of the key was added.</summary>
    public bool Has<TIn, TAccumulator, TResult>(AggregatingState<TIn, TAccumulator, TResult> state) => TryGetValue<TAccumulator>(state, out _);

    /// <summary>Removes the key's accumulator.</summary>
    public void Clear<TIn, TAccumulator, TResult>(AggregatingState<TIn, TAccumulator, TResult> state) => ClearValue<TAccumulator>(state);

    private bool TryGetValue<T>(StateDeclaration state, out T value)
    {
        if (_scope.Plain<ValueColumn<T>>(state) is { } column)
        {
            value = column.Get(_slot);
            return column.Has(_slot);
        }

        var isThere = HasLiving<T>(state);
        value = isThere ? _scope.Expiring<ValueExpiry<T>>(state).Values.Get(_slot) : default!;
        return isThere;
    }

    private void SetValue<T>(StateDeclaration state, T value)
    {
        if (_scope.Plain<ValueColumn<T>>(state) is not { } column)
        {
            SetLiving(state, value);
            return;
        }

        if (_scope.Undo is { } undo) undo.Remember(column, _slot);
        column.Set(_slot, value);
    }

    private void ClearValue<T>(StateDeclaration state)
    {
        if (_scope.Plain<ValueColumn<T>>(state) is not { } column)
        {
            ClearLiving<T>(state);
            return;
        }

        if (_scope.Undo is { } undo) undo.Remember(column, _slot);
        column.Clear(_slot);
    }
}
