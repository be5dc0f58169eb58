using OrleansStream.Benchmarks.Aggregate;

namespace OrleansStream.Benchmarks.Operators;

/// <summary>A timer per key by hand, moved on by each record: a priority queue, in which a timer that was moved leaves its old entry behind.</summary>
internal sealed class TimersLoop(SharedInput<Amount> input, long delayMs)
{
    public static Answer AnswerOf(int key, long due) => Answer.Of((ulong)key, due, 0);

    public Answer Run(RunSettings settings)
    {
        var due = new Dictionary<int, long>();
        var queue = new PriorityQueue<int, long>();
        var answer = default(Answer);
        input.ForEach(settings, (records, shift) =>
        {
            var watermark = long.MinValue;
            foreach (ref readonly var record in records)
            {
                var at = record.Time + shift + delayMs;
                due[record.Key] = at;
                queue.Enqueue(record.Key, at);
                watermark = record.Time + shift - 1;
            }

            Fire(watermark);
        });
        Fire(long.MaxValue);
        return answer;

        void Fire(long watermark)
        {
            while (queue.TryPeek(out var key, out var at) && at <= watermark)
            {
                queue.Dequeue();
                if (due.TryGetValue(key, out var live) && live == at && due.Remove(key)) answer += AnswerOf(key, at);
            }
        }
    }
}
