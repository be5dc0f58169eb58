using OrleansStream.Functions;
using OrleansStream.Jobs;
using OrleansStream.Stages;
using OrleansStream.State;

namespace OrleansStream.Sources;

/// <summary>What the rest of a chain may know of the source at its head.</summary>
internal interface ISourceSplits
{
    IReadOnlyList<string> Names { get; }

    bool IsEnded(int split);

    /// <summary>How far the split has come in event time, by its own word; null when it brings no watermarks.</summary>
    ITimedSplit? TimeOf(int split) => null;

    /// <summary>Where reading stands, for messages.</summary>
    string? Position { get; }
}

/// <summary>What a poll of the source found.</summary>
internal enum PollResult
{
    /// <summary>Records were handed on.</summary>
    Read,

    /// <summary>Nothing at hand: some splits wait for input, or the rate limit does not allow more yet.</summary>
    Dry,

    /// <summary>All splits have ended.</summary>
    Ended,
}

/// <summary>The head of a stage that reads a source.</summary>
internal abstract class SourceHead : Operator, ISourceSplits
{
    public abstract IReadOnlyList<string> Names { get; }

    public abstract bool IsEnded(int split);

    public abstract ITimedSplit? TimeOf(int split);

    public abstract string? Position { get; }

    public abstract PollResult Poll();

    /// <summary>Splits that have nothing at hand, each to be awaited once.</summary>
    public abstract bool TryTakeWaiting(out Func<CancellationToken, ValueTask> wait, out Action ready);

}

