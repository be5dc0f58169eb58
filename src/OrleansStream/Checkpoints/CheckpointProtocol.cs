using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Sources;
using OrleansStream.Stages;

namespace OrleansStream.Checkpoints;

/// <summary>Where the checkpoints of an attempt stand.</summary>
internal enum CheckpointPhase
{
    /// <summary>None is in flight.</summary>
    Waiting,

    /// <summary>Barriers are under way; receipts come in.</summary>
    Collecting,

    /// <summary>All receipts are in; the manifest is being published.</summary>
    Publishing,

    /// <summary>The manifest is published; sinks commit.</summary>
    Committing,
}

/// <summary>
/// Decides the checkpoints of one attempt. Invariants: one checkpoint is in flight at a time; an id is never used again; a manifest is made only of receipts
/// of this attempt's openings, one from every subtask, each naming a durable segment; every sink's pending output of every receipt is in it;
/// a delta is appended only to the chain of the very checkpoint that it builds on.
/// </summary>
internal sealed class CheckpointProtocol
{
    /// <summary>How many times longer, and larger, the chain may become while silos read ahead.</summary>
    private const int KeptChainFactor = 4;

    private readonly Attempt _attempt;
    private readonly JobPlan _plan;
    private readonly SubtaskTable _table;
    private readonly CheckpointRules _rules;
    private readonly IReadOnlyDictionary<string, IReadOnlyList<SourceSplit>> _sources;
    private readonly IReadOnlyDictionary<string, long> _outputsBefore;
    private readonly Dictionary<SubtaskId, Receipt> _receipts = [];
    private readonly HashSet<SubtaskId> _ended = [];
    private Manifest? _published;
    private CheckpointId _current;
    private bool _currentFinal;
    private bool _isAsked;
    private bool _isReadNext;
    private bool _holds;
    private bool _keepsChain;
    private long _triggeredAt;
    private long _number;
    private long _deltaBytes;
    private long? _newestDeltaBytes;
    private int _deltas;

    public CheckpointProtocol(
        Attempt attempt, JobPlan plan, SubtaskTable table, CheckpointRules rules, IReadOnlyDictionary<string, IReadOnlyList<SourceSplit>> sources, Manifest? restored, long now)
    {
        _attempt = attempt;
        _plan = plan;
        _table = table;
        _rules = rules;
        _sources = sources;
        _published = restored;
        _outputsBefore = restored?.Sinks.ToDictionary(static sink => sink.Key, static sink => sink.Value.OutputCount) ?? [];
        _triggeredAt = now;
        if (restored is not null) MeasureChain(restored);
    }

    public CheckpointPhase Phase { get; private set; }

    /// <summary>The checkpoint in flight.</summary>
    public CheckpointId Current => _current;

    /// <summary>The last one published in this attempt, or the one it began from.</summary>
    public Manifest? Published => _published;

    public bool AllEnded => _ended.Count == _table.Addresses.Count;

    /// <summary>How many checkpoints in a row were given up.</summary>
    public int GivenUp { get; private set; }

    /// <summary>When <see cref="TryBegin"/> or <see cref="TryGiveUp"/> should next be asked, in the caller's milliseconds.</summary>
    public long NextAt => Phase switch
    {
        CheckpointPhase.Waiting when _isAsked || AllEnded => long.MinValue,
        CheckpointPhase.Waiting => _triggeredAt + (long)_rules.Interval.TotalMilliseconds,
        CheckpointPhase.Collecting => _triggeredAt + (long)_rules.Timeout.TotalMilliseconds,
        _ => long.MaxValue,
    };

    /// <summary>Asks for a checkpoint at once, behind the one in flight.</summary>
    /// <param name="move">What it, and any after it, is to be read next for; null when it is for nothing in particular.</param>
    public void Ask(PlannedMove? move = null)
    {
        _isAsked = true;
        _isReadNext |= move is not null;
        _holds |= move is { KeepsTables: true };
        if (move is not null) _keepsChain = move.IsReadAhead;
    }

    /// <summary>Lets the chain grow, to some times its length, until a move is asked for: silos are reading it, and a full snapshot would have them begin anew.</summary>
    public void KeepChain() => _keepsChain = true;

