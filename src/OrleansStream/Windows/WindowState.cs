using OrleansStream.Functions;
using OrleansStream.State;

namespace OrleansStream.Windows;

/// <summary>The declared state of one window, or of one key. Valid during one call only.</summary>
public readonly struct WindowState
{
    private readonly WindowColumns _columns;
    private readonly int _slot;

    internal WindowState(WindowColumns columns, int slot)
    {
        _columns = columns;
        _slot = slot;
    }

    /// <summary>The value, or the state's default when there is none.</summary>
    public T Get<T>(ValueState<T> state) => _columns.Of<ValueColumn<T>>(state).Get(_slot);

    /// <summary>Sets the value.</summary>
    public void Set<T>(ValueState<T> state, T value)
    {
        var column = _columns.Of<ValueColumn<T>>(state);
        _columns.Undo?.Remember(column, _slot);
        column.Set(_slot, value);
    }

    /// <summary>Changes the value from what it was, or from the default.</summary>
    public T Update<T>(ValueState<T> state, Func<T, T> change)
    {
        ArgumentNullException.ThrowIfNull(change);
        var value = change(Get(state));
        Set(state, value);
        return value;
    }

    /// <summary>Whether there is a value.</summary>
    public bool Has<T>(ValueState<T> state) => _columns.Of<ValueColumn<T>>(state).Has(_slot);

    /// <summary>Removes the value.</summary>
    public void Clear<T>(ValueState<T> state) => Clear<ValueColumn<T>>(state);

    /// <summary>What the items have been reduced to; the type's default when there was none.</summary>
    public T Get<T>(ReducingState<T> state) => _columns.Of<ValueColumn<T>>(state).Get(_slot);

    /// <summary>Folds an item into the reduction; the first one is taken as it is.</summary>
    public void Add<T>(ReducingState<T> state, T item)
    {
        var column = _columns.Of<ValueColumn<T>>(state);
        var value = column.Has(_slot) ? state.Reduce(column.Get(_slot), item) : item;
        _columns.Undo?.Remember(column, _slot);
        column.Set(_slot, in value);
    }

    /// <summary>Whether an item was added.</summary>
    public bool Has<T>(ReducingState<T> state) => _columns.Of<ValueColumn<T>>(state).Has(_slot);

    /// <summary>Removes the reduction.</summary>
    public void Clear<T>(ReducingState<T> state) => Clear<ValueColumn<T>>(state);

    /// <summary>The result of the items; the type's default when there was none.</summary>
    public TResult Get<TIn, TAccumulator, TResult>(AggregatingState<TIn, TAccumulator, TResult> state)
    {
        var column = _columns.Of<ValueColumn<TAccumulator>>(state);
        return column.Has(_slot) ? state.Aggregate.Result(column.Get(_slot)) : default!;
    }

    /// <summary>Takes an item into the accumulator.</summary>
    public void Add<TIn, TAccumulator, TResult>(AggregatingState<TIn, TAccumulator, TResult> state, TIn item)
    {
        var column = _columns.Of<ValueColumn<TAccumulator>>(state);
        var accumulator = column.Has(_slot) ? column.Get(_slot) : state.Aggregate.Create();
        state.Aggregate.Add(ref accumulator, in item);
        _columns.Undo?.Remember(column, _slot);
        column.Set(_slot, in accumulator);
    }

    /// <summary>Whether an item was added.</summary>
    public bool Has<TIn, TAccumulator, TResult>(AggregatingState<TIn, TAccumulator, TResult> state) => _columns.Of<ValueColumn<TAccumulator>>(state).Has(_slot);

    /// <summary>Removes the accumulator.</summary>
    public void Clear<TIn, TAccumulator, TResult>(AggregatingState<TIn, TAccumulator, TResult> state) => Clear<ValueColumn<TAccumulator>>(state);

    /// <summary>The items of the list, in the order of adding. Valid until the list is changed.</summary>
    public ReadOnlySpan<T> Items<T>(ListState<T> state) => _columns.Of<ListColumn<T>>(state).Items(_slot);

    /// <summary>Adds an item to the list.</summary>
    public void Add<T>(ListState<T> state, T item)
    {
        var column = _columns.Of<ListColumn<T>>(state);
        _columns.Undo?.Remember(column, _slot);
        column.Add(_slot, item);
    }

    /// <summary>Puts other items in place of the list.</summary>
    public void Replace<T>(ListState<T> state, ReadOnlySpan<T> items)
    {
        var column = _columns.Of<ListColumn<T>>(state);
        _columns.Undo?.Remember(column, _slot);
        column.Replace(_slot, items);
    }

    /// <summary>Empties the list.</summary>
    public void Clear<T>(ListState<T> state) => Clear<ListColumn<T>>(state);

    /// <summary>Looks up an entry of the map.</summary>
    public bool TryGet<TMapKey, TValue>(MapState<TMapKey, TValue> state, TMapKey mapKey, out TValue value)
        where TMapKey : notnull => _columns.Of<MapColumn<TMapKey, TValue>>(state).TryGet(_slot, mapKey, out value!);

    /// <summary>Sets an entry of the map.</summary>
    public void Set<TMapKey, TValue>(MapState<TMapKey, TValue> state, TMapKey mapKey, TValue value)
        where TMapKey : notnull
    {
        var column = _columns.Of<MapColumn<TMapKey, TValue>>(state);
        _columns.Undo?.Remember(column, _slot, mapKey);
        column.Set(_slot, mapKey, value);
    }

    /// <summary>Removes an entry of the map; false when there was none.</summary>
    public bool Remove<TMapKey, TValue>(MapState<TMapKey, TValue> state, TMapKey mapKey)
        where TMapKey : notnull
    {
        var column = _columns.Of<MapColumn<TMapKey, TValue>>(state);
        _columns.Undo?.Remember(column, _slot, mapKey);
        return column.Remove(_slot, mapKey);
    }

    /// <summary>How many entries the map has.</summary>
    public int Count<TMapKey, TValue>(MapState<TMapKey, TValue> state)
        where TMapKey : notnull => _columns.Of<MapColumn<TMapKey, TValue>>(state).Count(_slot);

    /// <summary>The entries of the map, in the order in which their keys came. Changing the map ends the enumeration with an exception.</summary>
    public IEnumerable<KeyValuePair<TMapKey, TValue>> Entries<TMapKey, TValue>(MapState<TMapKey, TValue> state)
        where TMapKey : notnull => _columns.Of<MapColumn<TMapKey, TValue>>(state).Entries(_slot);

    /// <summary>Empties the map.</summary>
    public void Clear<TMapKey, TValue>(MapState<TMapKey, TValue> state)
        where TMapKey : notnull => Clear<MapColumn<TMapKey, TValue>>(state);

    private void Clear<TColumn>(StateDeclaration state)
        where TColumn : KeyedColumn => _columns.Clear(_columns.Of<TColumn>(state), _slot);
}

/// <summary>What a <see cref="WindowState"/> stands on: the columns of some declared states, and the undoing of a record that fails.</summary>
internal sealed class WindowColumns(string operatorName, IReadOnlyList<StateDeclaration> states, Func<StateDeclaration, KeyedColumn> columnOf, StateUndo? undo)
{
    private readonly KeyedColumn[] _columns = [.. states.Select(columnOf)];

    public StateUndo? Undo => undo;

    /// <summary>The column of a declared state: the declaration's type fixes the column's.</summary>
    public TColumn Of<TColumn>(StateDeclaration state)
        where TColumn : KeyedColumn
    {
        for (var i = 0; i < _columns.Length; i++)
        {
            if (ReferenceEquals(states[i], state)) return (TColumn)_columns[i];
        }

        throw new InvalidOperationException($"Operator '{operatorName}' uses the state '{state?.Name}' here, which is not declared for it: add it to States, or to WindowStates for state of a window.");
    }

    /// <summary>Clears everything in a slot.</summary>
    public void ClearAll(int slot)
    {
        foreach (var column in _columns) Clear(column, slot);
    }

    public void Clear(KeyedColumn column, int slot)
    {
        undo?.Remember(column.Saved(slot));
        column.Clear(slot);
    }
}
