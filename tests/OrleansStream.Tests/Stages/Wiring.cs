using Microsoft.Extensions.DependencyInjection;
using OrleansStream.Exchange;
using OrleansStream.Functions;
using OrleansStream.Jobs;
using OrleansStream.Sources;
using OrleansStream.Stages;
using OrleansStream.State;
using OrleansStream.Tests.State;
using Barrier = OrleansStream.Exchange.Barrier;

namespace OrleansStream.Tests.Stages;

/// <summary>What operators need to stand alone: a context, records, an end that remembers, channels between made-up subtasks.</summary>
internal static class Wiring
{
    public static readonly SubtaskId Upper = new(0, 0);
    public static readonly SubtaskId Lower = new(1, 0);
    public static readonly Incarnation UpperOpening = new(11);
    public static readonly Incarnation LowerOpening = new(22);

    public static SubtaskContext Context(SubtaskId? id = null, int parallelism = 1, string source = "", params SourceSplit[] splits) => Context(id, parallelism, 128, source, splits);

    public static SubtaskContext Context(SubtaskId? id, int parallelism, int maxParallelism, string source, SourceSplit[] splits)
    {
        var subtask = id ?? Lower;
        return new SubtaskContext
        {
            Job = "payments",
            Stage = "score",
            Id = subtask,
            Attempt = Attempt.First,
            Incarnation = LowerOpening,
            Parallelism = parallelism,
            MaxParallelism = maxParallelism,
            Services = new ServiceCollection().BuildServiceProvider(),
            Serializers = StateSetup.Serializers,
            State = new SubtaskState(KeyGroups.Range(subtask.Index, parallelism, maxParallelism), maxParallelism, StateSetup.Serializers),
            Splits = new Dictionary<string, IReadOnlyList<SourceSplit>> { [source] = splits },
        };
    }

    public static CheckpointId Checkpoint(long number) => new(Attempt.First, number);

    public static Barrier Barrier(long number, bool full = true) => new(Checkpoint(number), full);

    public static OutputChannel Output(int window = 16, int to = 0, int channel = 0)
    {
        var output = new OutputChannel(Upper, new SubtaskId(1, to), channel, window);
        output.Address(Attempt.First, UpperOpening, LowerOpening);
        return output;
    }

    /// <summary>An envelope of a made-up sender, numbered by hand.</summary>
    public static Envelope Envelope(long sequence, Batch? batch = null, int channel = 0, long watermark = long.MinValue, bool idle = false, Barrier? barrier = null, bool end = false, SubtaskId? from = null,
        bool more = false) => new()
        {
            Attempt = Attempt.First,
            From = from ?? Upper,
            FromIncarnation = UpperOpening,
            ToIncarnation = LowerOpening,
            Channel = channel,
            Sequence = sequence,
            Batch = batch,
            Watermark = watermark,
            Idle = idle,
            Barrier = barrier,
            End = end,
            More = more,
        };

    /// <summary>Everything that a channel may send now.</summary>
    public static List<Envelope> TakeAll(this OutputChannel channel)
    {
        var taken = new List<Envelope>();
        while (channel.TryTakeNext(out var envelope)) taken.Add(envelope);
        return taken;
    }

    public static void Give<T>(this Operator<T> to, params (T Value, long At)[] records) =>
        to.OnRecords(new Records<T>(records.Select(static r => r.Value).ToArray(), records.Select(static r => r.At).ToArray()));

    /// <summary>Gives records with the hashes of their keys, as a keyed exchange does.</summary>
    public static void GiveKeyed<TKey, T>(this Operator<T> to, Func<T, TKey> key, params (T Value, long At)[] records)
        where TKey : notnull => to.OnRecords(new Records<T>(
            records.Select(static r => r.Value).ToArray(), records.Select(static r => r.At).ToArray(), records.Select(r => KeyCodec<TKey>.Default.Hash(key(r.Value))).ToArray()));

    public static Batch<T> Batch<T>(params (T Value, long At)[] records) => new(records.Select(static r => r.Value).ToArray(), records.Select(static r => r.At).ToArray(), null);

    public static Failures<T> Failures<T>(SubtaskContext context, OnError onError = OnError.Fail, Remembering<DeadLetter<T>>? letters = null) =>
        new(context, "score", onError, letters is null ? new Output<DeadLetter<T>>([]) : new Output<DeadLetter<T>>([letters]));
}

/// <summary>The end of a chain that remembers what came: records with their times, and watermarks, in order.</summary>
internal sealed class Remembering<T> : Operator<T>
{
    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public Remembering() => Name = "remembering";

    public List<(T Value, long At)> Records { get; } = [];

    public List<long> Watermarks { get; } = [];

    /// <summary>Records and watermarks as text, in the order in which they came.</summary>
    public List<string> All { get; } = [];

    public IEnumerable<T> Values => Records.Select(static record => record.Value);

    public override void OnRecords(Records<T> records)
    {
        for (var i = 0; i < records.Count; i++)
        {
            Records.Add((records.Values[i], records.Timestamps[i]));
            All.Add($"{records.Values[i]}@{records.Timestamps[i]}");
        }
    }

    public override void OnWatermark(long watermark)
    {
        Watermarks.Add(watermark);
        All.Add($"|{watermark}");
    }
}
