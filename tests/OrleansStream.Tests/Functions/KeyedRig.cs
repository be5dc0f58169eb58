using OrleansStream.Functions;
using OrleansStream.Stages;
using OrleansStream.State;
using OrleansStream.Tests.Stages;

namespace OrleansStream.Tests.Functions;

/// <summary>A keyed function written in its test, over the states that it names, in an operator of its own. A record's first letter is its key.</summary>
internal sealed class KeyedRig
{
    private readonly Remembering<string> _results = new();

    public KeyedRig(IReadOnlyList<StateDeclaration> states, Step process, Step? timer = null, OnError onError = OnError.Fail, SubtaskContext? context = null)
    {
        States = states;
        Context = context ?? Wiring.Context();
        Scope = new KeyedScope<string, string>("score", Context, states, new Output<string>([_results]), new Dictionary<string, ISideOutput>(), undo: onError == OnError.DeadLetter);
        Operator = new KeyedOperator<string, string, string>(Context, Key, new Function(states, process, timer), Scope, Wiring.Failures(Context, onError, Letters)) { Name = "score" };
    }

    public delegate void Step(string record, ref KeyedContext<string, string> context);

    public IReadOnlyList<StateDeclaration> States { get; }

    public SubtaskContext Context { get; }

    public KeyedScope<string, string> Scope { get; }

    public KeyedOperator<string, string, string> Operator { get; }

    public Remembering<DeadLetter<string>> Letters { get; } = new();

    public static string Key(string record) => record[..1];

    /// <summary>Gives records, and returns what came of them.</summary>
    public IReadOnlyList<string> Give(params (string Record, long At)[] records)
    {
        Operator.GiveKeyed(Key, records);
        return Take();
    }

    /// <summary>Advances the watermark, and returns what timers gave.</summary>
    public IReadOnlyList<string> Advance(long watermark)
    {
        Operator.OnWatermark(watermark);
        return Take();
    }

    /// <summary>Moves the clock, and returns what timers gave.</summary>
    public IReadOnlyList<string> Pass(long now)
    {
        Context.Now = new Clock(now, now);
        if (Operator.NextTime <= now) Operator.OnTime();
        return Take();
    }

    private string[] Take()
    {
        string[] taken = [.. _results.Values];
        _results.Records.Clear();
        return taken;
    }

    private sealed class Function(IReadOnlyList<StateDeclaration> states, Step process, Step? timer) : KeyedFunction<string, string, string>
    {
        public override IReadOnlyList<StateDeclaration> States => states;

        public override void Process(in string record, ref KeyedContext<string, string> context) => process(record, ref context);

        public override void OnEventTimer(long timestamp, ref KeyedContext<string, string> context) => timer?.Invoke($"event {timestamp}", ref context);

        public override void OnProcessingTimer(long timestamp, ref KeyedContext<string, string> context) => timer?.Invoke($"clock {timestamp}", ref context);
    }
}
