using OrleansStream.Jobs;
using OrleansStream.Sinks;

namespace OrleansStream.Benchmarks.Input;

/// <summary>Folds results into an answer and keeps nothing else. At least once: for runs without restarts.</summary>
internal sealed class AnswerSink<T>(Func<T, Answer> answer) : Sink<T>
{
    private readonly Lock _lock = new();
    private readonly List<Writer> _writers = [];

    public override SinkGuarantee Guarantee => SinkGuarantee.AtLeastOnce;

    /// <summary>The answer of all that was written in this process; ask when the job has ended.</summary>
    public Answer Answer
    {
        get
        {
            lock (_lock) return _writers.Aggregate(default(Answer), static (sum, writer) => sum + writer.Answer);
        }
    }

    public override ValueTask<SinkWriter<T>> OpenAsync(SinkContext context, CancellationToken cancellation)
    {
        var writer = new Writer(answer);
        lock (_lock) _writers.Add(writer);
        return new(writer);
    }

    private sealed class Writer(Func<T, Answer> answer) : SinkWriter<T>
    {
        public Answer Answer { get; private set; }

        public override void Write(ReadOnlySpan<T> values, ReadOnlySpan<long> timestamps)
        {
            var sum = Answer;
            foreach (ref readonly var value in values) sum += answer(value);
            Answer = sum;
        }

        public override ValueTask<string?> PrepareAsync(CheckpointId checkpoint, CancellationToken cancellation) => new((string?)null);
    }
}
