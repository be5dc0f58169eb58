using OrleansStream.Benchmarks.Input;
using OrleansStream.Graph;
using OrleansStream.State;

namespace OrleansStream.Benchmarks.Processes;

/// <summary>A job of the engine that can be spread over several silos, each a process of its own: all build it from the same settings.</summary>
internal interface ISpreadJob
{
    /// <summary>Makes the job, and its answer: that of what this process has written.</summary>
    (Action<JobGraph> Define, Func<Answer> Answer) Make(RunSettings settings);

    /// <summary>How many records go from each subtask of the source to each keyed subtask.</summary>
    Routes RoutesOf(RunSettings settings);
}

/// <summary>How many records go from one subtask to another: a row for each subtask of the source, a column for each keyed one.</summary>
internal sealed record Routes(long[,] Records)
{
    /// <summary>Counts the ways of the input's records.</summary>
    public static Routes Of<TRecord, TKey>(RecordInput<TRecord> input, RunSettings settings, Func<TRecord, TKey> key)
        where TRecord : struct, ITimedRecord<TRecord>
        where TKey : notnull
    {
        var routes = new long[settings.Parallelism, settings.Parallelism];
        var codec = KeyCodec<TKey>.Default;
        for (long next = 0; next < settings.Events;)
        {
            var records = input.From(next, settings.Events, out _);
            var split = (int)(next / RecordInput<TRecord>.BlockLength % settings.Parallelism);
            foreach (ref readonly var record in records)
            {
                var group = KeyGroups.Of(codec.Hash(key(record)), KeyGroups.DefaultMaxParallelism);
                routes[split, KeyGroups.Subtask(group, settings.Parallelism, KeyGroups.DefaultMaxParallelism)]++;
            }

            next += records.Length;
        }

        return new Routes(routes);
    }

    /// <summary>How many records went from one silo to another.</summary>
    /// <param name="sources">The silo of each subtask of the source.</param>
    /// <param name="keyed">The silo of each keyed subtask.</param>
    public long Crossing(IReadOnlyList<string> sources, IReadOnlyList<string> keyed)
    {
        var crossing = 0L;
        for (var from = 0; from < sources.Count; from++)
        {
            for (var to = 0; to < keyed.Count; to++)
            {
                if (sources[from] != keyed[to]) crossing += Records[from, to];
            }
        }

        return crossing;
    }
}
