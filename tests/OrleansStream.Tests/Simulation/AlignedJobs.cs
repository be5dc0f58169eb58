using OrleansStream.Graph;
using OrleansStream.Sources;
using OrleansStream.Testing.Simulation;
using OrleansStream.Time;
using OrleansStream.Windows;

namespace OrleansStream.Tests.Simulation;

/// <summary>
/// A fast and a slow source in one alignment group, merged into windows: no split is read while it is further ahead of the slowest of its attempt than the drift, and the job comes to its end and
/// to the same windows all the same, whatever news of the group is lost.
/// </summary>
internal sealed class AlignedJob(SimulatedRun run, Input fast, Input slow, TimeSpan maxDrift) : EngineJob(run, fast, slow)
{
    private readonly AlignmentCheck _check = new(run, (long)Bound.TotalMilliseconds, (long)maxDrift.TotalMilliseconds);

    public override void Define(JobGraph graph) => ReadingsOf(graph, fast, isSlow: false)
        .Merge(ReadingsOf(graph, slow, isSlow: true))
        .KeyBy(static reading => reading.Key)
        .Window(TumblingWindows.Of(TimeSpan.FromMilliseconds(WindowSize)))
        .Aggregate("sums", new Sums(0, 0), static (sums, reading) => sums.With(reading), static sums => sums)
        .Select(static result => $"{result.Key}/{result.Window.Start}/{result.Value.Count}/{result.Value.Sum}")
        .To("out", SinkOf("out"));

    public override string? ProblemOf(Cut cut)
    {
        var open = cut.Windows("sums").Select(static window => $"{window.Key}/{window.Start}/{window.Sums.Count}/{window.Sums.Sum}");
        return Difference("windows, open and fired", WindowJob.LinesOf(Before(cut)), open.Concat(cut.Lines("out")));
    }

    public override string? ProblemOfOutput() => Difference("windows", WindowJob.LinesOf(All), OutputOf("out"));

    private DataStream<Reading> ReadingsOf(JobGraph graph, Input input, bool isSlow) => graph
        .From(input.Name, new WatchedSource(Run, input, _check, isSlow))
        .WithTimestamps(WatermarkStrategy.BoundedOutOfOrderness<Reading>(Bound).WithAlignment("both", maxDrift))
        .Where(static reading => Passes(reading));
}

/// <summary>What is true of the group's watermarks at each read, attempt by attempt.</summary>
internal sealed class AlignmentCheck(SimulatedRun run, long bound, long maxDrift)
{
    private readonly Dictionary<int, Dictionary<string, (long Highest, bool Ended)>> _attempts = [];
    private readonly Dictionary<int, TimeSpan> _readAt = [];
    private readonly HashSet<int> _slept = [];

    /// <summary>The attempt of the subtask whose turn it is.</summary>
    public int Attempt => run.Silos.SelectMany(static silo => silo.Subtasks).First(subtask => subtask.Actor == run.Scheduler.Current).Attempt.Number;

    /// <summary>Notes how far a split has been read. Where a subtask was opened twice, the further reader counts, so that the check never asks for too much.</summary>
    public void Note(int attempt, string split, long highest, bool ended)
    {
        if (!_attempts.TryGetValue(attempt, out var splits)) _attempts[attempt] = splits = [];
        var before = splits.GetValueOrDefault(split, (Highest: long.MinValue, Ended: false));
        splits[split] = (Math.Max(before.Highest, highest), before.Ended || ended);
    }

    /// <summary>Whether none of an attempt's splits was read for so long that its silo must have slept: those that wake up wait for nobody whom they have not heard in that time.</summary>
    private bool HasSlept(int attempt)
    {
        var now = run.Scheduler.Now;
        if (_readAt.TryGetValue(attempt, out var before) && now - before >= TimeSpan.FromMilliseconds(SplitAlignment.LongestSilenceMs)) _slept.Add(attempt);
        _readAt[attempt] = now;
        return _slept.Contains(attempt);
    }

    /// <summary>A split is about to be read.</summary>
    public void OnRead(int attempt, string split, long highest)
    {
        if (HasSlept(attempt) || highest == long.MinValue) return;
        foreach (var (other, state) in _attempts[attempt])
        {
            if (other == split || state.Ended) continue;
            if (state.Highest == long.MinValue || highest - state.Highest > maxDrift)
            {
                run.Violate("alignment", $"attempt {attempt}: split {split} is read at watermark {highest - bound - 1} while {other} is at {(state.Highest == long.MinValue ? "none" : state.Highest - bound - 1)}, drift {maxDrift}");
            }
        }
    }
}

/// <summary>A <see cref="SimulatedInputSource{T}"/> that tells how far it is read, and may be slow.</summary>
internal sealed class WatchedSource(SimulatedRun run, Input input, AlignmentCheck check, bool isSlow) : Source<Reading>
{
    private readonly SimulatedInputSource<Reading> _source = new(run, input);

    public override ValueTask<IReadOnlyList<SourceSplit>> DiscoverAsync(CancellationToken cancellation) => _source.DiscoverAsync(cancellation);

    public override async ValueTask<SplitReader<Reading>> OpenAsync(SourceSplit split, ReadOnlyMemory<byte> offset, CancellationToken cancellation)
    {
        var attempt = check.Attempt;
        return new Reader(run, input, check, attempt, split, await _source.OpenAsync(split, offset, cancellation), NumberedOffset.Decode(offset.Span, split, 0), isSlow);
    }

    private sealed class Reader : SplitReader<Reading>
    {
        private readonly SimulatedRun _run;
        private readonly Input _input;
        private readonly AlignmentCheck _check;
        private readonly int _attempt;
        private readonly string _split;
        private readonly int _index;
        private readonly SplitReader<Reading> _reader;
        private readonly bool _isSlow;
        private long _next;
        private long _highest = long.MinValue;
        private bool _rests;

        public Reader(SimulatedRun run, Input input, AlignmentCheck check, int attempt, SourceSplit split, SplitReader<Reading> reader, long next, bool isSlow)
        {
            (_run, _input, _check, _attempt, _split, _reader, _isSlow) = (run, input, check, attempt, split.Name, reader, isSlow);
            _index = Enumerable.Range(0, input.Splits).Single(index => input.SplitName(index) == split.Name);
            Pass(next);
            check.Note(attempt, _split, _highest, ended: false);
        }

        public override string Position => _reader.Position;

        public override ReadOnlyMemory<byte> SaveOffset() => _reader.SaveOffset();

        public override ReadStatus Read(SourceOutput<Reading> output)
        {
            _check.OnRead(_attempt, _split, _highest);
            if (_isSlow && !_rests)
            {
                _rests = true;
                return ReadStatus.Waiting;
            }

            _rests = false;
            var before = output.Count;
            var status = _reader.Read(output);
            Pass(_next + output.Count - before);
            _check.Note(_attempt, _split, _highest, status == ReadStatus.Ended);
            return status;
        }

        public override async ValueTask WaitAsync(CancellationToken cancellation)
        {
            await _reader.WaitAsync(cancellation);
            if (_isSlow) await Task.Delay(TimeSpan.FromTicks(_run.Random.Next(60_000)), _run.Scheduler, cancellation);
        }

        public override ValueTask DisposeAsync() => _reader.DisposeAsync();

        private void Pass(long next)
        {
            for (; _next < next; _next++) _highest = Math.Max(_highest, _input[_index, _next].At);
        }
    }
}
