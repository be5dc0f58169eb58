using System.Text.Json;
using OrleansStream.Checkpoints;
using OrleansStream.ClusterTests.Jobs;
using OrleansStream.Functions;
using OrleansStream.Jobs;
using OrleansStream.Sinks;
using OrleansStream.Sources;
using OrleansStream.State;

namespace OrleansStream.ClusterTests.Faults;

/// <summary>A job of which fifty attempts in a row fail at their first checkpoint: each has written snapshots and staged output by then, and none of it may stay.</summary>
[Collection(nameof(MeasuredAlone))]
public sealed class FiftyRestartsTests(ITestOutputHelper output)
{
    private const int Failures = 50;
    private const long Records = 60_000;
    private const int Keys = 40;
    private const int Parallelism = 2;

    /// <summary>Segments of all subtasks of the job's two stages, and a manifest.</summary>
    private const int OfCheckpoint = (2 * Parallelism) + 1;

    /// <summary>The first entry of an attempt's log, and the one that seals it: both stay for ever, as who comes late must find them.</summary>
    private const int EntriesOfAttempt = 2;

    /// <summary>Parts of the two checkpoints before, and those of the attempt that fails and of the one before, begun or staged.</summary>
    private const int MostStaged = (2 + 3 + 3) * Parallelism;

    private const long HeapRoomBytes = 16 << 20;

    [Fact]
    public async Task Fifty_attempts_that_fail_leave_neither_files_nor_memory_behind()
    {
        using var folder = new TestFolder();
        var trouble = new Trouble();
        var path = folder["out.jsonl"];
        await using var cluster = await TestSilos.StartAsync(
            folder["checkpoints"],
            (graph, _) => graph
                .From("numbers", Generator.Of(static n => new Numbered((int)(n % Keys), n), Records, splits: 2, timestamp: static n => n))
                .KeyBy(static number => number.Key)
                .Process("count", static _ => new Count())
                .To("results", new FailingSink<Nth>(Files.JsonLinesOutput<Nth>(path), trouble)),
            silos: 2,
            static options =>
            {
                options.Restarts = RestartStrategy.Fixed(TimeSpan.FromMilliseconds(1), attempts: Failures + 10);
                options.Checkpoints.Interval = TimeSpan.FromMilliseconds(60);
                options.RebalanceAfter = null;
            });
        await cluster.Jobs.StartAsync("job", new JobStart { Parallelism = Parallelism, RecordsPerSecond = 10_000 });
        await cluster.WaitAsync(static status => status.Checkpoints.Count(static checkpoint => checkpoint.State == "committed") >= 2);

        trouble.Begin(Failures);
        var looks = new List<Look>();
        string? from = null;
        for (var attempt = 11; attempt <= Failures + 1; attempt += 10)
        {
            var status = await cluster.WaitAsync(status => status.Attempt >= attempt && status.RestoredFrom is not null);
            from ??= status.RestoredFrom;
            Assert.Equal(from, status.RestoredFrom);
            looks.Add(Look.At(folder, path, status.Attempt));
            output.WriteLine($"{looks[^1]}");
        }

        Assert.False(File.Exists(path), "The output was complete before the last attempt failed.");
        var finished = await cluster.EndAsync();
        var last = Look.At(folder, path, finished.Attempt);
        output.WriteLine($"at the end {last}, {trouble.Count} failures");

        Assert.True((finished.Phase, finished.Attempt, trouble.Count) == (JobPhase.Finished, Failures + 1, Failures), $"{finished.Phase}, attempt {finished.Attempt}, {trouble.Count} failures: {finished.Cause}");
        // The checkpoints that are kept, the attempt that fails at the moment, and the one before, of which the next one has not yet tidied up.
        Assert.All(looks, look => Assert.True(look.Objects <= 6 * OfCheckpoint, $"{look}"));
        Assert.All(looks, look => Assert.True(look.Entries <= (EntriesOfAttempt * look.Attempt) + 20, $"{look}"));
        Assert.All(looks, look => Assert.True(look.Staged <= MostStaged, $"{look}"));
        Assert.True(looks[^1].Heap < looks[0].Heap + HeapRoomBytes, $"The heap grew from {looks[0].Heap} to {looks[^1].Heap} bytes.");
        RequireOutput(path);
    }

