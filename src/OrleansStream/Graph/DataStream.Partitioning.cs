using OrleansStream.Exchange;

namespace OrleansStream.Graph;

/// <content>Which subtask of the next operator a record goes to.</content>
public sealed partial class DataStream<T>
{
    /// <summary>Sends each record to a subtask of the next operator that is chosen by hand. The records that one subtask sends to another stay in order.</summary>
    /// <param name="partition">
    /// Chooses: gets the record and how many subtasks the next operator has, and returns which, from 0. A pure function; what it chooses for the same record is another at another parallelism.
    /// It ends the attempt when it throws or there is no such subtask.
    /// </param>
    public DataStream<T> PartitionBy(Func<T, int, int> partition)
    {
        ArgumentNullException.ThrowIfNull(partition);
        return Partitioned(Partitioning.ByHand, partition);
    }

    private DataStream<T> Partitioned(Partitioning partitioning, Func<T, int, int>? byHand = null)
    {
        RefusePartitioned(GraphDescription.MethodOf(partitioning));
        return new DataStream<T>(_graph, [.. _ports.Select(from => (from.Port, partitioning, byHand))]);
    }

    private DataStream<T> Merged(IEnumerable<DataStream<T>> others)
    {
        var ports = _ports.Concat(others.SelectMany(static other => other._ports)).ToList();
        foreach (var twice in ports.GroupBy(static from => from.Port).Where(static same => same.Count() > 1))
        {
            _graph.Refuse(twice.Key.Owner, $"a Merge has its records {twice.Count()} times; to double them on purpose, let SelectMany make two of one");
        }

        return new DataStream<T>(_graph, ports);
    }

    /// <summary>The way in which records were to be divided would have no effect.</summary>
    private void RefusePartitioned(string by)
    {
        foreach (var (port, partitioning, _) in _ports)
        {
            if (partitioning != Partitioning.Forward) _graph.Refuse(port.Owner, $"its records are divided by {GraphDescription.MethodOf(partitioning)} and at once anew by {by}; only the last has an effect, so leave the first out");
        }
    }
}
