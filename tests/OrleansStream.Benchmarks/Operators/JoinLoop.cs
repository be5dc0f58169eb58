using System.Runtime.InteropServices;
using OrleansStream.Benchmarks.Aggregate;
using OrleansStream.Benchmarks.Input;

namespace OrleansStream.Benchmarks.Operators;

/// <summary>An interval join by hand: of each key and side the records that may still find a partner.</summary>
internal sealed class JoinLoop(SharedInput<Amount> left, SharedInput<Amount> right, long boundMs)
{
    private readonly Dictionary<int, Sides> _sides = [];
    private Answer _answer;

    public Answer Run(RunSettings settings)
    {
        var (lefts, rights) = (left.Of(settings), right.Of(settings));
        // Half of the records are of each side, with the same times: block by block, the right ones behind the left ones.
        for (long n = 0; n < settings.Events / 2; n += RecordInput<Amount>.BlockLength)
        {
            var block = lefts.From(n, settings.Events / 2, out var shift);
            foreach (ref readonly var record in block) Add(record, record.Time + shift, isLeft: true);
            block = rights.From(n, settings.Events / 2, out shift);
            foreach (ref readonly var record in block) Add(record, record.Time + shift, isLeft: false);
        }

        return _answer;
    }

    public static Answer AnswerOf(in Amount left, in Amount right) => Answer.Of((ulong)left.Key, (left.Time * 31) + right.Time, left.Value - right.Value);

    private void Add(in Amount record, long time, bool isLeft)
    {
        ref var sides = ref CollectionsMarshal.GetValueRefOrAddDefault(_sides, record.Key, out var known);
        if (!known) sides = new Sides([], []);
        var (own, other) = isLeft ? (sides!.Left, sides.Right) : (sides!.Right, sides.Left);
        own.Enqueue((time, record.Value));
        while (other.Count > 0 && other.Peek().Time < time - boundMs - BlockMs) other.Dequeue();
        while (own.Count > 0 && own.Peek().Time < time - boundMs - BlockMs) own.Dequeue();
        foreach (var (otherTime, value) in other)
        {
            if (Math.Abs(otherTime - time) > boundMs) continue;
            var (one, two) = (new Amount(record.Key, record.Value, time), new Amount(record.Key, value, otherTime));
            _answer += isLeft ? AnswerOf(one, two) : AnswerOf(two, one);
        }
    }

    /// <summary>The left side is a block ahead.</summary>
    private const long BlockMs = (RecordInput<Amount>.BlockLength / RecordInput<Amount>.PerMillisecond) + 1;

    private sealed record Sides(Queue<(long Time, double Value)> Left, Queue<(long Time, double Value)> Right);
}
