using OrleansStream.State;

namespace OrleansStream.Functions;

/// <summary>Remembers how state was before one record, so that a record that goes to the dead letters leaves nothing behind.</summary>
internal sealed class StateUndo
{
    private readonly Stack<Action> _steps = new();

    public void Remember<T>(ValueColumn<T> column, int slot)
    {
        if (column.Has(slot))
        {
            var before = column.Get(slot);
            _steps.Push(() => column.Set(slot, before));
        }
        else
        {
            _steps.Push(() => column.Clear(slot));
        }
    }

    public void Remember<T>(ListColumn<T> column, int slot) => _steps.Push(column.Saved(slot));

    /// <summary>Remembers something that is undone in a way of its own.</summary>
    public void Remember(Action step) => _steps.Push(step);

    public void Remember<TMapKey, TValue>(MapColumn<TMapKey, TValue> column, int slot, TMapKey mapKey)
        where TMapKey : notnull
    {
        if (column.TryGet(slot, mapKey, out var before)) _steps.Push(() => column.Set(slot, mapKey, before!));
        else _steps.Push(() => column.Remove(slot, mapKey));
    }

    public void Remember<T>(ValueExpiry<T> expiry, int slot)
    {
        Remember(expiry.Values, slot);
        Remember(expiry.Times, slot);
    }

    public void Remember<T>(ListExpiry<T> expiry, int slot)
    {
        Remember(expiry.Lists, slot);
        Remember(expiry.Times, slot);
    }

    public void Remember<TMapKey, TValue>(MapExpiry<TMapKey, TValue> expiry, int slot, TMapKey mapKey)
        where TMapKey : notnull
    {
        Remember(expiry.Maps, slot, mapKey);
        Remember(expiry.Times, slot, mapKey);
    }

    public void Registered(TimerTable timers, int slot, long at) => _steps.Push(() => timers.Delete(slot, at));

    public void Deleted(TimerTable timers, int slot, long at) => _steps.Push(() => timers.Register(slot, at));

    public void Undo()
    {
        while (_steps.TryPop(out var step)) step();
    }

    public void Forget() => _steps.Clear();
}