    /// <summary>Begins a checkpoint when one is due: the barrier, and the subtasks to be told. Sources start it; subtasks whose input has ended must be told too.</summary>
    public bool TryBegin(long now, out Barrier barrier, out IReadOnlyList<SubtaskId> targets)
    {
        barrier = default;
        targets = [];
        if (Phase != CheckpointPhase.Waiting || now < NextAt) return false;
        _current = new CheckpointId(_attempt, ++_number);
        _currentFinal = AllEnded;
        barrier = new Barrier(_current, IsFullDue, _holds);
        IsReadNext = _isReadNext;
        _isAsked = false;
        _triggeredAt = now;
        _receipts.Clear();
        Phase = CheckpointPhase.Collecting;
        targets = [.. _table.Addresses.Keys.Where(subtask => _plan.Stages[subtask.Stage].Head is SourceNode || _ended.Contains(subtask))];
        CurrentBarrier = barrier;
        return true;
    }

    /// <summary>Whether the checkpoint in flight was begun to be read at once: what has begun before does not count.</summary>
    public bool IsReadNext { get; private set; }

    /// <summary>The barrier of the checkpoint in flight.</summary>
    public Barrier CurrentBarrier { get; private set; }

    /// <summary>Gives up a checkpoint whose receipts take too long. Its output stays pending and is named by the next.</summary>
    public bool TryGiveUp(long now)
    {
        if (Phase != CheckpointPhase.Collecting || now < NextAt) return false;
        Phase = CheckpointPhase.Waiting;
        GivenUp++;
        return true;
    }

    /// <summary>Of which subtasks the receipt for the current checkpoint is not in, in their order.</summary>
    public IEnumerable<SubtaskId> Missing => _table.Addresses.Keys.Where(subtask => !_receipts.ContainsKey(subtask)).OrderBy(static subtask => subtask.Stage).ThenBy(static subtask => subtask.Index);

    /// <summary>Whether a subtask's opening counts in this attempt.</summary>
    public bool Knows(SubtaskId subtask, Incarnation incarnation) => _table.Addresses.TryGetValue(subtask, out var address) && address.Incarnation == incarnation;

    /// <summary>Notes that a subtask's input has ended; true when it must be told of the checkpoint in flight, which no barrier will bring it.</summary>
    public bool OnEnded(SubtaskId subtask) => _ended.Add(subtask) && Phase == CheckpointPhase.Collecting && !_receipts.ContainsKey(subtask);

    /// <summary>Takes a receipt; true when it was the last one missing. Receipts of other checkpoints and repeats are ignored.</summary>
    public bool OnReceipt(Receipt receipt)
    {
        if (Phase != CheckpointPhase.Collecting || receipt.Checkpoint != _current || !Knows(receipt.Subtask, receipt.Incarnation)) return false;
        if (receipt.Base is { } builtOn && builtOn != _published?.Id)
        {
            throw new InvariantException($"Subtask {receipt.Subtask} built its part of checkpoint {_current} on {builtOn}, but the last one published is {_published?.Id.ToString() ?? "none"}.");
        }

        _receipts[receipt.Subtask] = receipt;
        if (_receipts.Count < _table.Addresses.Count) return false;
        Phase = CheckpointPhase.Publishing;
        return true;
    }

    /// <summary>The manifest of the checkpoint whose receipts are all in.</summary>
    public Manifest MakeManifest()
    {
        if (Phase != CheckpointPhase.Publishing) throw new InvariantException($"A manifest was asked for while checkpoints are {Phase}.");
        var isFull = _receipts.Values.All(static receipt => receipt.Base is null);
        return new Manifest(
            _plan.Job,
            _current,
            _plan.Fingerprint,
            isFull ? _current : _published!.Generation,
            _currentFinal,
            _plan.Parallelism,
            _plan.MaxParallelism,
            [.. _plan.Stages.Select(StageOf)],
            SinksOf(),
            _sources);
    }

    /// <summary>The manifest is published.</summary>
    public void OnPublished(Manifest manifest)
    {
        if (Phase != CheckpointPhase.Publishing || manifest.Id != _current) throw new InvariantException($"Checkpoint {manifest.Id} was published while {_current} is {Phase}.");
        _published = manifest;
        MeasureChain(manifest);
        GivenUp = 0;
        Phase = CheckpointPhase.Committing;
    }

