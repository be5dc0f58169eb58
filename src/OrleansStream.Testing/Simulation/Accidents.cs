namespace OrleansStream.Testing.Simulation;

/// <summary>
/// What may befall a simulated cluster, at most. Each seed draws its own weather below these bounds: about one in six has none of it, others have one kind of fault and not
/// another, so that many seeds say more than much of everything.
/// </summary>
public sealed record Accidents
{
    /// <summary>What an honest cluster has on a very bad day. The default.</summary>
    public static Accidents Usual { get; } = new();

    /// <summary>Nothing goes wrong; messages still take their time, and the order in which subtasks get their turns is still the seed's.</summary>
    public static Accidents None { get; } = new() { Loss = 0, Repeats = 0, Slowness = 0, StoreFaults = 0, SinkFaults = 0, Strikes = 0, Until = TimeSpan.Zero };

    /// <summary>The highest share of messages between silos that are lost, requests and replies alike; within a silo it is a third of it. 0.06 unless set.</summary>
    public double Loss { get; init; } = 0.06;

    /// <summary>The highest share of requests that arrive twice. 0.15 unless set.</summary>
    public double Repeats { get; init; } = 0.15;

    /// <summary>The highest share of messages, store and sink calls that take up to 300 times as long as others. 0.06 unless set.</summary>
    public double Slowness { get; init; } = 0.06;

    /// <summary>
    /// The highest share of calls to the checkpoint store that fail: without effect, having been carried out all the same, or to be carried out up to two seconds later. 0.15 unless set.
    /// </summary>
    public double StoreFaults { get; init; } = 0.15;

    /// <summary>The same for commits of sinks, which may also be carried out halfway. 0.1 unless set.</summary>
    public double SinkFaults { get; init; } = 0.1;

    /// <summary>
    /// The most strikes at silos, subtasks, coordinators and the job's own grain, each at a moment of the seed's, mostly just after something was written: killed without a word, paused for
    /// milliseconds or for an hour and awake again without knowing it, activated twice, asked to leave with or without time to hand over; or the job stopped by a person and started again, or rescaled. One seed in six has
    /// nothing but rescales and hand-overs, four at most. 11 unless set.
    /// </summary>
    public int Strikes { get; init; } = 11;

    /// <summary>
    /// Until when there are faults, in virtual time from the start of the run: the seed draws a moment from a tenth of it on. 3 seconds unless set, which suits a source
    /// that is read as fast as it can be; set it higher when <see cref="SimulatedSource{T}.Pace"/> makes the run longer.
    /// </summary>
    public TimeSpan Until { get; init; } = TimeSpan.FromSeconds(3);

    internal void RequireSane()
    {
        foreach (var (name, rate) in new[] { (nameof(Loss), Loss), (nameof(Repeats), Repeats), (nameof(Slowness), Slowness), (nameof(StoreFaults), StoreFaults), (nameof(SinkFaults), SinkFaults) })
        {
            if (!(rate is >= 0 and <= 0.5)) throw new ArgumentException($"{nameof(Accidents)}.{name} is {rate}; a share is from 0 to 0.5, so that something still gets through.");
        }

        if (Strikes is < 0 or > 10_000) throw new ArgumentException($"{nameof(Accidents)}.{nameof(Strikes)} is {Strikes}; it must be from 0 to 10,000.");
        if (Until < TimeSpan.Zero || Until > TimeSpan.FromDays(1)) throw new ArgumentException($"{nameof(Accidents)}.{nameof(Until)} is {Until}; it must be from 0 to a day.");
    }
}
