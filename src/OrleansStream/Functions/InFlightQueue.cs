namespace OrleansStream.Functions;

/// <summary>A record that waits for its result, or a watermark that came between records.</summary>
internal sealed class InFlight<TIn, TOut>
{
    public required bool IsWatermark { get; init; }

    /// <summary>The record's event time, or the watermark.</summary>
    public required long Timestamp { get; set; }

    public TIn Record { get; init; } = default!;

    /// <summary>The hash of the record's key behind a keyed exchange.</summary>
    public ulong KeyHash { get; init; }

    /// <summary>The result is there, or it is certain that there will be none.</summary>
    public bool IsSettled { get; set; }

    public TOut Result { get; set; } = default!;

    /// <summary>Why there is no result.</summary>
    public Exception? Error { get; set; }

    /// <summary>How often it was asked for.</summary>
    public int Calls { get; set; }

    /// <summary>When it was first asked for, as a number that grows.</summary>
    public long Number { get; set; }

    /// <summary>When it is asked for again, in monotonic milliseconds.</summary>
    public long RetryAt { get; set; }

    /// <summary>When waiting ends, in monotonic milliseconds.</summary>
    public long Deadline { get; set; }

    /// <summary>Ends the calls; null before the first one.</summary>
    public CancellationTokenSource? Cancellation { get; set; }

    /// <summary>Between which two watermarks it is.</summary>
    public long Segment { get; set; }

    public LinkedListNode<InFlight<TIn, TOut>>? InQueue { get; set; }

    public LinkedListNode<InFlight<TIn, TOut>>? InTime { get; set; }
}

/// <summary>
/// Decides what leaves next. Invariants: a watermark leaves when everything before it has left, and what is behind it leaves later; of records between two
/// watermarks, ordered, each leaves when those before it have; unordered, when it is settled.
/// Source: Flink's OrderedStreamElementQueue and UnorderedStreamElementQueue.
/// </summary>
internal sealed class InFlightQueue<TIn, TOut>(AsyncOrder order)
{
    private readonly LinkedList<InFlight<TIn, TOut>> _all = new();

    /// <summary>Unordered: what is settled of the first segment, in the order of settling.</summary>
    private readonly Queue<InFlight<TIn, TOut>> _ready = new();
    private long _first;
    private long _last;

    public int Count => _all.Count;

    /// <summary>Everything, in the order of input.</summary>
    public IEnumerable<InFlight<TIn, TOut>> All => _all;

    /// <summary>Whether something may leave.</summary>
    public bool HasReady => _ready.Count > 0 || (_all.First is { Value: var first } && (first.IsWatermark || (order == AsyncOrder.Ordered && first.IsSettled)));

    public void Add(InFlight<TIn, TOut> item)
    {
        item.Segment = _last;
        item.InQueue = _all.AddLast(item);
    }

    /// <summary>Puts a watermark behind everything; of two in a row the later one counts.</summary>
    public void AddWatermark(long watermark)
    {
        if (_all.Last is { Value: { IsWatermark: true } last })
        {
            last.Timestamp = watermark;
            return;
        }

        Add(new InFlight<TIn, TOut> { IsWatermark = true, Timestamp = watermark });
        _last++;
    }

    /// <summary>Notes that an item has its result, or will have none.</summary>
    public void Settled(InFlight<TIn, TOut> item)
    {
        item.IsSettled = true;
        if (order == AsyncOrder.Unordered && item.Segment == _first) _ready.Enqueue(item);
    }

    /// <summary>Takes the next thing that may leave.</summary>
    public bool TryTake(out InFlight<TIn, TOut> item)
    {
        if (!_ready.TryDequeue(out item!))
        {
            if (!HasReady) return false;
            item = _all.First!.Value;
        }

        _all.Remove(item.InQueue!);
        if (item.IsWatermark) BeginSegment();
        return true;
    }

    /// <summary>The records up to the next watermark may leave now; those settled meanwhile at once.</summary>
    private void BeginSegment()
    {
        _first++;
        if (order == AsyncOrder.Ordered) return;
        for (var node = _all.First; node is { Value.IsWatermark: false }; node = node.Next)
        {
            if (node.Value.IsSettled) _ready.Enqueue(node.Value);
        }
    }
}
