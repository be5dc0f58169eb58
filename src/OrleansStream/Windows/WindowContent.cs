using OrleansStream.Functions;
using OrleansStream.State;

namespace OrleansStream.Windows;

/// <summary>What windows keep of their records until they fire.</summary>
internal abstract class WindowContent<TKey, TIn>
    where TKey : notnull
{
    /// <summary>The state it rests in; its name is one that no user can give.</summary>
    public abstract StateDeclaration State { get; }

    /// <summary>Takes its column, once the table is there.</summary>
    public abstract void Open(WindowScope<TKey> scope);

    public abstract bool IsEmpty(int slot);

    public abstract void Add(int slot, in TIn record, long timestamp);

    /// <summary>Takes into a window what a later one has.</summary>
    public abstract void Merge(int slot, int later);

    public abstract void Clear(int slot);

    public abstract void Fire(in Firing<TKey> at);
}

/// <summary>An accumulator.</summary>
internal sealed class AggregateContent<TKey, TIn, TAccumulator, TResult>(AggregateFunction<TIn, TAccumulator, TResult> aggregate, Func<WindowScope<TKey>, FiringTarget<TKey, TResult>> makeTarget)
    : WindowContent<TKey, TIn>
    where TKey : notnull
{
    private readonly ValueState<TAccumulator> _state = new(".accumulator");
    private WindowScope<TKey> _scope = null!;
    private ValueColumn<TAccumulator> _column = null!;
    private FiringTarget<TKey, TResult> _target = null!;

    public override StateDeclaration State => _state;

    public override void Open(WindowScope<TKey> scope)
    {
        _scope = scope;
        _column = scope.Windows.Values(_state);
        _target = makeTarget(scope);
    }

    public override bool IsEmpty(int slot) => !_column.Has(slot);

    public override void Add(int slot, in TIn record, long timestamp)
    {
        if (_scope.Undo is { } undo)
        {
            // On a copy, so that what throws half way is never seen.
            var copy = _column.Has(slot) ? _column.Get(slot) : aggregate.Create();
            aggregate.Add(ref copy, in record);
            undo.Remember(_column, slot);
            _column.Set(slot, in copy);
            return;
        }

        var isNew = !_column.Has(slot);
        ref var accumulator = ref _column.GetRefForWrite(slot);
        if (isNew) accumulator = aggregate.Create();
        aggregate.Add(ref accumulator, in record);
    }

    public override void Merge(int slot, int later)
    {
        if (!_column.Has(later)) return;
        var merged = _column.Has(slot) ? _column.Get(slot) : aggregate.Create();
        aggregate.Merge(ref merged, _column.Get(later));
        _scope.Undo?.Remember(_column, slot);
        _column.Set(slot, in merged);
    }

    public override void Clear(int slot)
    {
        _scope.Undo?.Remember(_column, slot);
        _column.Clear(slot);
    }

    public override void Fire(in Firing<TKey> at) => _target.Fire(in at, aggregate.Result(_column.Get(at.Slot)));
}

/// <summary>All records.</summary>
internal sealed class ListContent<TKey, TIn>(Func<WindowScope<TKey>, FiringTarget<TKey, IReadOnlyList<TIn>>> makeTarget) : WindowContent<TKey, TIn>
    where TKey : notnull
{
    private readonly ListState<TIn> _state = new(".records");
    private WindowScope<TKey> _scope = null!;
    private ListColumn<TIn> _column = null!;
    private FiringTarget<TKey, IReadOnlyList<TIn>> _target = null!;

    public override StateDeclaration State => _state;

    public override void Open(WindowScope<TKey> scope)
    {
        _scope = scope;
        _column = scope.Windows.Lists(_state);
        _target = makeTarget(scope);
    }

    public override bool IsEmpty(int slot) => _column.Count(slot) == 0;

    public override void Add(int slot, in TIn record, long timestamp)
    {
        _scope.Undo?.Remember(_column, slot);
        _column.Add(slot, in record);
    }

    public override void Merge(int slot, int later)
    {
        _scope.Undo?.Remember(_column, slot);
        foreach (ref readonly var record in _column.Items(later)) _column.Add(slot, in record);
    }

    public override void Clear(int slot)
    {
        _scope.Undo?.Remember(_column, slot);
        _column.Clear(slot);
    }

    public override void Fire(in Firing<TKey> at) => _target.Fire(in at, _column.Items(at.Slot).ToArray());
}

/// <summary>All records with their times, for an evictor.</summary>
internal sealed class EvictedContent<TKey, TIn>(Evictor<TIn> evictor, Func<WindowScope<TKey>, FiringTarget<TKey, IReadOnlyList<TIn>>> makeTarget) : WindowContent<TKey, TIn>
    where TKey : notnull
{
    private readonly ListState<WindowRecord<TIn>> _state = new(".timed-records");
    private WindowScope<TKey> _scope = null!;
    private ListColumn<WindowRecord<TIn>> _column = null!;
    private FiringTarget<TKey, IReadOnlyList<TIn>> _target = null!;

    public override StateDeclaration State => _state;

    public override void Open(WindowScope<TKey> scope)
    {
        _scope = scope;
        _column = scope.Windows.Lists(_state);
        _target = makeTarget(scope);
    }

    public override bool IsEmpty(int slot) => _column.Count(slot) == 0;

    public override void Add(int slot, in TIn record, long timestamp)
    {
        _scope.Undo?.Remember(_column, slot);
        _column.Add(slot, new WindowRecord<TIn>(record, timestamp));
    }

    public override void Merge(int slot, int later)
    {
        _scope.Undo?.Remember(_column, slot);
        foreach (ref readonly var record in _column.Items(later)) _column.Add(slot, in record);
    }

    public override void Clear(int slot)
    {
        _scope.Undo?.Remember(_column, slot);
        _column.Clear(slot);
    }

    public override void Fire(in Firing<TKey> at)
    {
        var records = new List<WindowRecord<TIn>>(_column.Count(at.Slot));
        records.AddRange(_column.Items(at.Slot));
        var context = new EvictorContext(at.Window, _scope.Watermark, _scope.ProcessingTime);
        evictor.EvictBefore(records, in context);
        if (records.Count > 0) _target.Fire(in at, [.. records.Select(static record => record.Value)]);
        evictor.EvictAfter(records, in context);
        if (records.Count == _column.Count(at.Slot)) return;
        _scope.Undo?.Remember(_column, at.Slot);
        _column.Replace(at.Slot, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(records));
    }
}
