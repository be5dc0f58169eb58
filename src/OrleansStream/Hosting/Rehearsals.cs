using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrleansStream.Checkpoints;
using OrleansStream.Graph;
using OrleansStream.Jobs;
using OrleansStream.Stages;
using OrleansStream.State;

namespace OrleansStream.Hosting;

/// <summary>
/// Recoveries, rehearsed: the first snapshot of each stage is read back on every silo that wrote one, or one key group of it if it is large. So state whose types cannot be read again is known before it has
/// to be, and what restores is compiled before anybody waits for it. Done for one subtask of each stage, one at a time and beside the job, which a failure here leaves alone.
/// </summary>
internal sealed partial class Rehearsals(JobRegistry registry, ReadingAhead reading, StreamServices services, IServiceProvider provider, ILogger<Rehearsals> logger) : IDisposable
{
    /// <summary>Of larger snapshots one key group is read.</summary>
    private const int MostBytes = 1 << 20;

    /// <summary>How often it is read, and how long after one another: the runtime compiles well what was called often, when for a while nothing new was compiled.</summary>
    private const int Times = 3;
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(1);

    private readonly ILogger _logger = logger;
    private readonly ConcurrentDictionary<(string Job, string Fingerprint, int Stage), bool> _begun = new();
    private readonly ConcurrentDictionary<string, bool> _foreseen = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _turn = new(1);
    private int _made;

    /// <summary>How many stages' snapshots could be read back.</summary>
    public int Made => _made;

    /// <summary>Takes the first snapshot of a subtask that began with nothing, when it is published.</summary>
    /// <param name="opening">The subtask.</param>
    /// <param name="groups">Its key groups.</param>
    /// <param name="segment">The snapshot, which is full.</param>
    public void Begin(SubtaskOpening opening, KeyGroupRange groups, SegmentRef segment)
    {
        if (_begun.TryAdd((opening.Job, opening.Fingerprint, opening.Id.Stage), true)) _ = Task.Run(() => RunAsync(opening, groups, segment));
    }

    public void Dispose() => _turn.Dispose();

    private async Task RunAsync(SubtaskOpening opening, KeyGroupRange groups, SegmentRef segment)
    {
        try
        {
            var stage = registry.StageOf(opening);
            for (var time = 0; time < Times; time++)
            {
                if (time > 0) await Task.Delay(Between, services.Time);
                await ReadBackAsync(opening, stage, groups, segment);
                if (time == 0) Interlocked.Increment(ref _made);
            }

            if (_foreseen.TryAdd(opening.Job, true)) await reading.RehearseAsync(opening.Job);
        }
        catch (JobRefusedException refused)
        {
            LogCannotBeRestored(opening.Job, opening.Id, refused.Message);
        }
        catch (Exception error)
        {
            // The store was not there, the snapshot is gone by now, or the silo ends.
            LogNotReadBack(opening.Job, opening.Id, error.Message);
        }
    }

    private async Task ReadBackAsync(SubtaskOpening opening, PlannedStage stage, KeyGroupRange groups, SegmentRef segment)
    {
        await _turn.WaitAsync();
        try
        {
            var read = segment.LengthBytes <= MostBytes ? groups : new KeyGroupRange(groups.Start, groups.Start + 1);
            var state = new SubtaskState(read, opening.MaxParallelism, services.Serializers);
            await using var scope = provider.CreateAsyncScope();
            var context = SubtaskContext.Of(opening, stage, StreamServices.NewIncarnation(), scope.ServiceProvider, services.Serializers, state);
            await new Subtask(context, stage).RestoreAsync(services.SegmentStore, [new SegmentChain(opening.Id.Index, groups, [segment])], CancellationToken.None);
        }
        finally
        {
            _turn.Release();
        }
    }

    [LoggerMessage(LogLevel.Error, "Job {Job}: what subtask {Subtask} has saved cannot be read back, so that the job could not recover from it: {Cause}")]
    private partial void LogCannotBeRestored(string job, SubtaskId subtask, string cause);

    [LoggerMessage(LogLevel.Debug, "Job {Job}: what subtask {Subtask} has saved was not read back: {Cause}")]
    private partial void LogNotReadBack(string job, SubtaskId subtask, string cause);
}
