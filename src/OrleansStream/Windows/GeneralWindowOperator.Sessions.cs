using OrleansStream.State;

namespace OrleansStream.Windows;

// A session lives in the slot of the window that it began with, and keeps its time of now beside: so it grows without its content being moved.

/// <summary>How windows of a key that overlap become one.</summary>
internal sealed partial class GeneralWindowOperator<TKey, TIn>
{
    private readonly Dictionary<TKey, List<int>> _sessions = [];
    private readonly List<int> _overlapping = [];

    private List<int> Sessions(TKey key)
    {
        if (!_sessions.TryGetValue(key, out var slots)) _sessions.Add(key, slots = []);
        return slots;
    }

    /// <summary>Adds a record with its window to the sessions of a key; false when it opens none, because its window is over.</summary>
    private bool AddToSession(TKey key, ulong hash, TimeWindow window, in TIn record, long timestamp)
    {
        _overlapping.Clear();
        if (_sessions.TryGetValue(key, out var slots))
        {
            foreach (var slot in slots)
            {
                if (_spans!.Get(slot).Overlaps(window)) _overlapping.Add(slot);
            }
        }

        if (_overlapping.Count == 0)
        {
            if (IsOver(window)) return false;
            var slot = _table.GetOrAddSlot(new WindowKey<TKey>(key, window.Start, window.End), hash);
            SetSpan(slot, window);
            Join(key, slot);
            AddTo(slot, key, hash, window, in record, timestamp);
            return true;
        }

        if (_overlapping.Count > 1) _overlapping.Sort((left, right) => _spans!.Get(left).Start.CompareTo(_spans.Get(right).Start));
        var first = _overlapping[0];
        var before = _spans!.Get(first);
        var span = before.Cover(window).Cover(_spans.Get(_overlapping[^1]));
        if (span != before) Grow(key, first, span);
        AddTo(first, key, hash, span, in record, timestamp);
        return true;
    }

    /// <summary>Gives a session its new time, and takes into it those that it overlaps now.</summary>
    private void Grow(TKey key, int slot, TimeWindow span)
    {
        _scope.Touch(slot);
        SetSpan(slot, span);
        for (var i = 1; i < _overlapping.Count; i++) _content.Merge(slot, _overlapping[i]);
        if (_trigger is not null)
        {
            var context = new TriggerContext(_scope, slot, span);
            var others = new WindowState[_overlapping.Count - 1];
            for (var i = 0; i < others.Length; i++) others[i] = new WindowState(_scope.Columns, _overlapping[i + 1]);
            _trigger.OnMerge(ref context, others);
        }

        for (var i = 1; i < _overlapping.Count; i++) Retire(key, _overlapping[i]);
    }

    /// <summary>Removes a session that became part of another: its timers are forgotten when they come due, as it has no time any more.</summary>
    private void Retire(TKey key, int slot)
    {
        _scope.Touch(slot);
        if (_trigger is not null)
        {
            var context = new TriggerContext(_scope, slot, _spans!.Get(slot));
            _trigger.Clear(ref context);
        }

        Leave(key, slot);
        Empty(slot);
        _ends.Remove(slot);
    }

    private void SetSpan(int slot, TimeWindow span)
    {
        _scope.Undo?.Remember(_spans!, slot);
        _spans!.Set(slot, span);
    }

    private void Join(TKey key, int slot)
    {
        Sessions(key).Add(slot);
        _scope.Undo?.Remember(() => Forget(key, slot));
    }

    private void Leave(TKey key, int slot)
    {
        Forget(key, slot);
        if (_scope.Undo is not { } undo) return;
        var (hash, span) = (_table.GroupHashOf(slot), _spans!.Get(slot));
        undo.Remember(() =>
        {
            Sessions(key).Add(slot);
            Await(slot, hash, span, Now);
        });
    }

    private void Forget(TKey key, int slot)
    {
        var slots = _sessions[key];
        slots.Remove(slot);
        if (slots.Count == 0) _sessions.Remove(key);
    }

    /// <summary>Clears everything that is kept of a window but its timers.</summary>
    private void Empty(int slot)
    {
        _content.Clear(slot);
        _scope.Columns.ClearAll(slot);
        if (_spans is not null) _scope.Columns.Clear(_spans, slot);
        if (_latest is not null) _scope.Columns.Clear(_latest, slot);
    }
}
