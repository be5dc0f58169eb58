using OrleansStream.Checkpoints;
using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.Stages;

namespace OrleansStream.Testing.Simulation;

/// <summary>Limits of the engine in one run, drawn from its seed: small, so that every limit is met.</summary>
internal sealed class Settings
{
    public Settings(Random random)
    {
        MostFailures = random.Next(4) == 0 ? random.Next(1, 4) : 100_000;
        MostRead = random.Next(2, 24);
        LongestWaitTicks = random.Next(10_000, 200_000);
        // A snapshot in many pieces takes many calls, one after another, and its checkpoint gets the time for them.
        var inPieces = MostRead % 4 > 0;
        ChannelWindow = (LongestWaitTicks % 5) switch { 0 => 1, 1 => 2, 2 => 3, _ => PlannedStage.ChannelWindow };
        Subtask = new SubtaskTimings
        {
            TurnLimit = random.Next(4) == 0 ? TimeSpan.FromMilliseconds(2) : TimeSpan.Zero,
            CoordinatorSilence = TimeSpan.FromMilliseconds(1000),
            StartPatience = TimeSpan.FromMilliseconds(1500),
            CallPatience = TimeSpan.FromMilliseconds(600),
            CallPause = TimeSpan.FromMilliseconds(5),
        };
        PieceBytes = inPieces ? 128 << (LongestWaitTicks % 4) : null;
        Coordinator = new CoordinatorTimings
        {
            HeartbeatInterval = TimeSpan.FromMilliseconds(150),
            AlignmentInterval = TimeSpan.FromMilliseconds(20),
            SubtaskSilence = TimeSpan.FromMilliseconds(700),
            CallPause = TimeSpan.FromMilliseconds(5),
            StorePause = TimeSpan.FromMilliseconds(30),
        };
        Job = new JobRules
        {
            Checkpoints = new CheckpointRules
            {
                Interval = TimeSpan.FromMilliseconds(random.Next(2, 25)),
                Timeout = TimeSpan.FromMilliseconds(random.Next(200, 800) * (inPieces ? 8 : 1)),
                TolerableGivenUp = random.Next(1, 4),
                LongestChain = random.Next(1, 5),
                LargestDeltaShare = random.Next(2) == 0 ? 1 : 10,
                RetainedCount = random.Next(1, 4),
            },
            Restarts = RestartStrategy.Exponential(TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(200), attempts: MostFailures),
            CoordinatorPoll = TimeSpan.FromMilliseconds(50),
            CoordinatorMisses = 4,
            LongestReadAhead = TimeSpan.FromMilliseconds(LongestWaitTicks % 8 * 15),
            LongestUrgentReadAhead = TimeSpan.FromMilliseconds(LongestWaitTicks % 8 * 4),
            RebalanceAfter = LongestWaitTicks % 3 == 0 ? null : TimeSpan.FromMilliseconds(50 + (LongestWaitTicks % 450)),
        };
    }

    /// <summary>How many failures in a row end the job, until a person starts it again.</summary>
    public int MostFailures { get; }

    /// <summary>One more than the most records of one read.</summary>
    public int MostRead { get; }

    public int LongestWaitTicks { get; }

    /// <summary>Whether silos read what a recovery would bring to them as soon as another has died.</summary>
    public bool SuspectsSilos => LongestWaitTicks % 7 < 4;

    /// <summary>The most envelopes on a channel: few, so that senders wait for room.</summary>
    public int ChannelWindow { get; }

    public SubtaskTimings Subtask { get; }

    /// <summary>About how large a piece of a snapshot is; the engine's own size when null.</summary>
    public int? PieceBytes { get; }

    public CoordinatorTimings Coordinator { get; }

    public JobRules Job { get; }
}
