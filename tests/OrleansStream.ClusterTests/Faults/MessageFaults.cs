using System.Collections.Concurrent;
using System.Reflection;
using OrleansStream.Checkpoints;
using OrleansStream.Exchange;
using OrleansStream.Jobs;
using OrleansStream.Stages;

namespace OrleansStream.ClusterTests.Faults;

/// <summary>What may happen to a call.</summary>
internal enum MessageFault
{
    /// <summary>The request is lost: it is not carried out.</summary>
    LostRequest,

    /// <summary>It is carried out, and the answer is lost.</summary>
    LostAnswer,

    /// <summary>It is carried out twice in a row.</summary>
    Repeated,

    /// <summary>It is carried out again a while after it was answered.</summary>
    RepeatedLate,

    /// <summary>The request takes its time, and others overtake it.</summary>
    Delayed,

    /// <summary>The answer takes its time.</summary>
    AnswerDelayed,
}

/// <summary>
/// Does harm to a share of the calls to subtasks and coordinators of silos in this process: one instance for all silos, in front of the called grain. The draws are the seed's; which call gets which is
/// the schedule's.
/// </summary>
/// <param name="seed">What the draws come from.</param>
/// <param name="share">The share of calls that get a fault, of those that go on while a job runs.</param>
/// <param name="openings">How many of those by which an attempt is set up get one, each kind of fault in its turn: an attempt does not outlast the loss of such a call.</param>
internal sealed class MessageFaults(int seed, double share, int openings = 0) : IIncomingGrainCallFilter
{
    private const int LongestDelayMs = 120;

    /// <summary>Fewer than an attempt of the job has, so that each attempt meets one until there are no more.</summary>
    private const int OpeningsBetweenFaults = 29;

    private static readonly HashSet<string> Openings =
        [nameof(ISubtaskGrain.OpenAsync), nameof(ISubtaskGrain.StartAsync), nameof(ICheckpointGrain.BeginAsync)];

    private readonly Lock _lock = new();
    private readonly Random _random = new(seed);
    private readonly ConcurrentDictionary<(string Method, MessageFault Fault), int> _counts = new();
    private readonly ConcurrentDictionary<(Incarnation From, Incarnation To, int Channel), long> _highest = new();
    private int _overtaken;
    private int _openings;
    private int _struckOpenings;

    /// <summary>How often a fault has struck.</summary>
    public int Count(MessageFault fault) => _counts.Where(count => count.Key.Fault == fault).Sum(static count => count.Value);

    /// <summary>How often a fault has struck calls of one method.</summary>
    public int Count(string method) => _counts.Where(count => count.Key.Method == method).Sum(static count => count.Value);

    /// <summary>How many envelopes arrived behind a later one of their channel, for the first time.</summary>
    public int Overtaken => _overtaken;

    public override string ToString() =>
        $"seed {seed}: {string.Join(", ", Enum.GetValues<MessageFault>().Select(fault => $"{fault} {Count(fault)}"))}, overtaken {Overtaken}; "
        + string.Join(", ", _counts.GroupBy(static count => count.Key.Method).OrderBy(static group => group.Key).Select(static group => $"{group.Key} {group.Sum(static count => count.Value)}"));

    public async Task Invoke(IIncomingGrainCallContext context)
    {
        var method = context.InterfaceMethod;
        var of = method?.DeclaringType;
        if (of != typeof(ISubtaskGrain) && of != typeof(ICheckpointGrain))
        {
            await context.Invoke();
            return;
        }

        var (fault, delay) = Draw(method!.Name);
        if (fault == MessageFault.LostRequest) throw new TimeoutException("The request was lost.");
        if (fault == MessageFault.Delayed) await Task.Delay(delay);
        var arguments = Enumerable.Range(0, context.Request.GetArgumentCount()).Select(context.Request.GetArgument).ToArray();
        if (arguments is [Envelope envelope]) NoteOrder(envelope);
        if (fault == MessageFault.Repeated) await AgainAsync(method, context.Grain, arguments);
        await context.Invoke();
        if (fault == MessageFault.AnswerDelayed) await Task.Delay(delay);
        if (fault == MessageFault.LostAnswer) throw new TimeoutException("The answer was lost.");
        if (fault == MessageFault.RepeatedLate) _ = LaterAsync(method, context.Grain, arguments, delay);
    }

    private (MessageFault? Fault, TimeSpan Delay) Draw(string method)
    {
        lock (_lock)
        {
            var kinds = Enum.GetValues<MessageFault>().Length;
            MessageFault fault;
            if (Openings.Contains(method))
            {
                if (_struckOpenings == openings || ++_openings % OpeningsBetweenFaults != 0) return (null, default);
                fault = (MessageFault)(_struckOpenings++ % kinds);
            }
            else
            {
                if (_random.NextDouble() >= share) return (null, default);
                fault = (MessageFault)_random.Next(kinds);
            }

            _counts.AddOrUpdate((method, fault), 1, static (_, count) => count + 1);
            return (fault, TimeSpan.FromMilliseconds(_random.Next(1, LongestDelayMs)));
        }
    }

    private void NoteOrder(Envelope envelope)
    {
        var channel = (envelope.FromIncarnation, envelope.ToIncarnation, envelope.Channel);
        var highest = _highest.AddOrUpdate(channel, envelope.Sequence, (_, known) => Math.Max(known, envelope.Sequence));
        if (highest > envelope.Sequence) Interlocked.Increment(ref _overtaken);
    }

    /// <summary>On the grain's own scheduler, as filters run there.</summary>
    private static async Task LaterAsync(MethodInfo method, object grain, object?[] arguments, TimeSpan delay)
    {
        await Task.Delay(delay);
        await AgainAsync(method, grain, arguments);
    }

    /// <summary>Carries a call out, for an answer that nobody gets.</summary>
    private static async Task AgainAsync(MethodInfo method, object grain, object?[] arguments)
    {
        try
        {
            switch (method.Invoke(grain, arguments))
            {
                case Task task:
                    await task;
                    break;
                case ValueTask task:
                    await task;
                    break;
                case ValueTask<PostReply> task:
                    await task;
                    break;
            }
        }
        catch (Exception error) when (error is not InvariantException and not TargetInvocationException { InnerException: InvariantException })
        {
        }
    }
}
