using System.Runtime.InteropServices;
using OrleansStream.Benchmarks.Aggregate;

namespace OrleansStream.Benchmarks.Operators;

/// <summary>The highest values of each key by hand. They are told at the end, where the engine tells of every change; added up, changes come to the same.</summary>
internal sealed class TopLoop(SharedInput<Amount> input, int count)
{
    public Answer Run(RunSettings settings)
    {
        var tops = new Dictionary<int, double[]>();
        input.ForEach(settings, (records, _) =>
        {
            foreach (ref readonly var record in records)
            {
                ref var top = ref CollectionsMarshal.GetValueRefOrAddDefault(tops, record.Key, out var known);
                if (!known) Array.Fill(top = new double[count], double.NegativeInfinity);
                if (record.Value <= top![^1]) continue;
                var at = count - 1;
                for (; at > 0 && top[at - 1] < record.Value; at--) top[at] = top[at - 1];
                top[at] = record.Value;
            }
        });
        var answer = default(Answer);
        foreach (var (key, top) in tops)
        {
            foreach (var value in top.Where(double.IsFinite)) answer += AnswerOf(key, value, isGone: false);
        }

        return answer;
    }

    public static Answer AnswerOf(int key, double value, bool isGone)
    {
        var answer = Answer.Of((ulong)key, 0, value);
        return isGone ? new Answer(-answer.Count, 0 - answer.Checksum) : answer;
    }
}
