using OrleansStream.Checkpoints;
using OrleansStream.State;
using OrleansStream.Tests.State;

namespace OrleansStream.Tests.Formats;

/// <summary>Segments of state: a full one and two deltas, and the state that each of them leads to.</summary>
internal static class StateFormats
{
    private static readonly string[] Names = ["1-full", "2-delta", "3-delta"];

    public static IEnumerable<RecordedFormat> All => Enumerable.Range(1, StateScenario.Steps).SelectMany(Of);

    private static IEnumerable<RecordedFormat> Of(int step)
    {
        yield return new RecordedFormat(
            $"v1/state/{Names[step - 1]}.bin",
            "state segments",
            () => Task.FromResult(StateScenario.Run(step).Segments[^1].Content.ToArray()),
            bytes => ReadSegmentAsync(step, bytes));
        yield return new RecordedFormat(
            $"v1/state/{Names[step - 1]}.txt",
            "state",
            () => Task.FromResult(RecordedFormat.Lines(StateText.Of(StateScenario.Run(step).Scenario).Order(StringComparer.Ordinal))),
            async text =>
            {
                foreach (var parallelism in (int[])[1, 2, 3, 7]) Assert.Equal(RecordedFormat.Lines(text), await RestoreAsync(step, parallelism));
            });
    }

    private static async Task ReadSegmentAsync(int step, byte[] bytes)
    {
        var store = new SegmentStore();
        var segment = await SegmentReader.OpenAsync(store, Put(store, step, bytes), TestContext.Current.CancellationToken);
        var header = segment.Header;
        Assert.Equal(StateScenario.Checkpoint(step), header.Checkpoint);
        Assert.Equal(step == 1 ? null : StateScenario.Checkpoint(step - 1), header.Base);
        Assert.Equal(StateSetup.AllGroups(StateScenario.MaxParallelism), header.Groups);
        Assert.Equal(StateScenario.MaxParallelism, header.MaxParallelism);
        Assert.Equal(Enum.GetValues<StateKind>().Except(TimesFormats.Kinds), header.Declarations.Select(static d => d.Shape.Kind).Distinct().Order());
        Assert.Equal(ObjectText.Of(StateScenario.Blobs(step)), ObjectText.Of(header.Blobs));

        var groups = new List<int>();
        await segment.ReadBlocksAsync(header.Groups, (group, _) => groups.Add(group), TestContext.Current.CancellationToken);
        Assert.True(groups.Distinct().Count() < groups.Count, "No key group has several blocks: the segment is to be of several pieces.");
    }

    private static SegmentRef Put(SegmentStore store, int step, byte[] bytes)
    {
        store.Objects[Names[step - 1]] = bytes;
        return new SegmentRef(Names[step - 1], bytes.Length, ObjectFrame.Checksum(bytes), StateScenario.Checkpoint(step));
    }

    /// <summary>Restores the recorded chain up to a step at a parallelism, and puts the state of all subtasks together.</summary>
    private static async Task<IEnumerable<string>> RestoreAsync(int step, int parallelism)
    {
        var store = new SegmentStore();
        var chain = new List<SegmentRef>();
        for (var i = 1; i <= step; i++) chain.Add(Put(store, i, Recordings.Bytes($"v1/state/{Names[i - 1]}.bin")));

        var lines = new List<string>();
        for (var index = 0; index < parallelism; index++)
        {
            var scenario = new StateScenario(KeyGroups.Range(index, parallelism, StateScenario.MaxParallelism));
            var restored = await scenario.State.RestoreAsync(
                store, [new SegmentChain(0, StateSetup.AllGroups(StateScenario.MaxParallelism), chain)], TestContext.Current.CancellationToken);
            Assert.Equal(ObjectText.Of(StateScenario.Blobs(step)), ObjectText.Of(restored.Blobs.Select(static blob => blob.Blob)));
            Assert.Equal(parallelism == 1 ? StateScenario.Checkpoint(step) : null, restored.BuildsOn);
            lines.AddRange(StateText.Of(scenario));
        }

        // Each subtask has a purge line of its own, the same for all.
        return lines.Distinct().Order(StringComparer.Ordinal);
    }
}