    /// <summary>All subtasks know of the publication and all sinks have committed.</summary>
    public void OnCommitted() => Phase = CheckpointPhase.Waiting;

    private long FullBytes => (_published?.StateBytes() ?? 0) - _deltaBytes;

    /// <summary>
    /// Whether the next snapshot is to be full. One that all is read of next, while the job waits, is better full than a long chain: its own delta counts with the others, taken to be as large as the
    /// newest one. One that holds is waited for while it is written, and little of it is read. Of one whose chain was read ahead, only what follows is read.
    /// </summary>
    private bool IsFullDue => _published is null
        || _deltas >= _rules.LongestChain * ChainFactor
        || _deltaBytes > _rules.LargestDeltaShare * ChainFactor * FullBytes
        || (!_keepsChain && _isReadNext && !_holds && (_newestDeltaBytes is not { } newest || _deltaBytes + newest > _rules.LargestDeltaShareReadNext * FullBytes));

    private int ChainFactor => _keepsChain ? KeptChainFactor : 1;

    private StageManifest StageOf(PlannedStage stage) => new(
        stage.Name,
        stage.Parallelism,
        [.. Enumerable.Range(0, stage.Parallelism).Select(index =>
        {
            var receipt = _receipts[new SubtaskId(stage.Index, index)];
            IEnumerable<SegmentRef> before = receipt.Base is null ? [] : _published!.Stages.Single(other => other.Name == stage.Name).Subtasks[index].Segments;
            return new SubtaskManifest(index, receipt.KeyGroups, [.. before, receipt.Segment]);
        })]);

    private Dictionary<string, SinkManifest> SinksOf()
    {
        var sinks = _plan.Graph.Sinks.ToDictionary(
            static sink => sink.Name,
            sink => (Pending: new List<PendingOutput>(), Count: _outputsBefore.GetValueOrDefault(sink.Name)));
        foreach (var receipt in _receipts.Values.OrderBy(static receipt => receipt.Subtask.Index))
        {
            foreach (var sink in receipt.Sinks)
            {
                var (pending, count) = sinks[sink.Sink];
                pending.AddRange(sink.Pending);
                sinks[sink.Sink] = (pending, count + sink.Prepared);
            }
        }

        return sinks.ToDictionary(static sink => sink.Key, static sink => new SinkManifest(sink.Value.Pending, sink.Value.Count));
    }

    private void MeasureChain(Manifest manifest)
    {
        _deltas = manifest.Stages.SelectMany(static stage => stage.Subtasks).Select(static subtask => subtask.Segments.Count - 1).DefaultIfEmpty(0).Max();
        _deltaBytes = manifest.Stages.SelectMany(static stage => stage.Subtasks).SelectMany(static subtask => subtask.Segments.Skip(1)).Sum(static segment => segment.LengthBytes);
        if (_deltas > 0) _newestDeltaBytes = manifest.Stages.SelectMany(static stage => stage.Subtasks).Where(static subtask => subtask.Segments.Count > 1).Sum(static subtask => subtask.Segments[^1].LengthBytes);
    }
}

/// <summary>How checkpoints are taken.</summary>
internal sealed record CheckpointRules
{
    public required TimeSpan Interval { get; init; }

    /// <summary>After how long a checkpoint whose receipts are not all in is given up.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How many in a row may be given up before the attempt ends.</summary>
    public int TolerableGivenUp { get; init; } = 3;

    /// <summary>The most deltas on one full snapshot.</summary>
    public int LongestChain { get; init; } = 10;

    /// <summary>How large the deltas may be together, as a share of the full snapshot, before the next snapshot is full again.</summary>
    public double LargestDeltaShare { get; init; } = 1.0;

    /// <summary>The same for a snapshot that is read as soon as it is written, as for a planned move: writing more while the job runs is cheaper than reading more while it waits.</summary>
    public double LargestDeltaShareReadNext { get; init; } = 0.1;

    /// <summary>How many of the newest checkpoints are kept.</summary>
    public int RetainedCount { get; init; } = Retention.DefaultRetainedCount;
}
