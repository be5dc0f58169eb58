using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Placement;
using OrleansStream.Checkpoints;
using OrleansStream.Hosting;
using OrleansStream.Jobs;

namespace OrleansStream.Http;

/// <summary>
/// Carries out what is asked of one job, and remembers the last of it, in memory. When its silo dies, what it remembers is gone: the job itself goes on as its history says, ids are then answered from the
/// job's status, keys of callers are forgotten, and a stop that was not yet written down does not happen. Two activations for a while are no harm: what they ask of the job is safe to repeat.
/// </summary>
[Reentrant, KeepAlive, PreferLocalPlacement]
internal sealed partial class OperationsGrain(IStreamJobs jobs, JobRegistry registry, StreamServices services, ILogger<OperationsGrain> logger) : Grain, IOperationsGrain
{
    /// <summary>The most operations that are remembered; those that have ended go first.</summary>
    private const int MostRemembered = 64;

    /// <summary>The first pause between two looks at the job; each is longer than the one before.</summary>
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(50);

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    /// <summary>How long a job that no silo seems to lead is waited for: silos revive such jobs every 5 s.</summary>
    private static readonly TimeSpan LongestIdle = TimeSpan.FromSeconds(8);

    /// <summary>How long the job may give no answer.</summary>
    private static readonly TimeSpan LongestSilence = TimeSpan.FromMinutes(1);

    private readonly ILogger _logger = logger;
    private readonly List<Remembered> _operations = [];
    private readonly CancellationTokenSource _leaving = new();

    private string Job => this.GetPrimaryKeyString();

    public async Task<OperationAnswer> BeginAsync(OperationRequest request)
    {
        if (Repeated(request) is { } before) return before;
        var status = await jobs.GetStatusAsync(Job);
        // The same request may have come in meanwhile.
        if (Repeated(request) is { } meanwhile) return meanwhile;
        if (OperationRules.Conflict(request, status) is { } conflict) return new OperationAnswer(null, conflict, IsKeyTaken: false);

        var id = new OperationId(Job, request.Verb, status.Attempt, services.Time.GetUtcNow(), RandomNumberGenerator.GetHexString(16, lowercase: true), request.Parallelism);
        var operation = new Remembered(request, new OperationView(id.ToString(), Job, OperationId.NameOf(id.Verb), OperationState.Running, null, null, id.Begun, null, IsRemembered: true));
        _operations.Add(operation);
        Forget();
        LogBegun(Job, id.Verb, id.ToString());
        _ = CarryOutAsync(operation);
        return new OperationAnswer(operation.View, null, IsKeyTaken: false);
    }

