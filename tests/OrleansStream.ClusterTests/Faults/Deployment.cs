using System.Collections.Concurrent;
using OrleansStream.Exchange;
using OrleansStream.Jobs;
using OrleansStream.Stages;

namespace OrleansStream.ClusterTests.Faults;

/// <summary>Listens to how attempts are set up on silos of this process, and to what is refused: one instance for all silos.</summary>
internal sealed class Deployment : IIncomingGrainCallFilter
{
    private readonly ConcurrentDictionary<(Attempt, SubtaskId), SubtaskOpening> _openings = new();
    private readonly ConcurrentDictionary<Attempt, (SubtaskTable Table, string Coordinator)> _tables = new();
    private readonly ConcurrentDictionary<(Attempt, SubtaskId From, string To), Envelope> _sent = new();
    private readonly ConcurrentQueue<(Incarnation From, string Refusal)> _refusals = new();

    /// <summary>What each subtask of an attempt was opened with.</summary>
    public IReadOnlyList<SubtaskOpening> Openings(Attempt attempt) => [.. _openings.Where(opening => opening.Key.Item1 == attempt).Select(static opening => opening.Value).OrderBy(static opening => $"{opening.Id}")];

    /// <summary>The table of an attempt, and the silo of its coordinator.</summary>
    public (SubtaskTable Table, string Coordinator) TableOf(Attempt attempt) => _tables[attempt];

    /// <summary>The last envelope that was taken on each channel of an attempt, and the key of who took it.</summary>
    public IReadOnlyList<(string To, Envelope Envelope)> Sent(Attempt attempt) => [.. _sent.Where(sent => sent.Key.Item1 == attempt).Select(static sent => (sent.Key.To, sent.Value))];

    /// <summary>The envelopes that were refused: by which opening they were sent, and why.</summary>
    public IReadOnlyCollection<(Incarnation From, string Refusal)> Refusals => _refusals;

    public async Task Invoke(IIncomingGrainCallContext context)
    {
        await context.Invoke();
        if (context.InterfaceMethod?.DeclaringType != typeof(ISubtaskGrain)) return;
        switch (context.InterfaceMethod.Name)
        {
            case nameof(ISubtaskGrain.OpenAsync):
                var opening = (SubtaskOpening)context.Request.GetArgument(0)!;
                _openings.TryAdd((opening.Attempt, opening.Id), opening);
                break;
            case nameof(ISubtaskGrain.StartAsync):
                var attempt = _openings.Values.Single(known => Key(context).EndsWith($"|{known.Job}/{known.Attempt}/{known.Id}", StringComparison.Ordinal)).Attempt;
                _tables.TryAdd(attempt, ((SubtaskTable)context.Request.GetArgument(0)!, (string)context.Request.GetArgument(1)!));
                break;
            case nameof(ISubtaskGrain.PostAsync):
                var envelope = (Envelope)context.Request.GetArgument(0)!;
                if (context.Result is PostReply { Refusal: { } refusal }) _refusals.Enqueue((envelope.FromIncarnation, refusal));
                else _sent[(envelope.Attempt, envelope.From, Key(context))] = envelope;
                break;
        }
    }

    private static string Key(IIncomingGrainCallContext context) => context.TargetContext.GrainId.Key.ToString()!;
}
