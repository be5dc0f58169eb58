using System.Runtime.InteropServices;
using OrleansStream.Stages;
using OrleansStream.State;

namespace OrleansStream.Patterns;

// Contract: what partial matches of a key have taken, each record and each common beginning once.
// - A node counts the partial matches that end in it and the nodes behind it; at 0 it goes, and with it its use of the node before and of its record.
// - What a step decides is told in one go: `Take` only proposes nodes, which no column knows until `Commit` finds one in use. So a condition that throws leaves nothing behind.

/// <summary>The records that the partial matches of the key at hand have taken.</summary>
internal sealed class MatchStore<T>(string[] names, MapColumn<long, MatchNode> nodes, MapColumn<long, KeptRecord<T>> records)
{
    private readonly List<MatchNode> _proposed = [];
    private readonly Dictionary<long, int> _changes = [];
    private readonly List<(int Step, T Record)> _chain = [];
    private readonly int[] _counts = new int[names.Length];
    private int _slot;
    private long _lastNode;
    private long _lastRecord;
    private T _record = default!;
    private long _time;

    /// <summary>The number that the record at hand has if it is kept.</summary>
    public long RecordNumber => _lastRecord + 1;

    public long LastNode => _lastNode;

    public long LastRecord => _lastRecord;

    /// <summary>How many nodes the key has.</summary>
    public int Count => nodes.Count(_slot);

    public void Open(int slot, PatternCursor cursor)
    {
        _slot = slot;
        _lastNode = cursor.Nodes;
        _lastRecord = cursor.Records;
    }

    /// <summary>Begins a step, with the record at hand or, when time passes, without.</summary>
    public void Begin(T record, long time)
    {
        _record = record;
        _time = time;
        Drop();
    }

    /// <summary>Forgets what was proposed.</summary>
    public void Drop()
    {
        _proposed.Clear();
        _changes.Clear();
    }

    /// <summary>Proposes the record at hand as the next behind a node; the number of the new node.</summary>
    public long Take(long parent, int step)
    {
        _proposed.Add(new MatchNode(parent, RecordNumber, step, 0));
        return _lastNode + _proposed.Count;
    }

    /// <summary>In how many proposed nodes partial matches end.</summary>
    public int CountNew(List<PartialMatch> partials)
    {
        var count = 0;
        var last = _lastNode;
        foreach (var partial in partials)
        {
            // Those that end in one node came of one partial match, so they stand together or in the order of proposing.
            if (partial.Node <= last) continue;
            last = partial.Node;
            count++;
        }

        return count;
    }

    /// <summary>One more partial match ends in a node, or one less.</summary>
    public void Use(long node, int change)
    {
        if (node != 0) _changes[node] = _changes.GetValueOrDefault(node) + change;
    }

    /// <summary>What was told becomes state.</summary>
    public void Commit()
    {
        var kept = 0;
        var renumbered = _proposed.Count > 0 ? KeepProposed(ref kept) : 0;
        foreach (var (node, change) in _changes)
        {
            if (change > 0 && node <= _lastNode) Change(node, change);
        }

        foreach (var (node, change) in _changes)
        {
            if (change < 0 && node <= _lastNode) Change(node, change);
        }

        if (kept > 0)
        {
            _lastRecord++;
            records.Set(_slot, _lastRecord, new KeptRecord<T>(_record, _time, kept));
        }

        _lastNode += renumbered;
        Drop();
    }

    /// <summary>The records of a partial match or match, in the order of the pattern's steps.</summary>
    public Match<T> MatchOf(in PartialMatch match)
    {
        ReadChain(match.Node);
        // Per match, and often on the way of every record: exact arrays, handed over as they are.
        Array.Clear(_counts);
        var taking = 0;
        foreach (var taken in _chain) taking += _counts[taken.Step]++ == 0 ? 1 : 0;
        var steps = new MatchedStep<T>[taking];
        taking = 0;
        for (var step = 0; step < names.Length; step++)
        {
            if (_counts[step] == 0) continue;
            var took = new T[_counts[step]];
            var last = took.Length;
            // The chain is read from its end.
            foreach (var taken in _chain)
            {
                if (taken.Step == step) took[--last] = taken.Record;
            }

            steps[taking++] = new MatchedStep<T>(names[step], ImmutableCollectionsMarshal.AsImmutableArray(took));
        }

        _chain.Clear();
        return new Match<T>(ImmutableCollectionsMarshal.AsImmutableArray(steps), match.StartTime, match.LastTime);
    }

    /// <summary>Puts what leads up to a node into a list per step.</summary>
    public void Fill(long node, List<T>[] taken)
    {
        ReadChain(node);
        for (var i = _chain.Count - 1; i >= 0; i--) taken[_chain[i].Step].Add(_chain[i].Record);
        _chain.Clear();
    }

    /// <summary>The number of the first or last record that a step took on the way to a node; 0 when it took none.</summary>
    public long RecordOf(long node, int step, bool first)
    {
        var found = 0L;
        for (; node != 0; node = NodeAt(node).Parent)
        {
            var at = NodeAt(node);
            if (at.Step != step) continue;
            found = at.Record;
            if (!first) break;
        }

        return found;
    }

    /// <summary>The number of the last record on the way to a node.</summary>
    public long LastRecordOf(long node) => NodeAt(node).Record;

    private int KeepProposed(ref int kept)
    {
        for (var i = 0; i < _proposed.Count; i++)
        {
            var node = _proposed[i];
            var uses = _changes.GetValueOrDefault(_lastNode + 1 + i);
            if (uses == 0) continue;
            nodes.Set(_slot, _lastNode + 1 + i, node with { Uses = uses });
            Use(node.Parent, 1);
            kept++;
        }

        return _proposed.Count;
    }

    private void Change(long node, int change)
    {
        while (node != 0)
        {
            var at = NodeAt(node);
            var uses = at.Uses + change;
            if (uses > 0)
            {
                nodes.Set(_slot, node, at with { Uses = uses });
                return;
            }

            nodes.Remove(_slot, node);
            Release(at.Record);
            node = at.Parent;
            change = -1;
        }
    }

    private void Release(long record)
    {
        var kept = KeptAt(record);
        if (kept.Uses == 1) records.Remove(_slot, record);
        else records.Set(_slot, record, kept with { Uses = kept.Uses - 1 });
    }

    private void ReadChain(long node)
    {
        _chain.Clear();
        while (node != 0)
        {
            var at = NodeAt(node);
            _chain.Add((at.Step, node > _lastNode ? _record : KeptAt(at.Record).Record));
            node = at.Parent;
        }
    }

    private MatchNode NodeAt(long node)
    {
        if (node > _lastNode) return _proposed[(int)(node - _lastNode - 1)];
        return nodes.TryGet(_slot, node, out var at) ? at : throw new InvariantException($"A partial match ends in node {node}, which is not there.");
    }

    private KeptRecord<T> KeptAt(long record) =>
        records.TryGet(_slot, record, out var kept) ? kept : throw new InvariantException($"A partial match has taken record {record}, which is not there.");
}
