using System.Runtime.CompilerServices;
using OrleansStream.Sources;
using OrleansStream.Stages;
using OrleansStream.State;

namespace OrleansStream.Functions;

/// <summary>What a <see cref="KeyedContext{TKey, TOut}"/> stands on: one operator's state, its outputs, and the undoing of a record that fails.</summary>
internal sealed partial class KeyedScope<TKey, TOut>
    where TKey : notnull
{
    private readonly StateDeclaration[] _declarations;
    private readonly object?[] _columns;
    private readonly SubtaskContext _context;
    private readonly Output<TOut> _output;
    private readonly IReadOnlyDictionary<string, ISideOutput> _sides;

    /// <summary>The same in a row: they are flushed behind every timer, and a dictionary's enumerator would be an object each time.</summary>
    private readonly ISideOutput[] _everySide;
    private readonly string _operator;
    private readonly List<(TOut Value, long Timestamp)> _held = [];
    private readonly List<ISideRecord> _heldSide = [];

    public KeyedScope(
        string name, SubtaskContext context, IReadOnlyList<StateDeclaration> states, Output<TOut> output, IReadOnlyDictionary<string, ISideOutput> sides, bool undo)
    {
        _operator = name;
        _context = context;
        _output = output;
        _sides = sides;
        _everySide = [.. sides.Values];
        Undo = undo ? new StateUndo() : null;
        Table = new KeyedStateTable<TKey>(name, context.Groups, context.MaxParallelism, states, context.Serializers);
        _declarations = [.. states];
        _columns = [.. states.Select(state => Table.ExpiryOf(state) is null ? Table.ColumnOf(state) : null)];
        context.State.Register(Table);
    }

    public KeyedStateTable<TKey> Table { get; }

    /// <summary>Remembers what a record changed; null where a failing record ends the attempt anyway.</summary>
    public StateUndo? Undo { get; }

    public long Watermark { get; set; } = long.MinValue;

    public long ProcessingTime => _context.Now.Wall;

    /// <summary>The column of a state that stays.</summary>
    public TColumn Column<TColumn>(StateDeclaration state)
        where TColumn : class => Plain<TColumn>(state) ?? throw new InvalidOperationException($"State '{state.Name}' of operator '{_operator}' expires.");

    /// <summary>The column of a state; null for one that expires, whose column is not to be used without its times.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TColumn? Plain<TColumn>(StateDeclaration state)
        where TColumn : class
    {
        var declarations = _declarations;
        for (var i = 0; i < declarations.Length; i++)
        {
            // A reference look-up in a handful beats hashing; the declaration's type fixes the column's.
            if (ReferenceEquals(declarations[i], state)) return Unsafe.As<TColumn>(_columns[i]);
        }

        throw Undeclared(state);
    }

    public void Emit(in TOut value, long timestamp)
    {
        if (Undo is null) _output.Emit(value, timestamp);
        else _held.Add((value, timestamp));
    }

    public void EmitSide<TSide>(SideOutput<TSide> output, TSide record, long timestamp)
    {
        // An output that nobody reads is not written.
        if (!_sides.TryGetValue(output.Name, out var side)) return;
        if (side is not SideOutputTarget<TSide> typed) throw new InvalidOperationException($"Operator '{_operator}' has a side output '{output.Name}' of another type than {typeof(TSide).Name}.");
        if (Undo is null) typed.Output.Emit(record, timestamp);
        else _heldSide.Add(new SideRecord<TSide>(output, record, timestamp));
    }

    /// <summary>The record has succeeded: its results leave.</summary>
    public void Keep()
    {
        if (Undo is null) return;
        Undo.Forget();
        foreach (var (value, timestamp) in _held) _output.Emit(value, timestamp);
        foreach (var record in _heldSide) _sides[record.Output].Emit(record);
        _held.Clear();
        _heldSide.Clear();
    }

    /// <summary>The record has failed: nothing of it stays.</summary>
    public void TakeBack()
    {
        Undo?.Undo();
        _held.Clear();
        _heldSide.Clear();
    }

    public void Flush()
    {
        _output.Flush();
        foreach (var side in _everySide) side.Flush();
    }

    public void ForwardWatermark(long watermark)
    {
        _output.Watermark(watermark);
        foreach (var side in _everySide) side.Watermark(watermark);
        if (Table.HasExpiries) Passed(watermark);
    }

    private InvalidOperationException Undeclared(StateDeclaration state) =>
        new($"Operator '{_operator}' uses state '{state.Name}' that its function does not declare: add it to {nameof(KeyedFunction<int, int, int>.States)}.");
}
