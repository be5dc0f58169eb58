using System.Runtime.CompilerServices;
using OrleansStream.Stages;
using OrleansStream.State;

namespace OrleansStream.Functions;

/// <summary>What a <see cref="KeyedContext{TKey, TOut}"/> stands on: one operator's state, its outputs, and the undoing of a record that fails.</summary>
internal sealed partial class KeyedScope<TKey, TOut> : FunctionScope<TOut>
    where TKey : notnull
{
    private readonly StateDeclaration[] _declarations;
    private readonly object?[] _columns;
    private readonly SubtaskContext _context;

    public KeyedScope(
        string name, SubtaskContext context, IReadOnlyList<StateDeclaration> states, Output<TOut> output, IReadOnlyDictionary<string, ISideOutput> sides, bool undo)
        : base(name, context, output, sides, undo)
    {
        _context = context;
        Table = context.State.Register(new KeyedStateTable<TKey>(name, context.Groups, context.MaxParallelism, states, context.Serializers));
        _declarations = [.. states];
        _columns = [.. states.Select(state => Table.ExpiryOf(state) is null ? Table.ColumnOf(state) : null)];
    }

    public KeyedStateTable<TKey> Table { get; }

    /// <summary>The column of a state that stays.</summary>
    public TColumn Column<TColumn>(StateDeclaration state)
        where TColumn : class => Plain<TColumn>(state) ?? throw new InvalidOperationException($"State '{state.Name}' of operator '{Operator}' expires.");

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

    private InvalidOperationException Undeclared(StateDeclaration state) =>
        new($"Operator '{Operator}' uses state '{state.Name}' that its function does not declare: add it to {nameof(KeyedFunction<int, int, int>.States)}.");
}
