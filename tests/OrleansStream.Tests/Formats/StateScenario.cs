using OrleansStream.Functions;
using OrleansStream.Jobs;
using OrleansStream.State;
using OrleansStream.Tests.State;

namespace OrleansStream.Tests.Formats;

/// <summary>
/// The state that is in the recorded segments: every kind of state under several types of keys, filled in three steps, each followed by a checkpoint. Never change a
/// step: the recordings are what came of it.
/// </summary>
internal sealed class StateScenario
{
    public const int MaxParallelism = 128;
    public const int Steps = 3;

    private static readonly DateTime Noon = new(2026, 5, 1, 12, 0, 0, DateTimeKind.Utc);
    private static readonly Guid Card = new("00112233-4455-6677-8899-aabbccddeeff");

    public StateScenario(KeyGroupRange groups)
    {
        ByString = new("by-string", groups, MaxParallelism, [Total, Ratio, Profile, Note, Amounts, Profiles, Counts, Cards], StateSetup.Serializers);
        ByInt = new("by-int", groups, MaxParallelism, [Mark, Words], StateSetup.Serializers);
        ByLong = new("by-long", groups, MaxParallelism, [Small, Amounts], StateSetup.Serializers);
        ByGuid = new("by-guid", groups, MaxParallelism, [Total, Counts], StateSetup.Serializers);
        ByTuple = new("by-tuple", groups, MaxParallelism, [Total, Profiles], StateSetup.Serializers);
        Averages = new("averages", groups, MaxParallelism, StateSetup.Serializers);
        Reduced = new("reduced", groups, MaxParallelism, StateSetup.Serializers);
        State = new(groups, MaxParallelism, StateSetup.Serializers);
        foreach (var part in (ISnapshotPart[])[ByString, ByInt, ByLong, ByGuid, ByTuple, Averages, Reduced]) State.Register(part);
    }

    public static ValueState<long> Total { get; } = new("total");

    public static ValueState<double> Ratio { get; } = new("ratio") { Default = -1 };

    public static ValueState<RecordedProfile?> Profile { get; } = new("profile");

    public static ValueState<string?> Note { get; } = new("note");

    public static ListState<int> Amounts { get; } = new("amounts");

    public static ListState<RecordedProfile?> Profiles { get; } = new("profiles");

    public static MapState<string, long> Counts { get; } = new("counts");

    public static MapState<(int, Guid), RecordedProfile?> Cards { get; } = new("cards");

    public static ValueState<char> Mark { get; } = new("mark");

    public static ValueState<Dictionary<string, List<decimal>>?> Words { get; } = new("words");

    public static ValueState<byte> Small { get; } = new("small");

    public SubtaskState State { get; }

    public KeyedStateTable<string> ByString { get; }

    public KeyedStateTable<int> ByInt { get; }

    public KeyedStateTable<long> ByLong { get; }

    public KeyedStateTable<Guid> ByGuid { get; }

    public KeyedStateTable<(string, int)> ByTuple { get; }

    public WindowTable<string, RecordedAverage> Averages { get; }

    public WindowTable<long, Reduced<string?>> Reduced { get; }

    public static CheckpointId Checkpoint(int step) => new(new Attempt(3), step);

    /// <summary>State without keys; the blob of each step tells them apart.</summary>
    public static OperatorBlob[] Blobs(int step) => [new("", "watermark", [(byte)step, 0, 255]), new("payments", "splits", []), new("zähler", "é", [1])];

    /// <summary>Runs all steps up to one, and gives the segment of each; pieces so small that key groups have several blocks.</summary>
    public static (StateScenario Scenario, List<WholeSegment> Segments) Run(int steps)
    {
        var scenario = new StateScenario(StateSetup.AllGroups(MaxParallelism));
        var segments = new List<WholeSegment>();
        for (var step = 1; step <= steps; step++)
        {
            if (step == 1) scenario.Fill();
            else if (step == 2) scenario.Change();
            else scenario.Empty();
            segments.Add(scenario.State.Freeze(Checkpoint(step), full: step == 1, Blobs(step)).Encode(pieceBytes: step == 1 ? 1024 : 128));
            scenario.State.Published(Checkpoint(step));
        }

        return (scenario, segments);
    }

