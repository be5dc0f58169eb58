using OrleansStream.Sources;

namespace OrleansStream.Testing.Simulation;

/// <summary>What a simulated source reads: records that are the same each time.</summary>
internal interface ISimulatedInput<T>
{
    int Splits { get; }

    /// <summary>How much virtual time passes between two records of a split.</summary>
    TimeSpan Pace => TimeSpan.Zero;

    TestRecord<T> this[int split, long n] { get; }

    string NameOf(int split);

    int CountOf(int split);
}

/// <summary>Reads an <see cref="ISimulatedInput{T}"/>, a few records at a time, and now and then has to wait.</summary>
internal sealed class SimulatedInputSource<T>(SimulatedRun run, ISimulatedInput<T> input) : Source<T>
{
    public override ValueTask<IReadOnlyList<SourceSplit>> DiscoverAsync(CancellationToken cancellation) =>
        new([.. Enumerable.Range(0, input.Splits).Select(split => new SourceSplit(input.NameOf(split), $"{input.CountOf(split)}"))]);

    public override async ValueTask<SplitReader<T>> OpenAsync(SourceSplit split, ReadOnlyMemory<byte> offset, CancellationToken cancellation)
    {
        await Task.Delay(TimeSpan.FromTicks(run.Random.Next(20_000)), run.Scheduler, cancellation);
        var index = Enumerable.Range(0, input.Splits).Single(index => input.NameOf(index) == split.Name);
        return new Reader(run, input, index, NumberedOffset.Decode(offset.Span, split, 0));
    }

    private sealed class Reader(SimulatedRun run, ISimulatedInput<T> input, int split, long next) : SplitReader<T>
    {
        private readonly int _count = input.CountOf(split);
        private long _next = next;
        private bool _mayWait;

        public override string Position => $"record {_next} of split {input.NameOf(split)}";

        public override ReadOnlyMemory<byte> SaveOffset() => NumberedOffset.Encode(run.Build.OffsetToSave(_next, _count));

        public override ReadStatus Read(SourceOutput<T> output)
        {
            if (_mayWait && run.Random.Next(3) == 0)
            {
                _mayWait = false;
                return ReadStatus.Waiting;
            }

            _mayWait = true;
            for (var left = run.Random.Next(1, run.Settings.MostRead); left > 0 && _next < _count && !output.IsFull; left--)
            {
                if (input.Pace * _next > run.Scheduler.Now) return ReadStatus.Waiting;
                var record = input[split, _next++];
                output.Add(record.Value, record.Timestamp);
            }

            return _next < _count ? ReadStatus.More : ReadStatus.Ended;
        }

        public override async ValueTask WaitAsync(CancellationToken cancellation)
        {
            var wait = TimeSpan.FromTicks(run.Random.Next(run.Settings.LongestWaitTicks));
            var coming = (input.Pace * _next) - run.Scheduler.Now;
            await Task.Delay(coming > wait ? coming : wait, run.Scheduler, cancellation);
        }
    }
}
