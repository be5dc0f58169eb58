namespace OrleansStream.State;

/// <summary>
/// Divides keys among subtasks. A key belongs to the key group <c>hash mod maxParallelism</c> for ever; a subtask owns a run of neighbouring groups,
/// so that rescaling moves whole groups.
/// </summary>
internal static class KeyGroups
{
    public const int DefaultMaxParallelism = 128;
    public const int LargestMaxParallelism = 32_768;

    public static int Of(ulong hash, int maxParallelism) => (int)(hash % (uint)maxParallelism);

    public static int Subtask(int keyGroup, int parallelism, int maxParallelism) => (int)((long)keyGroup * parallelism / maxParallelism);

    /// <summary>The groups that a subtask owns: exactly those that <see cref="Subtask"/> sends to it.</summary>
    public static KeyGroupRange Range(int subtask, int parallelism, int maxParallelism)
    {
        var start = (int)(((long)subtask * maxParallelism + parallelism - 1) / parallelism);
        var end = (int)(((long)(subtask + 1) * maxParallelism + parallelism - 1) / parallelism);
        return new KeyGroupRange(start, end);
    }
}

/// <summary>Neighbouring key groups, the end exclusive.</summary>
[GenerateSerializer, Immutable]
internal readonly record struct KeyGroupRange([property: Id(0)] int Start, [property: Id(1)] int End)
{
    public bool Contains(int keyGroup) => keyGroup >= Start && keyGroup < End;

    public bool Overlaps(KeyGroupRange other) => Start < other.End && other.Start < End;
}