    private void Fill()
    {
        for (var i = 0; i < 40; i++)
        {
            var slot = ByString.Slot($"card-{i}");
            ByString.Values(Total).Set(slot, (i - 20) * 5_000_000_000);
            if (i % 3 == 0) ByString.Values(Ratio).Set(slot, i / 7.0);
            if (i % 4 == 0) ByString.Maps(Counts).Set(slot, $"k{i}", i);
            if (i % 5 == 0) ByString.EventTimers.Register(slot, i * 1000);
            if (i % 8 == 0) ByString.ProcessingTimers.Register(slot, 1_700_000_000_000 + i);
            Averages.GetRefForWrite(Averages.Window($"card-{i}", 3_600_000 * (i % 3))) = new RecordedAverage(i, i / 3.0);
        }

        var rich = ByString.Slot("zähler 😀");
        ByString.Values(Profile).Set(rich, Rich("Zoë"));
        ByString.Values(Note).Set(rich, "a \"note\"\n");
        ByString.Lists(Amounts).Replace(rich, [1, -2, int.MaxValue]);
        ByString.Lists(Profiles).Replace(rich, [Rich("first"), null, new RecordedProfile(null, 0)]);
        foreach (var name in (string[])["b", "", "a"]) ByString.Maps(Counts).Set(rich, name, name.Length - 1);
        ByString.Maps(Cards).Set(rich, (1, Card), Rich("card"));
        ByString.Maps(Cards).Set(rich, (-1, Guid.Empty), null);
        var none = ByString.Slot("");
        ByString.Values(Profile).Set(none, null);
        ByString.Values(Note).Set(none, null);
        ByString.Values(Ratio).Set(ByString.Slot("nan"), double.NegativeZero);

        foreach (var key in (int[])[int.MinValue, -1, 0, 1, 77]) ByInt.Values(Mark).Set(ByInt.Slot(key), (char)('a' + (key & 15)));
        ByInt.Values(Words).Set(ByInt.Slot(77), new Dictionary<string, List<decimal>> { ["z"] = [1.50m, -0.01m], ["a"] = [] });
        ByInt.Values(Words).Set(ByInt.Slot(78), null);
        ByLong.Values(Small).Set(ByLong.Slot(long.MaxValue), 255);
        ByLong.Lists(Amounts).Add(ByLong.Slot(5_000_000_000), 9);
        ByGuid.Values(Total).Set(ByGuid.Slot(Card), long.MinValue);
        ByGuid.Maps(Counts).Set(ByGuid.Slot(Guid.Empty), "empty", 0);
        ByTuple.Values(Total).Set(ByTuple.Slot(("a", -1)), 1);
        ByTuple.Lists(Profiles).Add(ByTuple.Slot(("", 0)), null);
        ByTuple.ProcessingTimers.Register(ByTuple.Slot(("timer", 1)), long.MaxValue - 1);
        Reduced.GetRefForWrite(Reduced.Window(-5, -3_600_000)) = new Reduced<string?>(true, null);
        Reduced.GetRefForWrite(Reduced.Window(-5, 0)) = new Reduced<string?>(true, "é");
        Reduced.GetRefForWrite(Reduced.Window(6, 0)) = default;
    }

    /// <summary>Changes, adds, takes back; keys leave, and one of them comes back within the step.</summary>
    private void Change()
    {
        ByString.Values(Total).Set(ByString.Slot("card-1"), 1);
        ByString.Values(Ratio).Clear(ByString.Slot("card-3"));
        ByString.Maps(Counts).Remove(ByString.Slot("zähler 😀"), "");
        ByString.Maps(Counts).Set(ByString.Slot("zähler 😀"), "b", 100);
        ByString.Maps(Counts).Set(ByString.Slot("zähler 😀"), "new", long.MaxValue);
        ByString.Maps(Cards).Remove(ByString.Slot("zähler 😀"), (1, Card));
        ByString.Lists(Amounts).Clear(ByString.Slot("zähler 😀"));
        ByString.EventTimers.Delete(ByString.Slot("card-5"), 5000);
        ByString.EventTimers.Register(ByString.Slot("card-5"), 5001);
        for (var i = 20; i < 26; i++) Leave($"card-{i}");
        ByString.Maps(Counts).Set(ByString.Slot("card-24"), "came back", 24);
        ByTuple.Values(Total).Set(ByTuple.Slot(("later", 2)), 2);
        ByTuple.Values(Total).Clear(ByTuple.Slot(("a", -1)));
        ByTuple.ReleaseIfEmpty(ByTuple.Slot(("a", -1)));
        Averages.Remove(Averages.Window("card-1", 3_600_000));
        Averages.GetRefForWrite(Averages.Window("card-2", 7_200_000)) = new RecordedAverage(1, double.MaxValue);
        Averages.GetRefForWrite(Averages.Window("card-2", 10_800_000)) = new RecordedAverage(2, double.Epsilon);
    }

    /// <summary>Whole stretches of windows are purged, timers come due, and more keys leave.</summary>
    private void Empty()
    {
        Averages.PurgedBefore = 3_600_000;
        for (var slot = 0; slot < Averages.SlotLimit; slot++)
        {
            if (Averages.IsLive(slot) && Averages.StartOf(slot) < 3_600_000) Averages.Remove(slot);
        }

        while (ByString.EventTimers.TryPopDue(10_000, out var slot, out _)) ByString.ReleaseIfEmpty(slot);
        for (var i = 30; i < 40; i++) Leave($"card-{i}");
        ByString.Values(Profile).Set(ByString.Slot(""), new RecordedProfile("no longer null", 1, Parent: new RecordedProfile(null, -1)));
        var rich = ByString.Slot("zähler 😀");
        ByString.Values(Profile).Set(rich, Rich("other"));
        ByString.Values(Note).Set(rich, new string('n', 300));
        ByString.Lists(Profiles).Add(rich, Rich("last"));
        ByString.Maps(Cards).Set(rich, (2, Card), Rich("card 2"));
        ByInt.Values(Words).Set(ByInt.Slot(77), []);
        ByGuid.Maps(Counts).Clear(ByGuid.Slot(Guid.Empty));
        ByGuid.ReleaseIfEmpty(ByGuid.Slot(Guid.Empty));
        ByLong.Lists(Amounts).Add(ByLong.Slot(5_000_000_000), -9);
    }

    private void Leave(string key)
    {
        var slot = ByString.Slot(key);
        ByString.Values(Total).Clear(slot);
        ByString.Values(Ratio).Clear(slot);
        ByString.Maps(Counts).Clear(slot);
        var index = int.Parse(key[5..], System.Globalization.CultureInfo.InvariantCulture);
        ByString.EventTimers.Delete(slot, index * 1000);
        ByString.ProcessingTimers.Delete(slot, 1_700_000_000_000 + index);
        ByString.ReleaseIfEmpty(slot);
    }

    private static RecordedProfile Rich(string name)
    {
        var parent = new RecordedProfile("parent", -1);
        return new RecordedProfile(name, 7, RecordedColour.Blue, 12.340m, Noon, Card, parent, [3, 2, 1]);
    }
}
