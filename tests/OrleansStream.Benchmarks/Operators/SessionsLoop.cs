using System.Runtime.InteropServices;
using OrleansStream.Benchmarks.Aggregate;
using OrleansStream.Benchmarks.Input;

namespace OrleansStream.Benchmarks.Operators;

/// <summary>Sessions by hand, of records in the order of time: a session ends with the first record behind the gap.</summary>
internal sealed class SessionsLoop(SharedInput<Amount> input, long gapMs)
{
    public Answer Run(RunSettings settings)
    {
        var sessions = new Dictionary<int, Session>();
        var answer = default(Answer);
        input.ForEach(settings, (records, shift) =>
        {
            foreach (ref readonly var record in records)
            {
                var time = record.Time + shift;
                ref var session = ref CollectionsMarshal.GetValueRefOrAddDefault(sessions, record.Key, out var known);
                if (known && time - session.Last >= gapMs)
                {
                    answer += AnswerOf(record.Key, session.First, session.Total);
                    known = false;
                }

                if (!known) session = new Session { First = time };
                session.Last = time;
                session.Total.Add(record.Value);
            }
        });
        foreach (var (key, session) in sessions) answer += AnswerOf(key, session.First, session.Total);
        return answer;
    }

    public static Answer AnswerOf(int key, long start, in Total total) => Answer.Of((ulong)key, start ^ (total.Count << 48), total.Sum);

    private struct Session
    {
        public long First;
        public long Last;
        public Total Total;
    }
}
