using Orleans.Serialization.Session;

namespace OrleansStream.State;

// Contract: epochs number the stretches between freezes.
// - All parts of a subtask are frozen together, so their epochs agree; epoch 1 is what was restored or written before the first freeze.
// - Whatever changes is marked with the present epoch. A delta since epoch b holds everything marked later than b, so a checkpoint that is never
//   published costs nothing: the next delta reaches back over it to the last epoch known to be published.
// - A removal is logged only if an earlier freeze may hold what was removed.

/// <summary>A table whose content is part of the subtask's snapshot.</summary>
internal interface ISnapshotPart
{
    /// <summary>The written name of the operator that owns the table.</summary>
    string Operator { get; }

    /// <summary>What the table keeps. An entry's place in the list stands for it in <see cref="Restore"/>.</summary>
    IReadOnlyList<StateShape> Shapes { get; }

    /// <summary>The epoch that changes are marked with now.</summary>
    uint Epoch { get; }

    /// <summary>Freezes the content as it is and begins the next epoch. Synchronous, in time of the number of pages.</summary>
    /// <param name="since">Encode what changed after this epoch; 0 for everything.</param>
    IFrozenPart Freeze(uint since);

    /// <summary>Forgets removals of the epoch and before: a published checkpoint is without them.</summary>
    void Forget(uint epoch);

    /// <summary>Applies entries of one key group, segment by segment from the full one on.</summary>
    void Restore(int shape, RestoredSection section);

    /// <summary>Takes the line that the newest segment of a chain keeps beside a shape. What an older line has let in of the chain's key groups goes.</summary>
    void RestoreLine(int shape, long line, KeyGroupRange groups);

    /// <summary>Makes room, before entries of a shape come, for about so many more keys, entries, timers or windows.</summary>
    void MakeRoom(int shape, int more);

    /// <summary>Ends the restore: from here on everything is unchanged since epoch 1.</summary>
    void EndRestore();

    /// <summary>Takes the place, with its content, of a fresh table of the same type and shapes, which another opening of the operator has made.</summary>
    void StandFor(ISnapshotPart fresh);
}

/// <summary>A table's content as of a freeze. Read by one encoder on any thread.</summary>
internal interface IFrozenPart
{
    /// <summary>A number that is kept beside a shape: the purge line of windows; 0 for others.</summary>
    long LineOf(int shape);

    /// <summary>What <see cref="ISnapshotPart.MakeRoom"/> gets when the shape is restored; 0 for nothing.</summary>
    long RoomOf(int shape);

    /// <summary>
    /// Writes the content into blocks; <paramref name="firstDeclaration"/> is the place of the part's first shape in the segment. Gives way, with an element,
    /// between two entries whenever the blocks are full; between a page's first cell and its last the page is not handed back.
    /// </summary>
    IEnumerable<SegmentBlocks> Encode(SegmentBlocks blocks, int firstDeclaration);

    /// <summary>Says that nobody will read the content again. May be called more than once.</summary>
    void Release();
}

/// <summary>The kinds of state in a segment. The numbers are written.</summary>
internal enum StateKind : byte
{
    /// <summary>Keys that left; has no name.</summary>
    Keys = 1,

    /// <summary>A value per key.</summary>
    Value = 2,

    /// <summary>A list per key.</summary>
    List = 3,

    /// <summary>A map per key.</summary>
    Map = 4,

    /// <summary>Timers in event time; has no name.</summary>
    EventTimers = 5,

    /// <summary>Timers in processing time; has no name.</summary>
    ProcessingTimers = 6,

    /// <summary>An accumulator per key and window start; has no name.</summary>
    Windows = 7,

    /// <summary>When each value was last touched.</summary>
    ValueTimes = 8,

    /// <summary>When each item of each list was last touched.</summary>
    ListTimes = 9,

    /// <summary>When each entry of each map was last touched.</summary>
    MapTimes = 10,
}

/// <summary>Names one state of one operator in a segment, and the form of its entries.</summary>
/// <param name="Operator">The operator's written name.</param>
/// <param name="Kind">What kind of state it is.</param>
/// <param name="Name">The state's name; empty for kinds that an operator has once.</param>
/// <param name="Form">The encodings of its keys and values: restored only by a state of the same form.</param>
internal sealed record StateShape(string Operator, StateKind Kind, string Name, string Form)
{
    /// <summary>Whether it says how long other state lives: a policy, which may be there on one side of a restore only.</summary>
    public bool IsOfPolicy => Kind is StateKind.ValueTimes or StateKind.ListTimes or StateKind.MapTimes;

    public override string ToString() => Kind switch
    {
        StateKind.Keys => $"the keys of operator '{Operator}'",
        StateKind.EventTimers => $"the event-time timers of operator '{Operator}'",
        StateKind.ProcessingTimers => $"the processing-time timers of operator '{Operator}'",
        StateKind.Windows => $"the windows of operator '{Operator}'",
        StateKind.ValueTimes or StateKind.ListTimes or StateKind.MapTimes => $"the times of state '{Name}' of operator '{Operator}'",
        _ => $"the {(Kind == StateKind.Value ? "value" : Kind == StateKind.List ? "list" : "map")} state '{Name}' of operator '{Operator}'",
    };
}

/// <summary>Entries of one state in one key group, read from a segment.</summary>
/// <param name="Group">The key group.</param>
/// <param name="Count">How many entries there are.</param>
/// <param name="Entries">Their bytes.</param>
/// <param name="Line">What the newest segment of the chain keeps beside the state.</param>
/// <param name="Session">For reading values.</param>
internal readonly record struct RestoredSection(int Group, int Count, ReadOnlyMemory<byte> Entries, long Line, SerializerSession Session);
