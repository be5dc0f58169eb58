using OrleansStream.State;

namespace OrleansStream.Functions;

// What is done with state that expires; state that stays does not come here. Reading refreshes times where the policy says so, and that is undone as
// writing is: a record that goes to the dead letters has not read either.

/// <summary>State that expires.</summary>
public readonly partial struct KeyedContext<TKey, TOut>
{
    private bool HasLiving<T>(StateDeclaration state)
    {
        var expiry = _scope.Expiring<ValueExpiry<T>>(state);
        if (_scope.Undo is { } undo && expiry.RefreshesOnRead) undo.Remember(expiry.Times, _slot);
        return expiry.Has(_slot, Now(expiry));
    }

    private T GetLiving<T>(ValueState<T> state)
    {
        var expiry = _scope.Expiring<ValueExpiry<T>>(state);
        if (_scope.Undo is { } undo && expiry.RefreshesOnRead) undo.Remember(expiry.Times, _slot);
        return expiry.Get(_slot, Now(expiry));
    }

    private void SetLiving<T>(StateDeclaration state, T value)
    {
        var expiry = _scope.Expiring<ValueExpiry<T>>(state);
        if (_scope.Undo is { } undo) undo.Remember(expiry, _slot);
        expiry.Set(_slot, value, Now(expiry));
    }

    private void ClearLiving<T>(StateDeclaration state)
    {
        var expiry = _scope.Expiring<ValueExpiry<T>>(state);
        if (_scope.Undo is { } undo) undo.Remember(expiry, _slot);
        expiry.Clear(_slot);
    }

    private ReadOnlySpan<T> LivingItems<T>(ListState<T> state)
    {
        var expiry = _scope.Expiring<ListExpiry<T>>(state);
        if (_scope.Undo is { } undo && expiry.RefreshesOnRead) undo.Remember(expiry.Times, _slot);
        return expiry.Items(_slot, Now(expiry));
    }

    private void AddLiving<T>(ListState<T> state, T item)
    {
        var expiry = _scope.Expiring<ListExpiry<T>>(state);
        if (_scope.Undo is { } undo) undo.Remember(expiry, _slot);
        expiry.Add(_slot, item, Now(expiry));
    }

    private void ReplaceLiving<T>(ListState<T> state, ReadOnlySpan<T> items)
    {
        var expiry = _scope.Expiring<ListExpiry<T>>(state);
        if (_scope.Undo is { } undo) undo.Remember(expiry, _slot);
        expiry.Replace(_slot, items, Now(expiry));
    }

    private void ClearLivingItems<T>(ListState<T> state)
    {
        var expiry = _scope.Expiring<ListExpiry<T>>(state);
        if (_scope.Undo is { } undo) undo.Remember(expiry, _slot);
        expiry.Clear(_slot);
    }

    private bool TryGetLiving<TMapKey, TValue>(MapState<TMapKey, TValue> state, TMapKey mapKey, out TValue value)
        where TMapKey : notnull
    {
        var expiry = _scope.Expiring<MapExpiry<TMapKey, TValue>>(state);
        if (_scope.Undo is { } undo && expiry.RefreshesOnRead) undo.Remember(expiry.Times, _slot, mapKey);
        return expiry.TryGet(_slot, mapKey, Now(expiry), out value);
    }

    private void SetLiving<TMapKey, TValue>(MapState<TMapKey, TValue> state, TMapKey mapKey, TValue value)
        where TMapKey : notnull
    {
        var expiry = _scope.Expiring<MapExpiry<TMapKey, TValue>>(state);
        if (_scope.Undo is { } undo) undo.Remember(expiry, _slot, mapKey);
        expiry.Set(_slot, mapKey, value, Now(expiry));
    }

    private bool RemoveLiving<TMapKey, TValue>(MapState<TMapKey, TValue> state, TMapKey mapKey)
        where TMapKey : notnull
    {
        var expiry = _scope.Expiring<MapExpiry<TMapKey, TValue>>(state);
        if (_scope.Undo is { } undo) undo.Remember(expiry, _slot, mapKey);
        return expiry.Remove(_slot, mapKey, Now(expiry));
    }

    private int CountLiving<TMapKey, TValue>(MapState<TMapKey, TValue> state)
        where TMapKey : notnull
    {
        var expiry = _scope.Expiring<MapExpiry<TMapKey, TValue>>(state);
        return expiry.Count(_slot, Now(expiry));
    }

    private IEnumerable<KeyValuePair<TMapKey, TValue>> LivingEntries<TMapKey, TValue>(MapState<TMapKey, TValue> state)
        where TMapKey : notnull
    {
        var expiry = _scope.Expiring<MapExpiry<TMapKey, TValue>>(state);
        return Living(expiry, _slot, Now(expiry), _scope.Undo);
    }

    private void ClearLivingEntries<TMapKey, TValue>(MapState<TMapKey, TValue> state)
        where TMapKey : notnull
    {
        var expiry = _scope.Expiring<MapExpiry<TMapKey, TValue>>(state);
        if (_scope.Undo is { } undo)
        {
            foreach (var entry in expiry.Maps.Entries(_slot)) undo.Remember(expiry, _slot, entry.Key);
        }

        expiry.Clear(_slot);
    }

    private static IEnumerable<KeyValuePair<TMapKey, TValue>> Living<TMapKey, TValue>(MapExpiry<TMapKey, TValue> expiry, int slot, long now, StateUndo? undo)
        where TMapKey : notnull
    {
        foreach (var entry in expiry.Maps.Entries(slot))
        {
            if (!expiry.IsLiving(slot, entry.Key, now)) continue;
            if (expiry.RefreshesOnRead)
            {
                undo?.Remember(expiry.Times, slot, entry.Key);
                expiry.Refresh(slot, entry.Key, now);
            }

            yield return entry;
        }
    }

    private long Now(StateExpiry expiry) => _scope.Now(expiry, Timestamp);
}
