using OrleansStream.Checkpoints;
using OrleansStream.Stages;
using OrleansStream.State;
using OrleansStream.Tests.Checkpoints;
using OrleansStream.Tests.State;

namespace OrleansStream.Tests.Stages;

public sealed class SnapshotWriterTests
{
    private const int MaxParallelism = 16;
    private const int PieceBytes = 512;

    private static readonly ValueState<long> Total = new("total");

    private readonly InMemoryStore _inner = new();
    private readonly List<string> _happened = [];
    private readonly TroubledStore _store;

    public SnapshotWriterTests() => _store = new TroubledStore(_inner, _happened);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_piece_is_encoded_when_the_one_before_it_is_written()
    {
        var reference = await WriteAsync(Freeze(100), Cancellation);
        var pieces = _happened.Count(static what => what == "encode");
        Assert.InRange(pieces, 4, 40);
        Assert.Equal([.. Enumerable.Range(0, pieces).SelectMany(static piece => new[] { "encode", $"write {piece}" }), "create", "dispose"], _happened);
        Assert.Equal(Freeze(100).Encode(PieceBytes).Content.ToArray(), _inner.Read("segment"));
        Assert.Equal(_inner.Read("segment")!.Length, reference.LengthBytes);
        Assert.Equal(StateSetup.Checkpoint(1), reference.Checkpoint);
    }

    [Fact]
    public async Task A_call_that_failed_repeats_one_piece_whether_it_was_carried_out_or_not()
    {
        _store.Fails = [("write 1", true), ("write 2", false), ("write 2", true), ("create", true)];
        var reference = await WriteAsync(Freeze(100), Cancellation);
        Assert.Equal(2, _happened.Count(static what => what == "write 1"));
        Assert.Equal(3, _happened.Count(static what => what == "write 2"));
        Assert.Equal(1, _happened.Count(static what => what == "write 3"));
        Assert.Equal(2, _happened.Count(static what => what == "create"));
        Assert.Equal(_happened.Count(static what => what == "encode"), _happened.Where(static what => what.StartsWith("write", StringComparison.Ordinal)).Distinct().Count());
        await AssertReadsBackAsync(reference, 100);
    }

    [Fact]
    public async Task A_snapshot_of_one_piece_is_created_whole()
    {
        var reference = await WriteAsync(Freeze(3), Cancellation);
        Assert.Equal(["encode", "create whole"], _happened);
        await AssertReadsBackAsync(reference, 3);
    }

    [Fact]
    public async Task Given_up_between_two_pieces_nothing_is_created_and_what_was_written_is_given_back()
    {
        using var given = new CancellationTokenSource();
        _store.AfterWrite = piece =>
        {
            if (piece == 1) given.Cancel();
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => WriteAsync(Freeze(100), given.Token));
        Assert.Equal(["encode", "write 0", "encode", "write 1", "encode", "dispose"], _happened);
        Assert.Empty(_inner.Names);
    }

    [Fact]
    public async Task A_store_that_keeps_failing_is_told_and_nothing_is_created()
    {
        _store.Fails = [.. Enumerable.Repeat(("write 1", false), 3)];
        await Assert.ThrowsAsync<StoreException>(() => WriteAsync(Freeze(100), Cancellation));
        Assert.Equal(3, _happened.Count(static what => what == "write 1"));
        Assert.Equal("dispose", _happened[^1]);
        Assert.Empty(_inner.Names);
    }

    private static FrozenSubtask Freeze(int keys)
    {
        var (state, table) = New();
        for (var i = 0; i < keys; i++) table.Values(Total).Set(table.Slot(i), i);
        return state.Freeze(StateSetup.Checkpoint(1), true, []);
    }

    private static (SubtaskState State, KeyedStateTable<int> Table) New()
    {
        var state = new SubtaskState(StateSetup.AllGroups(MaxParallelism), MaxParallelism, StateSetup.Serializers);
        var table = new KeyedStateTable<int>("score", StateSetup.AllGroups(MaxParallelism), MaxParallelism, [Total], StateSetup.Serializers);
        state.Register(table);
        return (state, table);
    }

    private async Task<SegmentRef> WriteAsync(FrozenSubtask frozen, CancellationToken cancellation)
    {
        using (frozen)
        {
            var retry = new RetryRule(TimeProvider.System, new Random(1)) { Limit = 3, FirstDelay = TimeSpan.FromTicks(1) };
            return await new SnapshotWriter(_store, new Offload(_happened), retry, PieceBytes).WriteAsync("segment", frozen, cancellation);
        }
    }

    private async Task AssertReadsBackAsync(SegmentRef reference, int keys)
    {
        var (state, table) = New();
        await state.RestoreAsync(_inner, [new SegmentChain(0, StateSetup.AllGroups(MaxParallelism), [reference])], Cancellation);
        Assert.Equal(keys, table.KeyCount);
        for (var i = 0; i < keys; i++) Assert.Equal(i, table.Values(Total).Get(table.Slot(i)));
    }

    private sealed class Offload(List<string> happened) : IOffload
    {
        public Task<T> RunAsync<T>(Func<T> work)
        {
            happened.Add("encode");
            return Task.Run(work);
        }
    }

    /// <summary>Notes what is asked of a store, and fails calls when told to, carried out or not.</summary>
    private sealed class TroubledStore(InMemoryStore inner, List<string> happened) : ICheckpointStore
    {
        public List<(string What, bool CarriedOut)> Fails { get; set; } = [];

        public Action<int>? AfterWrite { get; set; }

        public string Location => inner.Location;

        public ValueTask<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation)
        {
            happened.Add("create whole");
            return inner.TryCreateAsync(name, content, cancellation);
        }

        public IObjectWriter BeginObject(string name) => new Writer(this, inner.BeginObject(name));

        public ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string name, CancellationToken cancellation) => throw new NotSupportedException();

        public ValueTask<ReadOnlyMemory<byte>?> ReadRangeAsync(string name, long offset, int length, CancellationToken cancellation) => throw new NotSupportedException();

        public ValueTask DeleteAsync(string name, CancellationToken cancellation) => throw new NotSupportedException();

        public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellation) => throw new NotSupportedException();

        private async Task<T> CallAsync<T>(string what, Func<Task<T>> call)
        {
            happened.Add(what);
            var trouble = Fails.FindIndex(fail => fail.What == what);
            if (trouble < 0) return await call();
            if (Fails[trouble].CarriedOut) await call();
            Fails.RemoveAt(trouble);
            throw new StoreException($"The store did not {what}, or did.");
        }

        private sealed class Writer(TroubledStore store, IObjectWriter writer) : IObjectWriter
        {
            public async ValueTask WriteAsync(int piece, ReadOnlyMemory<byte> content, CancellationToken cancellation)
            {
                await store.CallAsync(
                    $"write {piece}",
                    async () =>
                    {
                        await writer.WriteAsync(piece, content, cancellation);
                        return true;
                    });
                store.AfterWrite?.Invoke(piece);
            }

            public async ValueTask<bool> TryCreateAsync(CancellationToken cancellation) =>
                await store.CallAsync("create", () => writer.TryCreateAsync(cancellation).AsTask());

            public ValueTask DisposeAsync()
            {
                store.Note("dispose");
                return writer.DisposeAsync();
            }
        }

        private void Note(string what) => happened.Add(what);
    }
}