/// <summary>Reads the splits of one subtask in turn, one read each, and hands the records on with the split they came from.</summary>
internal sealed class SourceHead<T>(
    SubtaskContext context, Source<T> source, double? recordsPerSecond, Output<T> output, IReadOnlyDictionary<string, ISideOutput> sideOutputs) : SourceHead
{
    private const string SplitsBlob = "splits";

    private readonly List<OpenSplit> _splits = [];
    private readonly SourceOutput<T> _read = new(ReadSize);
    private readonly RateLimit _rate = new(Lower(recordsPerSecond, context.RecordsPerSecond) / context.Parallelism);
    private string[] _names = [];
    private int _next;

    /// <summary>The most records of one read.</summary>
    private const int ReadSize = 1024;

    public override IReadOnlyList<string> Names => _names;

    public override bool IsEnded(int split) => _splits[split].Ended;

    public override ITimedSplit? TimeOf(int split) => _splits[split].Reader as ITimedSplit;

    public override string? Position => _splits.Count == 0 ? null : _splits[context.CurrentSplit].Position;

    public override async ValueTask OpenAsync(CancellationToken cancellation)
    {
        var saved = Restore();
        foreach (var split in context.Splits[Name])
        {
            var found = saved.GetValueOrDefault(split.Name);
            var reader = found is { Ended: true } ? null : await source.OpenAsync(split, found?.Offset ?? ReadOnlyMemory<byte>.Empty, cancellation);
            _splits.Add(new OpenSplit(split.Name, reader, found?.Offset ?? ReadOnlyMemory<byte>.Empty));
        }

        _names = [.. _splits.Select(static split => split.Name)];
        context.EndedSplits = _splits.Count(static split => split.Ended);
    }

    public override PollResult Poll()
    {
        var alignment = context.Alignment;
        alignment?.Update();
        var allEnded = true;
        for (var tried = 0; tried < _splits.Count; tried++)
        {
            var index = _next;
            _next = (_next + 1) % _splits.Count;
            var split = _splits[index];
            if (split.Ended) continue;
            allEnded = false;
            if (split.Waiting || alignment?.IsPaused(index) == true) continue;

            var allowance = _rate.Allowance(context.Now.Elapsed, ReadSize);
            if (allowance == 0) return PollResult.Dry;
            if (Read(index, split, allowance)) return PollResult.Read;
            tried = -1;
            if (_splits.TrueForAll(static s => s.Ended || s.Waiting)) return _splits.TrueForAll(static s => s.Ended) ? PollResult.Ended : PollResult.Dry;
        }

        return allEnded ? PollResult.Ended : PollResult.Dry;
    }

    public override long? NextTime => _rate.NextAt(context.Now.Elapsed) is { } at ? context.Now.Wall + (at - context.Now.Elapsed) : null;

    public override bool TryTakeWaiting(out Func<CancellationToken, ValueTask> wait, out Action ready)
    {
        foreach (var split in _splits)
        {
            if (!split.Waiting || split.Awaited) continue;
            split.Awaited = true;
            wait = split.Reader!.WaitAsync;
            ready = () => split.Waiting = split.Awaited = false;
            return true;
        }

        wait = null!;
        ready = null!;
        return false;
    }

    /// <summary>Only the end of time comes from here; other watermarks begin with the timestamps.</summary>
    public override void OnWatermark(long watermark)
    {
        output.Watermark(watermark);
        foreach (var side in sideOutputs.Values) side.Watermark(watermark);
    }

    public override void Snapshot(SnapshotParts parts)
    {
        var writer = new BlobWriter();
        writer.Write(_splits.Count);
        foreach (var split in _splits)
        {
            writer.Write(split.Name);
            writer.Write(split.Ended);
            writer.Write(split.Reader?.SaveOffset() ?? split.LastOffset);
        }

        parts.Blobs.Add(new OperatorBlob(Name, SplitsBlob, writer.ToArray()));
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var split in _splits)
        {
            if (split.Reader is { } reader) await reader.DisposeAsync();
        }
    }

    private static double? Lower(double? one, double? other) => one is null ? other : other is null ? one : Math.Min(one.Value, other.Value);

    /// <summary>Reads one split once; false when it gave nothing.</summary>
    private bool Read(int index, OpenSplit split, int allowance)
    {
        context.CurrentSplit = index;
        _read.Begin(allowance);
        ReadStatus status;
        try
        {
            status = split.Reader!.Read(_read);
        }
        catch (Exception error) when (Failures.IsOfFunction(error))
        {
            throw new FunctionException($"Job '{context.Job}', source '{Name}', split '{split.Name}', at {split.Reader!.Position}: reading failed with {error.GetType().Name}: {error.Message}", error);
        }

        if (status == ReadStatus.Waiting) split.Waiting = true;
        if (status == ReadStatus.Ended) End(split);
        _rate.Used(_read.Count);
        context.Counters.RecordsIn += _read.Count;
        if (_read.Side.Count > 0) HandSide();
        // The end of a split is handed on even without records, for a watermark that only it held back.
        // So is a watermark that the split brings: before the records that follow it are read.
        var isMark = status == ReadStatus.More && split.Reader is ITimedSplit;
        if (_read.Count == 0 && status != ReadStatus.Ended && !isMark) return status == ReadStatus.More && _read.Side.Count > 0;
        output.Forward(new Records<T>(_read.Values, _read.Timestamps));
        FaultPoints.Pass(FaultPoint.SourceRead);
        return _read.Count > 0 || isMark;
    }

    private void End(OpenSplit split)
    {
        split.End();
        context.EndedSplits++;
    }

    private void HandSide()
    {
        context.Counters.BadRecords += _read.Side.Count;
        foreach (var record in _read.Side)
        {
            if (sideOutputs.TryGetValue(record.Output, out var side)) side.Emit(record);
        }

        foreach (var side in sideOutputs.Values) side.Flush();
    }

    private Dictionary<string, SavedSplit> Restore()
    {
        var saved = new Dictionary<string, SavedSplit>();
        foreach (var (_, blob) in context.Restored)
        {
            if (blob.Operator != Name || blob.Name != SplitsBlob) continue;
            var reader = new BlobReader(blob.Bytes);
            for (var count = reader.ReadInt32(); count > 0; count--)
            {
                saved[reader.ReadString()] = new SavedSplit(reader.ReadBoolean(), reader.ReadBytes());
            }
        }

        return saved;
    }

    private sealed record SavedSplit(bool Ended, byte[] Offset);

    private sealed class OpenSplit(string name, SplitReader<T>? reader, ReadOnlyMemory<byte> offset)
    {
        private string? _endedAt;

        public string Name => name;

        /// <summary>Null when the split had ended before the attempt began.</summary>
        public SplitReader<T>? Reader => reader;

        public ReadOnlyMemory<byte> LastOffset => offset;

        public bool Ended { get; private set; } = reader is null;

        public bool Waiting { get; set; }

        /// <summary>The wait has begun.</summary>
        public bool Awaited { get; set; }

        public string? Position => _endedAt ?? reader?.Position;

        public void End()
        {
            Ended = true;
            _endedAt = $"the end of {name}";
        }
    }
}
