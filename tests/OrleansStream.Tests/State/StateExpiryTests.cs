using OrleansStream.Checkpoints;
using OrleansStream.State;

namespace OrleansStream.Tests.State;

/// <summary>Times at rest: a policy, not a form.</summary>
public sealed class StateExpiryTests
{
    private const int MaxParallelism = 16;
    private static readonly TimeSpan Ten = TimeSpan.FromMilliseconds(10);

    private readonly SegmentStore _store = new();
    private readonly List<SegmentRef> _chain = [];
    private long _number;

    [Fact]
    public async Task State_saved_without_a_time_to_live_counts_as_touched_at_the_moment_of_its_restore()
    {
        Save(new Table(null).Set("a", 1, at: 5));
        var table = await RestoreAsync(Ten);
        table.Open(watermark: 100);

        Assert.Equal(1, table.Read("a", 109));
        Assert.Null(table.Read("a", 110));
    }

    [Fact]
    public async Task State_saved_with_a_time_to_live_is_restored_without_one_and_stays()
    {
        Save(new Table(Ten).Set("a", 1, at: 5));
        var table = await RestoreAsync(null);
        table.Open(watermark: 100);

        Assert.Equal(1, table.Read("a", 1_000_000));
    }

    [Fact]
    public async Task Times_go_on_over_a_restore_and_a_longer_time_to_live_counts_from_them()
    {
        Save(new Table(Ten).Set("a", 1, at: 5));
        var table = await RestoreAsync(TimeSpan.FromMilliseconds(20));
        table.Open(watermark: 6);

        Assert.Equal(1, table.Read("a", 24));
        Assert.Null(table.Read("a", 25));
    }

    [Fact]
    public async Task Times_in_event_time_say_nothing_by_the_clock()
    {
        Save(new Table(Ten).Set("a", 1, at: 5));
        var table = await RestoreAsync(TimeToLive.InProcessingTime(Ten));
        table.State.Time.SeeClock(7000);
        table.State.ResolveTimes();

        table.State.Time.SeeClock(7009);
        Assert.Equal(1, table.Read("a", 0));
        table.State.Time.SeeClock(7010);
        Assert.Null(table.Read("a", 0));
    }

    [Fact]
    public async Task Times_from_before_a_stretch_without_a_time_to_live_are_not_believed()
    {
        Save(new Table(Ten).Set("a", 1, at: 5));
        Save((await RestoreAsync(null)).Set("a", 2, at: 50));

        var table = await RestoreAsync(Ten);
        table.Open(watermark: 55);
        Assert.Equal(2, table.Read("a", 64));

        // Nor later, when the newest segment has times again.
        Save(table.Set("b", 3, at: 56));
        var again = await RestoreAsync(Ten);
        again.Open(watermark: 60);
        Assert.Equal((2, 3), (again.Read("a", 64), again.Read("b", 65)));
        Assert.Null(again.Read("a", 65));
        Assert.Equal(3, _chain.Count);
    }

    [Fact]
    public async Task What_is_saved_before_any_time_is_known_gets_the_first_one_after_the_restore()
    {
        Save(new Table(null).Set("a", 1, at: 5));
        Save(await RestoreAsync(Ten));
        var table = await RestoreAsync(Ten);
        Assert.Equal(1, table.Read("a", 1_000_000));
        table.Open(watermark: 500);

        Assert.Equal(1, table.Read("a", 509));
        Assert.Null(table.Read("a", 510));
    }

    [Fact]
    public async Task A_refresh_by_a_read_is_in_the_next_delta_and_costs_it_the_time_only()
    {
        var large = new string('x', 10_000);
        var state = new ValueState<string>("kept") { TimeToLive = TimeToLive.InEventTime(Ten, refreshOnRead: true) };
        var (subtask, table) = Open(state);
        ((ValueExpiry<string>)table.ExpiryOf(state)!).Set(table.Slot("a"), large, 5);
        Save(subtask);
        Assert.True(((ValueExpiry<string>)table.ExpiryOf(state)!).Has(table.Slot("a"), 12));
        Save(subtask);

        Assert.InRange(_chain[1].LengthBytes, 1, 1000);
        var (again, restored) = Open(state);
        await again.RestoreAsync(_store, [new SegmentChain(0, StateSetup.AllGroups(MaxParallelism), _chain)], TestContext.Current.CancellationToken);
        var expiry = (ValueExpiry<string>)restored.ExpiryOf(state)!;
        Assert.True(expiry.IsLiving(restored.Slot("a"), 21));
        Assert.False(expiry.IsLiving(restored.Slot("a"), 22));
    }

    [Fact]
    public void State_without_a_time_to_live_is_written_as_ever()
    {
        var (subtask, _) = Open(new ValueState<int>("kept"));

        Assert.Equal([StateKind.Keys, StateKind.Value, StateKind.EventTimers, StateKind.ProcessingTimers], subtask.Parts[0].Shapes.Select(static shape => shape.Kind));
    }

    private static (SubtaskState State, KeyedStateTable<string> Table) Open(StateDeclaration state)
    {
        var subtask = new SubtaskState(StateSetup.AllGroups(MaxParallelism), MaxParallelism, StateSetup.Serializers);
        var table = new KeyedStateTable<string>("score", StateSetup.AllGroups(MaxParallelism), MaxParallelism, [state], StateSetup.Serializers);
        subtask.Register(table);
        return (subtask, table);
    }

    private void Save(Table table) => Save(table.Subtask);

    private void Save(SubtaskState subtask)
    {
        var id = StateSetup.Checkpoint(++_number);
        _chain.Add(_store.Put($"{_number}", subtask.Freeze(id, full: false, []).Encode()));
        subtask.Published(id);
    }

    private async Task<Table> RestoreAsync(TimeToLive? policy)
    {
        var table = new Table(policy);
        await table.Subtask.RestoreAsync(_store, [new SegmentChain(0, StateSetup.AllGroups(MaxParallelism), _chain)], TestContext.Current.CancellationToken);
        return table;
    }

    /// <summary>A table of one value that lives by a policy.</summary>
    private sealed class Table
    {
        private readonly ValueState<int> _value;

        public Table(TimeToLive? policy)
        {
            _value = new ValueState<int>("kept") { TimeToLive = policy };
            (Subtask, State) = StateExpiryTests.Open(_value);
        }

        public SubtaskState Subtask { get; }

        public KeyedStateTable<string> State { get; }

        public Table Set(string key, int value, long at)
        {
            if (State.ExpiryOf(_value) is ValueExpiry<int> expiry) expiry.Set(State.Slot(key), value, expiry.Now(at));
            else State.Values(_value).Set(State.Slot(key), value);
            return this;
        }

        public void Open(long watermark)
        {
            State.Time.Watermark = watermark;
            State.ResolveTimes();
        }

        public int? Read(string key, long at)
        {
            if (State.ExpiryOf(_value) is not ValueExpiry<int> expiry) return State.Values(_value).Has(State.Slot(key)) ? State.Values(_value).Get(State.Slot(key)) : null;
            return expiry.Has(State.Slot(key), expiry.Now(at)) ? expiry.Get(State.Slot(key), expiry.Now(at)) : null;
        }
    }
}
