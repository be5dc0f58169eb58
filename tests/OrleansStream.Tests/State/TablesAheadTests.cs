using Microsoft.Extensions.Time.Testing;
using OrleansStream.Checkpoints;
using OrleansStream.Jobs;
using OrleansStream.State;

namespace OrleansStream.Tests.State;

/// <summary>Who gets tables that were read before the attempt began that needs them.</summary>
public sealed class TablesAheadTests
{
    private static readonly KeyGroupRange Groups = StateSetup.AllGroups(16);
    private static readonly TablesOf Counts = new("payments", "count", Groups);

    private readonly FakeTimeProvider _time = new();
    private readonly SegmentStore _store = new();
    private readonly ModelSubtask _former = new(Groups, 16);
    private readonly List<SegmentRef> _segments = [];
    private readonly TablesAhead _ahead;

    public TablesAheadTests() => _ahead = new TablesAhead(_time);

    private static Attempt Next => Attempt.First.Next;

    private SegmentChain[] Chains => [new SegmentChain(0, Groups, [.. _segments])];

    [Fact]
    public async Task Tables_are_given_once_to_who_reads_on_from_where_they_were_read_to()
    {
        Checkpoint();
        await ReadAsync(Counts);
        Checkpoint();

        Assert.Null(await _ahead.TakeAsync(Counts with { Stage = "sum" }, Next, Chains));
        Assert.Null(await _ahead.TakeAsync(Counts with { Job = "refunds" }, Next, Chains));
        var read = _store.BytesRead;
        var state = await _ahead.TakeAsync(Counts, Next, Chains);
        Assert.NotNull(state);
        Assert.Null(await _ahead.TakeAsync(Counts, Next, Chains));
        Assert.Equal((1, read), (_ahead.Taken, _store.BytesRead));
    }

    [Fact]
    public async Task Tables_of_another_chain_are_read_anew_and_not_given()
    {
        Checkpoint();
        await ReadAsync(Counts);
        _segments.Clear();
        Checkpoint(full: true);
        Assert.Null(await _ahead.TakeAsync(Counts, Next, Chains));

        var later = Counts with { Job = "refunds" };
        await ReadAsync(later);
        _segments.Clear();
        Checkpoint(full: true);
        await ReadAsync(later);
        Assert.NotNull(await _ahead.TakeAsync(later, Next, Chains));
    }

    [Fact]
    public async Task Tables_are_not_given_behind_another_attempt_than_that_which_wrote_what_was_read()
    {
        Checkpoint();
        await ReadAsync(Counts);
        var another = _segments[^1] with { Name = "another", Checkpoint = new CheckpointId(Next, 1) };

        Assert.Null(await _ahead.TakeAsync(Counts, Next.Next, [new SegmentChain(0, Groups, [.. _segments, another])]));
    }

    [Fact]
    public async Task Nothing_is_read_for_an_attempt_that_has_begun()
    {
        Checkpoint();
        Assert.Null(await _ahead.TakeAsync(Counts, Next, Chains));
        var read = _store.BytesRead;

        Assert.False(await ReadAsync(Counts));

        Assert.Equal(read, _store.BytesRead);
        Assert.Null(await _ahead.TakeAsync(Counts, Next, Chains));
    }

    [Fact]
    public async Task Tables_that_are_being_read_when_they_are_needed_are_waited_for()
    {
        Checkpoint();
        _store.Gate = new TaskCompletionSource();
        var reading = ReadAsync(Counts);
        Assert.False(await ReadAsync(Counts));
        Checkpoint();
        var taking = _ahead.TakeAsync(Counts, Next, Chains).AsTask();
        Assert.False(taking.IsCompleted);

        _store.Gate.SetResult();
        Assert.True(await reading);
        Assert.NotNull(await taking);
        Assert.Equal(1, _ahead.Taken);
    }

    [Fact]
    public async Task A_read_that_does_not_go_on_is_not_waited_for_when_its_tables_are_needed()
    {
        Checkpoint();
        _store.Gate = new TaskCompletionSource();
        var reading = ReadAsync(Counts);
        var taking = _ahead.TakeAsync(Counts, Next, Chains).AsTask();
        _time.Advance(TimeSpan.FromSeconds(3));

        Assert.Null(await taking);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        Assert.Null(await _ahead.TakeAsync(Counts, Next, Chains));
    }

