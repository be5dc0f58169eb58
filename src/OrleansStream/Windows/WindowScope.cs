using OrleansStream.Functions;
using OrleansStream.Stages;
using OrleansStream.State;

namespace OrleansStream.Windows;

/// <summary>A window that fires.</summary>
/// <param name="Slot">Where its state is.</param>
/// <param name="Key">Its key.</param>
/// <param name="Hash">The hash of the key.</param>
/// <param name="Window">Its time.</param>
/// <param name="Kind">Whether it is early, on time or late.</param>
/// <param name="Timestamp">The time of its results.</param>
internal readonly record struct Firing<TKey>(int Slot, TKey Key, ulong Hash, TimeWindow Window, WindowFiring Kind, long Timestamp);

/// <summary>
/// The state of one operator's windows and of their keys, with the undoing of a record that fails. What is kept by window is a keyed table whose keys are windows (see <see cref="WindowKey{TKey}"/>);
/// what a function keeps by key over all its windows is a table of its own, there only if something is declared for it.
/// </summary>
internal sealed class WindowScope<TKey> : IWindowScope
    where TKey : notnull
{
    private readonly SubtaskContext _context;
    private readonly WindowOutputs _outputs;
    private readonly List<int> _touched = [];
    private readonly List<int> _touchedKeys = [];
    private readonly KeyedStateTable<TKey>? _keys;

    /// <summary>Opens the tables.</summary>
    /// <param name="name">The operator's name.</param>
    /// <param name="context">The subtask.</param>
    /// <param name="own">What the operator itself keeps of a window.</param>
    /// <param name="states">What trigger and function keep of a window.</param>
    /// <param name="keyStates">What the function keeps of a key.</param>
    /// <param name="outputs">Where results go.</param>
    /// <param name="isProcessingTime">Whether windows end by the clock.</param>
    /// <param name="undo">Whether a record that fails must leave nothing behind.</param>
    public WindowScope(
        string name, SubtaskContext context, IReadOnlyList<StateDeclaration> own, IReadOnlyList<StateDeclaration> states, IReadOnlyList<StateDeclaration> keyStates,
        WindowOutputs outputs, bool isProcessingTime, bool undo)
    {
        _context = context;
        _outputs = outputs;
        IsProcessingTime = isProcessingTime;
        Undo = undo ? new StateUndo() : null;
        Windows = context.State.Register(
            new KeyedStateTable<WindowKey<TKey>>(WindowKey.TableOf(name), context.Groups, context.MaxParallelism, [.. own, .. states], context.Serializers));
        Columns = new WindowColumns(name, states, Windows.ColumnOf, Undo);
        if (keyStates.Count > 0) _keys = context.State.Register(new KeyedStateTable<TKey>(name, context.Groups, context.MaxParallelism, keyStates, context.Serializers));

        KeyColumns = new WindowColumns(name, keyStates, state => _keys!.ColumnOf(state), Undo);
    }

    /// <summary>What is kept by window.</summary>
    public KeyedStateTable<WindowKey<TKey>> Windows { get; }

    public WindowColumns Columns { get; }

    public WindowColumns KeyColumns { get; }

    public TimerTable EventTimers => Windows.EventTimers;

    public TimerTable ProcessingTimers => Windows.ProcessingTimers;

    public StateUndo? Undo { get; }

    public bool IsProcessingTime { get; }

    public long Watermark { get; set; } = Time.EventTime.Beginning;

    public long ProcessingTime => _context.Now.Wall;

    /// <summary>Notes a slot, so that it is given back when the record or timer at hand is done and nothing is in it.</summary>
    public void Touch(int slot) => _touched.Add(slot);

    /// <summary>The slot of the key's own state; -1 where none is declared.</summary>
    public int KeySlotOf(TKey key, ulong hash)
    {
        if (_keys is null) return -1;
        var slot = _keys.GetOrAddSlot(key, hash);
        _touchedKeys.Add(slot);
        return slot;
    }

    /// <summary>The record or timer at hand has succeeded.</summary>
    /// <param name="released">Called for each slot that is given back.</param>
    public void Keep(Action<int> released)
    {
        if (Undo is not null)
        {
            Undo.Forget();
            _outputs.Keep();
        }

        Release(released);
    }

    /// <summary>The record at hand has failed.</summary>
    /// <param name="released">Called for each slot that is given back.</param>
    public void TakeBack(Action<int> released)
    {
        Undo?.Undo();
        _outputs.TakeBack();
        Release(released);
    }

    private void Release(Action<int> released)
    {
        foreach (var slot in _touched)
        {
            if (!Windows.IsLive(slot)) continue;
            Windows.ReleaseIfEmpty(slot);
            if (!Windows.IsLive(slot)) released(slot);
        }

        foreach (var slot in _touchedKeys) _keys!.ReleaseIfEmpty(slot);
        _touched.Clear();
        _touchedKeys.Clear();
    }
}
