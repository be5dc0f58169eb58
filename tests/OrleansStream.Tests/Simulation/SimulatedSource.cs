using OrleansStream.Sources;

namespace OrleansStream.Tests.Simulation;

/// <summary>A record of a simulated source: the n-th of its split.</summary>
[GenerateSerializer, Immutable, Alias("os.tests.Reading")]
internal readonly record struct Reading(
    [property: Id(0)] string Source, [property: Id(1)] int Split, [property: Id(2)] long N, [property: Id(3)] string Key, [property: Id(4)] long At)
{
    /// <summary>Written as <c>source/split/n</c>.</summary>
    public string Name => $"{Source}/{Split}/{N}";
}

/// <summary>What a simulated source holds: every record a pure function of its number.</summary>
internal sealed record Input(string Name, int Splits, int RecordsPerSplit, int Keys, int Salt, int Disorder, int FarLateEvery)
{
    public string SplitName(int split) => $"{Name}-{split}";

    public Reading this[int split, long n]
    {
        get
        {
            var mixed = Mix(((ulong)(uint)Salt << 32) ^ ((ulong)(uint)split << 24) ^ (ulong)n);
            var at = 100_000 + (n * 10) + (long)((mixed >> 16) % (ulong)Math.Max(1, Disorder));
            if (FarLateEvery > 0 && (mixed >> 40) % (ulong)FarLateEvery == 0) at -= 400;
            return new Reading(Name, split, n, $"key-{mixed % (ulong)Keys}", at);
        }
    }

    /// <summary>The records of each split before an offset, or all.</summary>
    public IEnumerable<Reading> Before(Func<string, long> offset)
    {
        for (var split = 0; split < Splits; split++)
        {
            var end = Math.Min(offset(SplitName(split)), RecordsPerSplit);
            for (long n = 0; n < end; n++) yield return this[split, n];
        }
    }

    private static ulong Mix(ulong x)
    {
        x += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}

/// <summary>Reads an <see cref="Input"/>, a few records at a time, and now and then has to wait.</summary>
internal sealed class SimulatedSource(SimulatedRun run, Input input) : Source<Reading>
{
    public override ValueTask<IReadOnlyList<SourceSplit>> DiscoverAsync(CancellationToken cancellation) =>
        new([.. Enumerable.Range(0, input.Splits).Select(split => new SourceSplit(input.SplitName(split), $"{input.RecordsPerSplit}"))]);

    public override async ValueTask<SplitReader<Reading>> OpenAsync(SourceSplit split, ReadOnlyMemory<byte> offset, CancellationToken cancellation)
    {
        await Task.Delay(TimeSpan.FromTicks(run.Random.Next(20_000)), run.Scheduler, cancellation);
        var index = Enumerable.Range(0, input.Splits).Single(index => input.SplitName(index) == split.Name);
        return new Reader(run, input, index, NumberedOffset.Decode(offset.Span, split, 0));
    }

    private sealed class Reader(SimulatedRun run, Input input, int split, long next) : SplitReader<Reading>
    {
        private long _next = next;
        private bool _mayWait;

        public override string Position => $"record {_next}";

        public override ReadOnlyMemory<byte> SaveOffset() =>
            NumberedOffset.Encode(run.Breakage == Breakage.OffsetAhead ? Math.Min(_next + 3, input.RecordsPerSplit) : _next);

        public override ReadStatus Read(SourceOutput<Reading> output)
        {
            if (_mayWait && run.Random.Next(3) == 0)
            {
                _mayWait = false;
                return ReadStatus.Waiting;
            }

            _mayWait = true;
            for (var left = run.Random.Next(1, run.Settings.MostRead); left > 0 && _next < input.RecordsPerSplit && !output.IsFull; left--)
            {
                var reading = input[split, _next++];
                output.Add(reading, reading.At);
            }

            return _next < input.RecordsPerSplit ? ReadStatus.More : ReadStatus.Ended;
        }

        public override async ValueTask WaitAsync(CancellationToken cancellation) =>
            await Task.Delay(TimeSpan.FromTicks(run.Random.Next(run.Settings.LongestWaitTicks)), run.Scheduler, cancellation);
    }
}