    [Fact]
    public async Task A_read_of_another_chain_is_not_waited_for()
    {
        Checkpoint();
        _store.Gate = new TaskCompletionSource();
        var reading = ReadAsync(Counts);
        _segments.Clear();
        Checkpoint(full: true);

        Assert.Null(await _ahead.TakeAsync(Counts, Next, Chains));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_late_opening_of_an_attempt_before_neither_waits_for_them_nor_takes_them(bool isBeingRead)
    {
        Checkpoint();
        if (isBeingRead) _store.Gate = new TaskCompletionSource();
        var reading = ReadAsync(Counts);

        var early = _ahead.TakeAsync(Counts, Attempt.First, []).AsTask();
        Assert.True(early.IsCompleted);
        Assert.Null(await early);
        _store.Gate?.SetResult();
        Assert.True(await reading);
        Assert.NotNull(await _ahead.TakeAsync(Counts, Next, Chains));
    }

    [Fact]
    public async Task What_is_being_read_when_an_attempt_starts_without_it_is_given_up()
    {
        Checkpoint();
        _store.Gate = new TaskCompletionSource();
        var reading = ReadAsync(Counts);
        _ahead.LetGo("payments", Next);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        Assert.Null(await _ahead.TakeAsync(Counts, Next, Chains));
    }

    [Fact]
    public async Task Guesses_are_let_go_of_and_what_comes_for_sure_is_not()
    {
        Checkpoint();
        var sums = Counts with { Stage = "sum" };
        await ReadAsync(Counts);
        await ReadAsync(sums, isGuess: true);
        Assert.Equal(2, _ahead.Count);

        _ahead.LetGoOfGuesses();

        Assert.Equal(1, _ahead.Count);
        Assert.Null(await _ahead.TakeAsync(sums, Next, Chains));
        Assert.NotNull(await _ahead.TakeAsync(Counts, Next, Chains));
    }

    [Fact]
    public async Task A_long_read_is_waited_for()
    {
        Checkpoint();
        _store.Gate = new TaskCompletionSource();
        var reading = ReadAsync(Counts);
        _time.Advance(TimeSpan.FromHours(1));
        _store.Gate.SetResult();

        Assert.True(await reading);
        Assert.NotNull(await _ahead.TakeAsync(Counts, Next, Chains));
    }

    [Fact]
    public async Task What_cannot_be_read_is_not_given()
    {
        Checkpoint();
        _store.Objects.Clear();

        await Assert.ThrowsAsync<DamagedObjectException>(() => ReadAsync(Counts));
        Assert.Null(await _ahead.TakeAsync(Counts, Next, Chains));
    }

    [Fact]
    public async Task What_nobody_asked_for_is_let_go_of()
    {
        Checkpoint();
        await ReadAsync(Counts);
        _ahead.LetGo("refunds", Next);
        _ahead.LetGo("payments", Attempt.First);
        Assert.NotNull(await _ahead.TakeAsync(Counts, Next, Chains));

        var sums = Counts with { Job = "refunds" };
        await ReadAsync(sums);
        _ahead.LetGo("refunds", Next);
        Assert.Null(await _ahead.TakeAsync(sums, Next, Chains));

        var means = Counts with { Job = "returns" };
        await ReadAsync(means);
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Null(await _ahead.TakeAsync(means, Next, Chains));
    }

    private Task<bool> ReadAsync(TablesOf of, bool isGuess = false) => _ahead.ReadAsync(of, Next, static () => new ModelSubtask(Groups, 16).State, _store, Chains, isGuess);

    private void Checkpoint(bool full = false)
    {
        var table = _former.Table;
        table.Values(ModelSubtask.Total).Set(table.Slot("anna"), _segments.Count);
        var id = StateSetup.Checkpoint(_store.Objects.Count + 1);
        _segments.Add(_store.Put($"{id}", _former.State.Freeze(id, full, []).Encode()));
        _former.State.Published(id);
    }
}
