using OrleansStream.Checkpoints;
using OrleansStream.State;
using OrleansStream.Tests.State;

namespace OrleansStream.Tests.Formats;

/// <summary>Segments with the times of state that expires: a full one and a delta, read with the same policies and with none.</summary>
internal static class TimesFormats
{
    private const int MaxParallelism = 128;
    private static readonly string[] Names = ["times-1-full", "times-2-delta"];

    /// <summary>The kinds of state that these segments have and others have not.</summary>
    public static IReadOnlyList<StateKind> Kinds => [StateKind.ValueTimes, StateKind.ListTimes, StateKind.MapTimes];

    public static IEnumerable<RecordedFormat> All =>
    [
        new($"v1/state/{Names[0]}.bin", "times of state", static () => Segment(0), static bytes => ReadAsync([bytes], ["a value 5", "b list 1000,1007", "c map x=3,y=9"])),
        new(
            $"v1/state/{Names[1]}.bin", "times of state", static () => Segment(1),
            static bytes => ReadAsync([Recordings.Bytes($"v1/state/{Names[0]}.bin"), bytes], ["a value 8", "b list 1000,1007,1009", "c map y=9,z=11"])),
    ];

    private static Task<byte[]> Segment(int step)
    {
        var scenario = new Scenario(TimeSpan.FromSeconds(1));
        scenario.Table.Time.SeeClock(1000);
        scenario.Value.Set(scenario.Table.Slot("a"), 1, 5);
        scenario.List.Add(scenario.Table.Slot("b"), "one", 1000);
        scenario.List.Add(scenario.Table.Slot("b"), "two", 1007);
        scenario.Map.Set(scenario.Table.Slot("c"), "x", 1, 3);
        scenario.Map.Set(scenario.Table.Slot("c"), "y", 2, 9);
        var full = Freeze(1, full: true);
        if (step == 0) return Task.FromResult(full);
        scenario.Value.Set(scenario.Table.Slot("a"), 2, 8);
        scenario.List.Add(scenario.Table.Slot("b"), "three", 1009);
        scenario.Map.Remove(scenario.Table.Slot("c"), "x", 9);
        scenario.Map.Set(scenario.Table.Slot("c"), "z", 3, 11);
        return Task.FromResult(Freeze(2, full: false));

        byte[] Freeze(int number, bool full)
        {
            var content = scenario.State.Freeze(StateSetup.Checkpoint(number), full, []).Encode().Content.ToArray();
            scenario.State.Published(StateSetup.Checkpoint(number));
            return content;
        }
    }

    private static async Task ReadAsync(byte[][] segments, string[] expected)
    {
        var store = new SegmentStore();
        var chain = segments.Select((bytes, index) =>
        {
            store.Objects[Names[index]] = bytes;
            return new SegmentRef(Names[index], bytes.Length, ObjectFrame.Checksum(bytes), StateSetup.Checkpoint(index + 1));
        }).ToList();
        var read = new Scenario(TimeSpan.FromSeconds(1));
        await read.State.RestoreAsync(store, [new SegmentChain(0, StateSetup.AllGroups(MaxParallelism), chain)], TestContext.Current.CancellationToken);
        string[] found =
        [
            $"a value {read.Value.Times.Get(read.Table.Slot("a"))}",
            $"b list {string.Join(',', read.List.Times.Items(read.Table.Slot("b")).ToArray())}",
            $"c map {string.Join(',', read.Map.Times.Entries(read.Table.Slot("c")).Select(static entry => $"{entry.Key}={entry.Value}"))}",
        ];
        Assert.Equal(expected, found);

        var without = new Scenario(null);
        await without.State.RestoreAsync(store, [new SegmentChain(0, StateSetup.AllGroups(MaxParallelism), chain)], TestContext.Current.CancellationToken);
        Assert.Equal(3, without.Table.KeyCount);
    }

    private sealed class Scenario
    {
        private readonly ValueState<int> _value;
        private readonly ListState<string> _list;
        private readonly MapState<string, int> _map;

        public Scenario(TimeSpan? duration)
        {
            _value = new ValueState<int>("value") { TimeToLive = duration is { } value ? TimeToLive.InEventTime(value) : null };
            _list = new ListState<string>("list") { TimeToLive = duration is { } list ? TimeToLive.InProcessingTime(list) : null };
            _map = new MapState<string, int>("map") { TimeToLive = duration is { } map ? TimeToLive.InEventTime(map, refreshOnRead: true) : null };
            State = new SubtaskState(StateSetup.AllGroups(MaxParallelism), MaxParallelism, StateSetup.Serializers);
            Table = new KeyedStateTable<string>("score", StateSetup.AllGroups(MaxParallelism), MaxParallelism, [_value, _list, _map], StateSetup.Serializers);
            State.Register(Table);
        }

        public SubtaskState State { get; }

        public KeyedStateTable<string> Table { get; }

        public ValueExpiry<int> Value => (ValueExpiry<int>)Table.ExpiryOf(_value)!;

        public ListExpiry<string> List => (ListExpiry<string>)Table.ExpiryOf(_list)!;

        public MapExpiry<string, int> Map => (MapExpiry<string, int>)Table.ExpiryOf(_map)!;
    }
}
