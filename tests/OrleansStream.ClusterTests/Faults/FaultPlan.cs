using OrleansStream.Jobs;

namespace OrleansStream.ClusterTests.Faults;

/// <summary>Which silo of the cluster dies, and in the middle of what.</summary>
internal enum Victim
{
    /// <summary>The silo that leads the job, in its first attempt.</summary>
    Leader,

    /// <summary>One that does not lead it.</summary>
    Follower,

    /// <summary>Those that recover the job after its leader has died behind a published checkpoint that nobody has committed.</summary>
    Recovering,

    /// <summary>The silo that leads the job while it is rescaled.</summary>
    RescalingLeader,

    /// <summary>Those that do not lead it while it is rescaled.</summary>
    RescalingFollower,

    /// <summary>The silo that leads the job, while it leaves.</summary>
    Leaving,
}

/// <summary>A point, who dies there, and the passings of the point among which one is chosen.</summary>
internal sealed record FaultPlan(string Name, FaultPoint Point, Victim Victim, int Least, int Most)
{
    /// <summary>Every named point, and those again that are another thing during a rescale.</summary>
    public static IReadOnlyList<FaultPlan> All { get; } =
    [
        .. Enum.GetValues<FaultPoint>().Select(Of),
        new("rescale-attempt-started", FaultPoint.AttemptStarted, Victim.RescalingLeader, 2, 2),
        new("rescale-partly-restored", FaultPoint.PartlyRestored, Victim.RescalingFollower, 1, 1),
    ];

    /// <summary>The plan of a name.</summary>
    public static FaultPlan Find(string name) =>
        All.FirstOrDefault(plan => plan.Name == name) ?? throw new ArgumentException($"There is no fault '{name}'. There are: {string.Join(", ", All.Select(static plan => plan.Name))}.");

    private static FaultPlan Of(FaultPoint point)
    {
        // Followers pass what is of subtasks several times in each checkpoint.
        var (victim, least, most) = point switch
        {
            FaultPoint.AttemptSealed or FaultPoint.AttemptStarted or FaultPoint.PendingCommitted => (Victim.Recovering, 1, 1),
            FaultPoint.TableGiven or FaultPoint.PartlyRestored => (Victim.Recovering, 1, 4),
            FaultPoint.BarrierSent => (Victim.Leader, 2, 8),
            FaultPoint.ReceiptsComplete or FaultPoint.ManifestWritten or FaultPoint.Published => (Victim.Leader, 1, 5),
            FaultPoint.Dropped => (Victim.Leader, 1, 3),
            FaultPoint.FinalPublished => (Victim.Leader, 1, 1),
            FaultPoint.ObjectUnnamed => (Victim.Leader, 5, 40),
            FaultPoint.SinkPrepared or FaultPoint.SinkCommitted => (Victim.Follower, 1, 4),
            FaultPoint.SourceRead or FaultPoint.BarrierAligning or FaultPoint.Frozen or FaultPoint.ObjectHalfWritten or FaultPoint.SegmentWritten or FaultPoint.Firing => (Victim.Follower, 3, 30),
            FaultPoint.MovePublished => (Victim.RescalingLeader, 1, 1),
            FaultPoint.HandOverBegun or FaultPoint.HandOverGiven => (Victim.Leaving, 1, 1),
            _ => throw new ArgumentException($"Nobody has said who is to die at {point}."),
        };
        return new FaultPlan(FaultPoints.NameOf(point), point, victim, least, most);
    }
}