    public async Task<OperationView> FindAsync(string id)
    {
        if (_operations.Find(operation => operation.View.Id == id) is { } known) return known.View;
        var parsed = OperationId.Parse(id)!;
        var verdict = OperationRules.Forgotten(parsed, await jobs.GetStatusAsync(Job));
        return new OperationView(
            id, Job, OperationId.NameOf(parsed.Verb), verdict.State, CauseOf(verdict), verdict.State == OperationState.Failed ? null : verdict.Text, parsed.Begun, null, IsRemembered: false);
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => await _leaving.CancelAsync();

    /// <summary>The operation of the same key, or the one under way that does the same.</summary>
    private OperationAnswer? Repeated(OperationRequest request)
    {
        if (request.Key is { } key && _operations.Find(operation => operation.Request.Key == key) is { } named)
        {
            return named.Request.Digest == request.Digest
                ? new OperationAnswer(named.View, null, IsKeyTaken: false)
                : new OperationAnswer(null, $"The key '{key}' was given to another request, operation {named.View.Id}; take a new key for a new request.", IsKeyTaken: true);
        }

        return request.Key is null && _operations.Find(operation => operation.View.State == OperationState.Running && operation.Request.Digest == request.Digest) is { } same
            ? new OperationAnswer(same.View, null, IsKeyTaken: false)
            : null;
    }

    private void Forget()
    {
        while (_operations.Count > MostRemembered)
        {
            var ended = _operations.FindIndex(static operation => operation.View.State != OperationState.Running);
            _operations.RemoveAt(Math.Max(0, ended));
        }
    }

    private async Task CarryOutAsync(Remembered operation)
    {
        var verdict = default(Verdict);
        try
        {
            verdict = operation.Request.Verb switch
            {
                OperationVerb.Start => await StartAsync(operation),
                OperationVerb.Rescale => await RescaleAsync(operation, operation.Request.Parallelism!.Value),
                _ => await WatchAsync(operation, () => jobs.StopAsync(Job, operation.Request.Reason!)),
            };
        }
        catch (OperationCanceledException) when (_leaving.IsCancellationRequested)
        {
            return;
        }
        catch (Exception error)
        {
            verdict = new Verdict(OperationState.Failed, error is StreamException ? error.Message : $"{error.GetType().Name}: {error.Message}");
        }

        operation.View = operation.View with
        {
            State = verdict.State,
            Cause = CauseOf(verdict),
            Detail = verdict.State == OperationState.Failed ? null : verdict.Text,
            Ended = services.Time.GetUtcNow(),
        };
        LogEnded(Job, operation.View.Id, verdict.State, verdict.Text);
    }

    private async Task<Verdict> StartAsync(Remembered operation)
    {
        var history = await HistoryLog.ReadAsync(services.Store, Job, services.NewRetry(), _leaving.Token);
        var start = operation.Request.Start!.Over(RecoveryPlan.Revived(registry.Find(Job).Start, history.LastStarted));
        await jobs.StartAsync(Job, start);
        return await WatchAsync(operation, again: null);
    }

    private async Task<Verdict> RescaleAsync(Remembered operation, int parallelism)
    {
        var asked = services.Time.GetTimestamp();
        var wasInterrupted = false;
        while (true)
        {
            try
            {
                var isChanged = await jobs.RescaleAsync(Job, parallelism, _leaving.Token);
                return new Verdict(OperationState.Done, isChanged || wasInterrupted ? $"The job runs at parallelism {parallelism}." : $"The job ran at parallelism {parallelism} already; nothing was done.");
            }
            catch (Exception error) when (services.Time.GetElapsedTime(asked) < LongestSilence && !_leaving.IsCancellationRequested && (error is not StreamException || (wasInterrupted && error is JobRefusedException)))
            {
                // The silo that led the job is gone, or the one that follows is not as far yet as to be asked.
                wasInterrupted = true;
                operation.View = operation.View with { Detail = $"Asked again: {error.Message}" };
            }

            await Task.Delay(LongestPause, services.Time, _leaving.Token);
        }
    }

    /// <summary>Looks at the job until the operation has ended.</summary>
    /// <param name="operation">Shows what was last seen.</param>
    /// <param name="again">Asked of the job as long as it has an ear for it: it may have moved to another silo.</param>
    private async Task<Verdict> WatchAsync(Remembered operation, Func<Task>? again)
    {
        var pause = ShortestPause;
        var (answered, idleSince) = (services.Time.GetTimestamp(), (long?)null);
        while (true)
        {
            try
            {
                if (again is not null) await again();
                var status = await jobs.GetStatusAsync(Job);
                answered = services.Time.GetTimestamp();
                idleSince = status.Phase == JobPhase.Idle ? idleSince ?? answered : null;
                var verdict = OperationRules.Watched(operation.Request.Verb, status);
                if (verdict.State != OperationState.Running) return verdict;
                operation.View = operation.View with { Detail = verdict.Text };
            }
            catch (Exception error) when (error is not StreamException && services.Time.GetElapsedTime(answered) < LongestSilence)
            {
                operation.View = operation.View with { Detail = $"The job does not answer: {error.Message}" };
            }

            if (idleSince is { } since && services.Time.GetElapsedTime(since) > LongestIdle)
            {
                return operation.Request.Verb == OperationVerb.Stop
                    ? new Verdict(OperationState.Done, "The job was not running.")
                    : new Verdict(OperationState.Failed, "The silo that led the job is gone, and no other has taken it over.");
            }

            await Task.Delay(pause, services.Time, _leaving.Token);
            pause = pause * 1.5 < LongestPause ? pause * 1.5 : LongestPause;
        }
    }

    private static string? CauseOf(Verdict verdict) => verdict.State == OperationState.Failed ? verdict.Text : null;

    [LoggerMessage(LogLevel.Information, "Job {Job}: {Verb} was asked for, operation {Operation}")]
    private partial void LogBegun(string job, OperationVerb verb, string operation);

    [LoggerMessage(LogLevel.Information, "Job {Job}: operation {Operation} is {State}: {Text}")]
    private partial void LogEnded(string job, string operation, OperationState state, string? text);

    private sealed class Remembered(OperationRequest request, OperationView view)
    {
        public OperationRequest Request => request;

        public OperationView View { get; set; } = view;
    }
}
