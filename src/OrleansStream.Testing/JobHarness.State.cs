using OrleansStream.Functions;
using OrleansStream.State;

namespace OrleansStream.Testing;

/// <summary>What a test may ask of a job between two steps.</summary>
public sealed partial class JobHarness
{
    /// <summary>The value that a key has, or the state's default.</summary>
    /// <param name="operatorName">The operator's written name.</param>
    /// <param name="state">The state, as the function declares it.</param>
    /// <param name="key">The key.</param>
    public T Get<TKey, T>(string operatorName, ValueState<T> state, TKey key)
        where TKey : notnull => Find(operatorName, key, out var table, out var slot) ? table.Peek(state, slot) : state.Default;

    /// <summary>What the items of a key have been reduced to; the type's default when there was none.</summary>
    /// <inheritdoc cref="Get{TKey, T}(string, ValueState{T}, TKey)"/>
    public T Get<TKey, T>(string operatorName, ReducingState<T> state, TKey key)
        where TKey : notnull => Find(operatorName, key, out var table, out var slot) && table.TryPeek<T>(state, slot, out var value) ? value : default!;

    /// <summary>The result of a key's items; the type's default when there was none.</summary>
    /// <inheritdoc cref="Get{TKey, T}(string, ValueState{T}, TKey)"/>
    public TResult Get<TKey, TIn, TAccumulator, TResult>(string operatorName, AggregatingState<TIn, TAccumulator, TResult> state, TKey key)
        where TKey : notnull
    {
        ArgumentNullException.ThrowIfNull(state);
        return Find(operatorName, key, out var table, out var slot) && table.TryPeek<TAccumulator>(state, slot, out var accumulator) ? state.Aggregate.Result(in accumulator) : default!;
    }

    /// <summary>The items of a key's list.</summary>
    /// <inheritdoc cref="Get{TKey, T}(string, ValueState{T}, TKey)"/>
    public IReadOnlyList<T> Items<TKey, T>(string operatorName, ListState<T> state, TKey key)
        where TKey : notnull => Find(operatorName, key, out var table, out var slot) ? table.Peek(state, slot).ToArray() : [];

    /// <summary>The entries of a key's map.</summary>
    /// <inheritdoc cref="Get{TKey, T}(string, ValueState{T}, TKey)"/>
    public IReadOnlyDictionary<TMapKey, T> Entries<TKey, TMapKey, T>(string operatorName, MapState<TMapKey, T> state, TKey key)
        where TKey : notnull
        where TMapKey : notnull =>
        Find(operatorName, key, out var table, out var slot) ? new Dictionary<TMapKey, T>(table.Peek(state, slot)) : new Dictionary<TMapKey, T>();

    /// <summary>Whether a key has any state or timer in an operator.</summary>
    public bool HasState<TKey>(string operatorName, TKey key)
        where TKey : notnull => Find(operatorName, key, out _, out _);

    /// <summary>How many keys have state or timers in an operator, windows not counted.</summary>
    public int KeyCount(string operatorName) => Parts(operatorName).Sum(static part => part.KeyCount);

    /// <summary>The times of a key's event-time timers, earliest first, in milliseconds since 1970.</summary>
    public IReadOnlyList<long> EventTimers<TKey>(string operatorName, TKey key)
        where TKey : notnull => Find(operatorName, key, out var table, out var slot) ? table.EventTimers.TimesOf(slot) : [];

    /// <summary>The times of a key's processing-time timers, earliest first, in milliseconds since 1970.</summary>
    public IReadOnlyList<long> ProcessingTimers<TKey>(string operatorName, TKey key)
        where TKey : notnull => Find(operatorName, key, out var table, out var slot) ? table.ProcessingTimers.TimesOf(slot) : [];

    /// <summary>The watermark that an operator has reached: the lowest of its subtasks, <see cref="long.MinValue"/> before the first.</summary>
    public long Watermark(string operatorName) => _attempt.SubtasksOf(operatorName).Min(static subtask => subtask.Watermark);

    /// <summary>How many records came too late for their windows in the stage of an operator, since the last start.</summary>
    public long LateRecords(string operatorName) => _attempt.SubtasksOf(operatorName).Sum(static subtask => subtask.Context.Counters.LateRecords);

    /// <summary>How many records became dead letters in the stage of an operator, since the last start.</summary>
    public long DeadLetters(string operatorName) => _attempt.SubtasksOf(operatorName).Sum(static subtask => subtask.Context.Counters.DeadLetters);

    private IEnumerable<IKeyedTable> Parts(string operatorName)
    {
        foreach (var subtask in _attempt.SubtasksOf(operatorName))
        {
            foreach (var part in subtask.Context.State.Parts)
            {
                if (part is IKeyedTable table && part.Operator == operatorName) yield return table;
            }
        }
    }

    private bool Find<TKey>(string operatorName, TKey key, out KeyedStateTable<TKey> table, out int slot)
        where TKey : notnull
    {
        var hash = KeyCodec<TKey>.Default.Hash(key);
        var isKnown = false;
        foreach (var part in Parts(operatorName))
        {
            isKnown = true;
            table = part as KeyedStateTable<TKey> ?? throw new ArgumentException($"Operator '{operatorName}' has other keys than {typeof(TKey).Name}.");
            table.Time.SeeClock(ProcessingTime);
            if (table.TryGetSlot(key, hash, out slot)) return true;
        }

        if (!isKnown) throw new ArgumentException($"Operator '{operatorName}' keeps no keyed state.");
        table = null!;
        slot = -1;
        return false;
    }
}
