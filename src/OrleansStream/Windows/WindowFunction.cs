using OrleansStream.Functions;
using OrleansStream.State;

namespace OrleansStream.Windows;

/// <summary>
/// A function over all records of a window at once, with state of the window and of its key. Created per subtask by a factory; calls come one at a time. It must not keep anything but what it
/// declares: fields are lost in a restart. Source: Flink's ProcessWindowFunction.
/// </summary>
/// <typeparam name="TKey">The type of the key.</typeparam>
/// <typeparam name="TIn">The type of a record; behind an aggregate, that of its result.</typeparam>
/// <typeparam name="TOut">The type of a result.</typeparam>
public abstract class WindowFunction<TKey, TIn, TOut>
    where TKey : notnull
{
    /// <summary>Every piece of state that the function keeps for a key, over all its windows.</summary>
    public virtual IReadOnlyList<StateDeclaration> States => [];

    /// <summary>Every piece of state that the function keeps for one window between its firings; it is cleared when the window is over. Windows that become one, sessions, can have none.</summary>
    public virtual IReadOnlyList<StateDeclaration> WindowStates => [];

    /// <summary>Makes results when a window fires.</summary>
    /// <param name="records">
    /// The records in the order in which they came, of sessions that became one those of the earlier session first; behind an aggregate its result alone. Valid during the call only.
    /// </param>
    /// <param name="context">The window at hand.</param>
    public abstract void Process(IReadOnlyList<TIn> records, ref WindowContext<TKey, TOut> context);
}

/// <summary>The window that fires: its key and time, its state, and where results go. Valid during one call only.</summary>
/// <typeparam name="TKey">The type of the key.</typeparam>
/// <typeparam name="TOut">The type of a result.</typeparam>
public readonly struct WindowContext<TKey, TOut>
    where TKey : notnull
{
    private readonly WindowScope<TKey> _scope;
    private readonly WindowOutputs<TOut> _outputs;
    private readonly int _slot;
    private readonly int _keySlot;

    internal WindowContext(WindowScope<TKey> scope, WindowOutputs<TOut> outputs, in Firing<TKey> at, int keySlot)
    {
        _scope = scope;
        _outputs = outputs;
        _slot = at.Slot;
        _keySlot = keySlot;
        Key = at.Key;
        Window = at.Window;
        Firing = at.Kind;
        Timestamp = at.Timestamp;
    }

    /// <summary>The key.</summary>
    public TKey Key { get; }

    /// <summary>The window.</summary>
    public TimeWindow Window { get; }

    /// <summary>Whether it fires before its end, at it, or for a late record.</summary>
    public WindowFiring Firing { get; }

    /// <summary>The time of results: the last millisecond of the window, or the latest time of its records where it has no end. In milliseconds since 1970.</summary>
    public long Timestamp { get; }

    /// <summary>The watermark, in milliseconds since 1970; <see cref="long.MinValue"/> before the first.</summary>
    public long Watermark => _scope.Watermark;

    /// <summary>The clock, in milliseconds since 1970. It differs from run to run: results that depend on it do too.</summary>
    public long ProcessingTime => _scope.ProcessingTime;

    /// <summary>What the function keeps for the window: see <see cref="WindowFunction{TKey, TIn, TOut}.WindowStates"/>.</summary>
    public WindowState WindowState => new(_scope.Columns, _slot);

    /// <summary>What the function keeps for the key: see <see cref="WindowFunction{TKey, TIn, TOut}.States"/>.</summary>
    public WindowState KeyState => new(_scope.KeyColumns, _keySlot);

    /// <summary>Emits a result.</summary>
    public void Emit(TOut result) => _outputs.Emit(in result, Timestamp);

    /// <summary>Emits a record to a side output.</summary>
    public void Emit<TSide>(SideOutput<TSide> output, TSide record)
    {
        ArgumentNullException.ThrowIfNull(output);
        _outputs.EmitSide(output, record, Timestamp);
    }
}
