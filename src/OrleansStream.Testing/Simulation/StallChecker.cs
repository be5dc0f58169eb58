using OrleansStream.Checkpoints;
using OrleansStream.Jobs;

namespace OrleansStream.Testing.Simulation;

/// <summary>
/// Looks for what waits for ever, which the next attempt would hide: a sender without room that is not told what its receiver has processed, and a checkpoint that does not come to its end though nothing
/// goes wrong any more.
/// </summary>
internal sealed class StallChecker(SimulatedRun run)
{
    /// <summary>Longer than a call is made again and again before its attempt ends.</summary>
    private readonly TimeSpan _longestUntold = run.Settings.Subtask.CallPatience + TimeSpan.FromMilliseconds(100);

    /// <summary>How long after the last fault the last message is there and what paused is awake.</summary>
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(1);

    private Dictionary<(Incarnation Sender, SubtaskId Receiver, int Channel), (long Known, long Processed, TimeSpan Since)> _untold = [];

    /// <summary>Looks at all channels; now and then.</summary>
    public void Look()
    {
        var openings = run.Silos
            .Where(static silo => silo is { IsAlive: true, IsPaused: false })
            .SelectMany(static silo => silo.Subtasks)
            .Where(static subtask => subtask is { IsStarted: true, Driver: not null, Actor.IsPaused: false })
            .ToDictionary(static subtask => subtask.Driver!.Subtask.Context.Incarnation);
        var untold = new Dictionary<(Incarnation, SubtaskId, int), (long, long, TimeSpan)>();
        foreach (var (incarnation, sender) in openings)
        {
            foreach (var output in sender.Driver!.Subtask.Outputs.Where(static output => !output.HasRoom))
            {
                if (!openings.TryGetValue(output.ToIncarnation, out var receiver)) continue;
                var (known, processed) = (output.Processed, receiver.Driver!.Subtask.Inputs[output.ReceiverChannel].Processed);
                if (processed == known) continue;
                var channel = (incarnation, output.To, output.ReceiverChannel);
                var since = _untold.TryGetValue(channel, out var before) && (before.Known, before.Processed) == (known, processed) ? before.Since : run.Scheduler.Now;
                untold[channel] = (known, processed, since);
                if (run.Scheduler.Now - since > _longestUntold)
                    run.Violate("stall", $"{sender.Actor} has no room for {output.To}, which has processed {processed} envelopes of it and told of {known}, and nothing more for {_longestUntold.TotalMilliseconds} ms");
            }
        }

        _untold = untold;
    }

    /// <summary>A checkpoint was given up.</summary>
    public void OnGivenUp(CheckpointNote note, string missing)
    {
        run.Trace?.Invoke($"gave up checkpoint {note.Id} without {missing}");
        if (TimeSpan.FromMilliseconds(note.BeganMs) > run.Weather.EndsAt + Calm)
            run.Violate("stall", $"checkpoint {note.Id} was given up after {note.DurationMs} ms though nothing had gone wrong for {Calm.TotalSeconds} s when it began, without {missing}");
    }
}
