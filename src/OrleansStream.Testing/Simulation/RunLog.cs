namespace OrleansStream.Testing.Simulation;

/// <summary>The last lines of a run's history.</summary>
internal sealed class RunLog
{
    private const int Most = 20_000;

    private readonly Queue<string> _lines = new();

    public IReadOnlyList<string> Lines => [.. _lines];

    public void Add(string line)
    {
        _lines.Enqueue(line);
        if (_lines.Count > Most) _lines.Dequeue();
    }
}