    private static void RequireOutput(string path)
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web);
        var written = File.ReadLines(path).Select(line => JsonSerializer.Deserialize<Nth>(line, options)).GroupBy(static nth => nth.Key).OrderBy(static group => group.Key).ToList();
        Assert.Equal(Enumerable.Range(0, Keys), written.Select(static group => group.Key));
        Assert.All(written, static group => Assert.Equal(Enumerable.Range(1, (int)(Records / Keys)).Select(static n => (long)n), group.Select(static nth => nth.N).Order()));
    }

    /// <summary>What there is at one moment.</summary>
    /// <param name="Attempt">The attempt that runs.</param>
    /// <param name="Objects">Segments and manifests.</param>
    /// <param name="Entries">Entries of logs.</param>
    /// <param name="Staged">Parts of the output.</param>
    /// <param name="Heap">Bytes that live.</param>
    private sealed record Look(int Attempt, int Objects, int Entries, int Staged, long Heap)
    {
        public static Look At(TestFolder folder, string path, int attempt)
        {
            var names = Names(folder["checkpoints"]);
            var staged = Names(path + ".parts").Count;
            return new Look(
                attempt,
                names.Count(static name => ObjectNames.BelongsToCheckpoint("job", name)),
                names.Count(static name => ObjectNames.LogEntryOf("job", name) is not null),
                staged,
                GC.GetTotalMemory(forceFullCollection: true));
        }

        private static List<string> Names(string folder)
        {
            if (!Directory.Exists(folder)) return [];
            // Files come and go while they are listed.
            return [.. Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true }).Select(file => Path.GetRelativePath(folder, file).Replace('\\', '/'))];
        }
    }

    /// <summary>Says how often something goes wrong from now on.</summary>
    private sealed class Trouble
    {
        private int _left;
        private int _count;

        public int Count => _count;

        public void Begin(int times) => Volatile.Write(ref _left, times);

        /// <summary>Once for each attempt: of the subtasks that meet it, the first.</summary>
        public void Meet(SinkContext context)
        {
            lock (this)
            {
                if (_left == 0 || context.Subtask != 0) return;
                _left--;
                _count++;
            }

            throw new IOException("the output is away");
        }
    }

    /// <summary>Writes as another does, and fails when its output is staged.</summary>
    private sealed class FailingSink<T>(Sink<T> inner, Trouble trouble) : Sink<T>
    {
        public override SinkGuarantee Guarantee => inner.Guarantee;

        public override ValueTask InitializeAsync(CancellationToken cancellation) => inner.InitializeAsync(cancellation);

        public override async ValueTask<SinkWriter<T>> OpenAsync(SinkContext context, CancellationToken cancellation) =>
            new Writer(await inner.OpenAsync(context, cancellation), context, trouble);

        public override ValueTask CommitAsync(IReadOnlyList<PendingOutput> outputs, CommitPermit permit, CancellationToken cancellation) => inner.CommitAsync(outputs, permit, cancellation);

        public override ValueTask FinishAsync(long outputs, CommitPermit permit, CancellationToken cancellation) => inner.FinishAsync(outputs, permit, cancellation);

        private sealed class Writer(SinkWriter<T> inner, SinkContext context, Trouble trouble) : SinkWriter<T>
        {
            public override void Write(ReadOnlySpan<T> values, ReadOnlySpan<long> timestamps) => inner.Write(values, timestamps);

            public override async ValueTask<string?> PrepareAsync(CheckpointId checkpoint, CancellationToken cancellation)
            {
                var prepared = await inner.PrepareAsync(checkpoint, cancellation);
                trouble.Meet(context);
                return prepared;
            }

            public override async ValueTask DisposeAsync()
            {
                await inner.DisposeAsync();
                await base.DisposeAsync();
            }
        }
    }

    /// <summary>Numbers the records of each key.</summary>
    private sealed class Count : KeyedFunction<int, Numbered, Nth>
    {
        private static readonly ValueState<long> Seen = new("seen");

        public override IReadOnlyList<StateDeclaration> States => [Seen];

        public override void Process(in Numbered record, ref KeyedContext<int, Nth> context)
        {
            var seen = context.Get(Seen) + 1;
            context.Set(Seen, seen);
            context.Emit(new Nth(record.Key, seen));
        }
    }

    [GenerateSerializer, Immutable]
    internal readonly record struct Nth([property: Id(0)] int Key, [property: Id(1)] long N);
}
