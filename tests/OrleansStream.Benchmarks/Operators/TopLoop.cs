using System.Runtime.InteropServices;
using OrleansStream.Benchmarks.Aggregate;

namespace OrleansStream.Benchmarks.Operators;

/// <summary>The highest values of each key by hand; told at the end only.</summary>
internal sealed class TopLoop(SharedInput<Amount> input, int count)
{
    public Answer Run(RunSettings settings)
    {
        var tops = new Dictionary<int, double[]>();
        long entered = 0;
        double sum = 0;
        input.ForEach(settings, (records, _) =>
        {
            foreach (ref readonly var record in records)
            {
                ref var top = ref CollectionsMarshal.GetValueRefOrAddDefault(tops, record.Key, out var known);
                if (!known) Array.Fill(top = new double[count], double.NegativeInfinity);
                if (record.Value <= top![^1]) continue;
                // A record that enters is told, whatever leaves for it is told too.
                entered++;
                sum += record.Value;
                var at = count - 1;
                for (; at > 0 && top[at - 1] < record.Value; at--) top[at] = top[at - 1];
                top[at] = record.Value;
            }
        });
        return new Answer(entered, (ulong)sum);
    }
}
