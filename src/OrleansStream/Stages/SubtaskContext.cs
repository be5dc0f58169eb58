using System.Runtime.CompilerServices;
using OrleansStream.Exchange;
using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.State;

namespace OrleansStream.Stages;

/// <summary>What the operators of one subtask share.</summary>
internal sealed class SubtaskContext
{
    public required string Job { get; init; }

    public required string Stage { get; init; }

    public required SubtaskId Id { get; init; }

    public required Attempt Attempt { get; init; }

    public required Incarnation Incarnation { get; init; }

    public required int Parallelism { get; init; }

    public required int MaxParallelism { get; init; }

    public required IServiceProvider Services { get; init; }

    public required StateSerializers Serializers { get; init; }

    public required SubtaskState State { get; init; }

    /// <summary>The context of one opening of a subtask.</summary>
    public static SubtaskContext Of(
        SubtaskOpening opening, PlannedStage stage, Incarnation incarnation, IServiceProvider services, StateSerializers serializers, SubtaskState? passedOn = null) => new()
        {
            Job = opening.Job,
            Stage = stage.Name,
            Id = opening.Id,
            Attempt = opening.Attempt,
            Incarnation = incarnation,
            Parallelism = stage.Parallelism,
            MaxParallelism = opening.MaxParallelism,
            Services = services,
            Serializers = serializers,
            State = passedOn ?? new SubtaskState(KeyGroups.Range(opening.Id.Index, stage.Parallelism, opening.MaxParallelism), opening.MaxParallelism, serializers),
            Splits = opening.Splits,
            RecordsPerSecond = opening.RecordsPerSecond,
        };

    /// <summary>What was saved of operators' own state by every former subtask of the stage; empty at a fresh start.</summary>
    public IReadOnlyList<RestoredBlob> Restored { get; set; } = [];

    /// <summary>The splits that this subtask reads, by source name.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyList<Sources.SourceSplit>> Splits { get; init; }

    /// <summary>The watermarks of the former subtasks that had this one's keys, when the snapshot was taken; empty at a fresh start.</summary>
    public FormerWatermark[] FormerWatermarks { get; set; } = [];

    /// <summary>The highest of them: so time goes back for no key.</summary>
    public long RestoredWatermark
    {
        get
        {
            var highest = Time.EventTime.Beginning;
            foreach (var former in FormerWatermarks) highest = Math.Max(highest, former.Watermark);
            return highest;
        }
    }

    /// <summary>
    /// Whether they differ. Subtasks of one stage are not at the same watermark where channels were idle, as each hears of it in an order of its own. What came due between
    /// a key's own watermark and the restored one has not fired, and does so at once.
    /// </summary>
    public bool IsBehind
    {
        get
        {
            foreach (var former in FormerWatermarks)
            {
                if (former.Watermark != FormerWatermarks[0].Watermark) return true;
            }

            return false;
        }
    }

    /// <summary>The watermark that the subtask had which kept a key.</summary>
    [MethodImpl(Compilation.AtOnce)]
    public long FormerWatermarkOf(ulong keyHash)
    {
        var group = KeyGroups.Of(keyHash, MaxParallelism);
        foreach (var former in FormerWatermarks)
        {
            if (former.Groups.Contains(group)) return former.Watermark;
        }

        return Time.EventTime.Beginning;
    }

    /// <summary>The most records per second of each source, all its subtasks together; null for no limit.</summary>
    public double? RecordsPerSecond { get; init; }

    public Counters Counters { get; } = new();

    public KeyGroupRange Groups => KeyGroups.Range(Id.Index, Parallelism, MaxParallelism);

    public TablesOf Tables => new(Job, Stage, Groups);

    /// <summary>Every operator of the chain, from its ends to its head.</summary>
    public List<Operator> Operators { get; } = [];

    public List<OutputChannel> Outputs { get; } = [];

    /// <summary>The time of the step that is running; operators ask no clock.</summary>
    public Clock Now { get; set; }

    /// <summary>For how many milliseconds of <see cref="Clock.Elapsed"/> nothing was taken in because there was no room below.</summary>
    public long HeldMs { get; set; }

    /// <summary>Monotonic milliseconds without those: what the idleness of splits is measured by.</summary>
    public long ReadingTime => Now.Elapsed - HeldMs;

    /// <summary>The split that the records in hand come from; 0 where there is no source in the chain.</summary>
    public int CurrentSplit { get; set; }

    /// <summary>The splits of the source that heads this chain, with what they had when last saved; null behind an exchange.</summary>
    public Sources.ISourceSplits? Source { get; set; }

    /// <summary>How many of them have ended.</summary>
    public int EndedSplits { get; set; }

    /// <summary>Where the source of this chain stands, for messages; null behind an exchange.</summary>
    public string? Position => Source?.Position;

    /// <summary>The operator that begins the chain's watermarks; null where they come with the channels.</summary>
    public Time.IWatermarkOrigin? WatermarkOrigin { get; set; }

    /// <summary>The operators that wait for the world outside, from the chain's ends to its head.</summary>
    public List<IAsyncOperator> Asynchronous { get; } = [];

    /// <summary>Makes the subtask's driver go on, because something has come from outside. Called on the subtask's scheduler.</summary>
    public Action Wake { get; set; } = static () => { };

    /// <summary>Whether every channel, and every operator that waits for the world outside, has room for more.</summary>
    public bool HasRoom => HasRoomBelow(Asynchronous.Count);

    /// <summary>Whether no operator has anything on its way to the world outside or back.</summary>
    public bool IsCalm
    {
        get
        {
            foreach (var waiting in Asynchronous)
            {
                if (!waiting.IsEmpty) return false;
            }

            return true;
        }
    }

    /// <summary>The same as <see cref="HasRoom"/> for one of those operators: it counts those that were made before it.</summary>
    public bool HasRoomBelow(int asynchronous)
    {
        for (var i = 0; i < asynchronous; i++)
        {
            if (Asynchronous[i].IsFull) return false;
        }

        return HasChannelRoom;
    }

    /// <summary>Decides which splits of the source wait for the rest of their alignment group; null where they are in none.</summary>
    public Time.SplitAlignment? Alignment { get; set; }

    /// <summary>Whether every channel has room for more.</summary>
    public bool HasChannelRoom
    {
        get
        {
            foreach (var output in Outputs)
            {
                if (!output.HasRoom) return false;
            }

            return true;
        }
    }
}

/// <summary>What a former subtask of the stage had reached.</summary>
/// <param name="Groups">The key groups that it owned.</param>
/// <param name="Watermark">Its watermark.</param>
internal readonly record struct FormerWatermark(KeyGroupRange Groups, long Watermark);

/// <summary>The time of one step.</summary>
/// <param name="Wall">Wall-clock milliseconds since 1970: processing time.</param>
/// <param name="Elapsed">Monotonic milliseconds since some fixed point: delays, rates.</param>
internal readonly record struct Clock(long Wall, long Elapsed);

/// <summary>What a subtask has counted since it was opened.</summary>
internal sealed class Counters
{
    public long RecordsIn { get; set; }

    public long RecordsOut { get; set; }

    public long LateRecords { get; set; }

    public long DeadLetters { get; set; }

    public long BadRecords { get; set; }

    /// <summary>Milliseconds in which the subtask had input and no room for output.</summary>
    public long BackPressuredMs { get; set; }
}
