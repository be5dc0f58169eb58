using System.Runtime.InteropServices;
using OrleansStream.Benchmarks.Aggregate;

namespace OrleansStream.Benchmarks.Operators;

/// <summary>
/// A pattern of three steps by hand: a value below 50, some later one of 500 or more, and directly behind that one of 900 or more, all within a time; after a match matching begins
/// anew behind it.
/// </summary>
internal sealed class PatternLoop(SharedInput<Amount> input, long withinMs)
{
    public const double Low = 50;
    public const double Middle = 500;
    public const double High = 900;

    public Answer Run(RunSettings settings)
    {
        var keys = new Dictionary<int, List<Partial>>();
        var answer = default(Answer);
        input.ForEach(settings, (records, shift) =>
        {
            foreach (ref readonly var record in records)
            {
                var time = record.Time + shift;
                ref var partial = ref CollectionsMarshal.GetValueRefOrAddDefault(keys, record.Key, out var known);
                if (!known) partial = [];
                answer += Step(partial!, record.Key, record.Value, time);
            }
        });
        return answer;
    }

    public static Answer AnswerOf(int key, long first, long last) => Answer.Of((ulong)key, (first * 31) + last, 0);

    private Answer Step(List<Partial> partial, int key, double value, long time)
    {
        partial.RemoveAll(one => time - one.First >= withinMs);
        for (var i = 0; i < partial.Count; i++)
        {
            var one = partial[i];
            if (one.Middle is null)
            {
                // The first that will do is the one that follows.
                if (value >= Middle) partial[i] = one with { Middle = time };
                continue;
            }

            if (value < High)
            {
                partial.RemoveAt(i--);
                continue;
            }

            partial.Clear();
            return AnswerOf(key, one.First, time);
        }

        if (value < Low) partial.Add(new Partial(time, null));
        return default;
    }

    private readonly record struct Partial(long First, long? Middle);
}
