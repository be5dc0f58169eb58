using OrleansStream.State;

namespace OrleansStream.Functions;

/// <summary>The key at hand: its state, its timers, and where results go. Valid during one call only.</summary>
/// <typeparam name="TKey">The type of the key.</typeparam>
/// <typeparam name="TOut">The type of a result.</typeparam>
public readonly partial struct KeyedContext<TKey, TOut>
    where TKey : notnull
{
    private readonly KeyedScope<TKey, TOut> _scope;
    private readonly int _slot;

    internal KeyedContext(KeyedScope<TKey, TOut> scope, int slot, TKey key, long timestamp)
    {
        _scope = scope;
        _slot = slot;
        Key = key;
        Timestamp = timestamp;
    }

    /// <summary>The key of the record or timer.</summary>
    public TKey Key { get; }

    /// <summary>The event time of the record, or the time of the timer, in milliseconds since 1970.</summary>
    public long Timestamp { get; }

    /// <summary>The watermark: no record at or before this time is on time any more. In milliseconds since 1970; <see cref="long.MinValue"/> before the first.</summary>
    public long Watermark => _scope.Watermark;

    /// <summary>The clock, in milliseconds since 1970. It differs from run to run: results that depend on it do too.</summary>
    public long ProcessingTime => _scope.ProcessingTime;

    /// <summary>The value of the key, or the state's default when it has none.</summary>
    public T Get<T>(ValueState<T> state) => _scope.Plain<ValueColumn<T>>(state) is { } column ? column.Get(_slot) : GetLiving(state);

    /// <summary>Sets the value of the key.</summary>
    public void Set<T>(ValueState<T> state, T value)
    {
        if (_scope.Plain<ValueColumn<T>>(state) is not { } column)
        {
            SetLiving(state, value);
            return;
        }

        if (_scope.Undo is { } undo) undo.Remember(column, _slot);
        column.Set(_slot, value);
    }

    /// <summary>Changes the value of the key from what it was, or from the default.</summary>
    public T Update<T>(ValueState<T> state, Func<T, T> change)
    {
        var value = change(Get(state));
        Set(state, value);
        return value;
    }

    /// <summary>Whether the key has a value.</summary>
    public bool Has<T>(ValueState<T> state) => _scope.Plain<ValueColumn<T>>(state) is { } column ? column.Has(_slot) : HasLiving<T>(state);

    /// <summary>Removes the value of the key.</summary>
    public void Clear<T>(ValueState<T> state)
    {
        if (_scope.Plain<ValueColumn<T>>(state) is not { } column)
        {
            ClearLiving<T>(state);
            return;
        }

        if (_scope.Undo is { } undo) undo.Remember(column, _slot);
        column.Clear(_slot);
    }

    /// <summary>The items of the key's list, in the order of adding. Valid until the list is changed.</summary>
    public ReadOnlySpan<T> Items<T>(ListState<T> state) => _scope.Plain<ListColumn<T>>(state) is { } column ? column.Items(_slot) : LivingItems(state);

    /// <summary>Adds an item to the key's list.</summary>
    public void Add<T>(ListState<T> state, T item)
    {
        if (_scope.Plain<ListColumn<T>>(state) is not { } column)
        {
            AddLiving(state, item);
            return;
        }

        if (_scope.Undo is { } undo) undo.Remember(column, _slot);
        column.Add(_slot, item);
    }

    /// <summary>Puts other items in place of the key's list.</summary>
    public void Replace<T>(ListState<T> state, ReadOnlySpan<T> items)
    {
        if (_scope.Plain<ListColumn<T>>(state) is not { } column)
        {
            ReplaceLiving(state, items);
            return;
        }

        if (_scope.Undo is { } undo) undo.Remember(column, _slot);
        column.Replace(_slot, items);
    }

    /// <summary>Empties the key's list.</summary>
    public void Clear<T>(ListState<T> state)
    {
        if (_scope.Plain<ListColumn<T>>(state) is not { } column)
        {
            ClearLivingItems(state);
            return;
        }

        if (_scope.Undo is { } undo) undo.Remember(column, _slot);
        column.Clear(_slot);
    }

    /// <summary>Looks up an entry of the key's map.</summary>
    public bool TryGet<TMapKey, TValue>(MapState<TMapKey, TValue> state, TMapKey mapKey, out TValue value)
        where TMapKey : notnull =>
        _scope.Plain<MapColumn<TMapKey, TValue>>(state) is { } column ? column.TryGet(_slot, mapKey, out value!) : TryGetLiving(state, mapKey, out value);

    /// <summary>Sets an entry of the key's map.</summary>
    public void Set<TMapKey, TValue>(MapState<TMapKey, TValue> state, TMapKey mapKey, TValue value)
        where TMapKey : notnull
    {
        if (_scope.Plain<MapColumn<TMapKey, TValue>>(state) is not { } column)
        {
            SetLiving(state, mapKey, value);
            return;
        }

        if (_scope.Undo is { } undo) undo.Remember(column, _slot, mapKey);
        column.Set(_slot, mapKey, value);
    }

    /// <summary>Removes an entry of the key's map; false when there was none.</summary>
    public bool Remove<TMapKey, TValue>(MapState<TMapKey, TValue> state, TMapKey mapKey)
        where TMapKey : notnull
    {
        if (_scope.Plain<MapColumn<TMapKey, TValue>>(state) is not { } column) return RemoveLiving(state, mapKey);
        if (_scope.Undo is { } undo) undo.Remember(column, _slot, mapKey);
        return column.Remove(_slot, mapKey);
    }

    /// <summary>How many entries the key's map has. Takes time of their number if they expire.</summary>
    public int Count<TMapKey, TValue>(MapState<TMapKey, TValue> state)
        where TMapKey : notnull => _scope.Plain<MapColumn<TMapKey, TValue>>(state) is { } column ? column.Count(_slot) : CountLiving(state);

    /// <summary>The entries of the key's map, in no order. Changing the map ends the enumeration with an exception.</summary>
    public IEnumerable<KeyValuePair<TMapKey, TValue>> Entries<TMapKey, TValue>(MapState<TMapKey, TValue> state)
        where TMapKey : notnull => _scope.Plain<MapColumn<TMapKey, TValue>>(state) is { } column ? column.Entries(_slot) : LivingEntries(state);

    /// <summary>Empties the key's map.</summary>
    public void Clear<TMapKey, TValue>(MapState<TMapKey, TValue> state)
        where TMapKey : notnull
    {
        if (_scope.Plain<MapColumn<TMapKey, TValue>>(state) is not { } column)
        {
            ClearLivingEntries(state);
            return;
        }

        if (_scope.Undo is { } undo)
        {
            foreach (var entry in column.Entries(_slot).ToArray()) undo.Remember(column, _slot, entry.Key);
        }

        column.Clear(_slot);
    }

    /// <summary>
    /// Asks to be called when the watermark passes a time. A repeat for the same key and time is one timer. A time that has passed fires with the next watermark; set by a timer, with
    /// the same one. What a watermark passes fires in the order of time, and at one time in an order of the keys that is the same in every run.
    /// </summary>
    /// <param name="timestamp">Milliseconds since 1970.</param>
    public void RegisterEventTimer(long timestamp)
    {
        if (_scope.Table.EventTimers.Register(_slot, timestamp) && _scope.Undo is { } undo) undo.Registered(_scope.Table.EventTimers, _slot, timestamp);
    }

    /// <summary>Takes an event-time timer back, one that the present watermark has passed too if it has not fired yet; nothing happens when there is none.</summary>
    public void DeleteEventTimer(long timestamp)
    {
        if (_scope.Table.EventTimers.Delete(_slot, timestamp) && _scope.Undo is { } undo) undo.Deleted(_scope.Table.EventTimers, _slot, timestamp);
    }

    /// <summary>Asks to be called when the clock passes a time, or at once when it has passed it. A repeat for the same key and time is one timer. What is due fires in the order of time.</summary>
    /// <param name="timestamp">Milliseconds since 1970.</param>
    public void RegisterProcessingTimer(long timestamp)
    {
        if (_scope.Table.ProcessingTimers.Register(_slot, timestamp) && _scope.Undo is { } undo) undo.Registered(_scope.Table.ProcessingTimers, _slot, timestamp);
    }

    /// <summary>Takes a processing-time timer back; nothing happens when there is none.</summary>
    public void DeleteProcessingTimer(long timestamp)
    {
        if (_scope.Table.ProcessingTimers.Delete(_slot, timestamp) && _scope.Undo is { } undo) undo.Deleted(_scope.Table.ProcessingTimers, _slot, timestamp);
    }

    /// <summary>Emits a result with the time of the record or timer.</summary>
    public void Emit(TOut result) => _scope.Emit(result, Timestamp);

    /// <summary>Emits a result with a time of its own.</summary>
    public void Emit(TOut result, long timestamp) => _scope.Emit(result, timestamp);

    /// <summary>Emits a record to a side output.</summary>
    public void Emit<TSide>(SideOutput<TSide> output, TSide record) => _scope.EmitSide(output, record, Timestamp);
}
