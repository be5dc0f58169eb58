using OrleansStream.Benchmarks.Processes;

namespace OrleansStream.Benchmarks;

/// <summary>A number of results and a checksum of them that does not depend on their order.</summary>
[GenerateSerializer, Immutable]
internal readonly record struct Answer([property: Id(0)] long Count, [property: Id(1)] ulong Checksum)
{
    public static Answer operator +(Answer one, Answer other) => new(one.Count + other.Count, one.Checksum + other.Checksum);

    /// <summary>The answer of one result. One mixing only (the finalizer of MurmurHash3): where results are many, it is a part of everybody's time.</summary>
    public static Answer Of(ulong key, long number, double value)
    {
        var hash = (key * 0x9E3779B97F4A7C15UL) ^ ((ulong)number * 0xD1B54A32D192ED03UL) ^ ((ulong)BitConverter.DoubleToInt64Bits(value) * 0x8CB92BA72F3D8DD7UL);
        hash = (hash ^ (hash >> 33)) * 0xFF51AFD7ED558CCDUL;
        return new Answer(1, hash ^ (hash >> 29));
    }

    public override string ToString() => FormattableString.Invariant($"{Count} results, checksum {Checksum:x16}");
}

/// <summary>What a run came to.</summary>
/// <param name="Answer">Compared between contenders.</param>
/// <param name="Checkpoints">The checkpoints of the run, oldest first; empty where there are none.</param>
internal sealed record Outcome(Answer Answer, IReadOnlyList<Jobs.CheckpointStatus> Checkpoints)
{
    public Outcome(Answer answer)
        : this(answer, [])
    {
    }
}

/// <summary>Something that does the work: the engine, or a peer of it. Each gives the same answer.</summary>
internal interface IContender
{
    /// <summary>Names it in reports and for <c>--only</c>: lower-case words.</summary>
    string Name { get; }

    /// <summary>How it does the work, in one line.</summary>
    string Description { get; }

    /// <summary>The most records that it is given, so that the slow ones end.</summary>
    long MostEvents => long.MaxValue;

    /// <summary>Does the work once. A start-up that is no part of the work lies before <see cref="Measurement.Begin"/>, the end of it before <see cref="Measurement.End"/>.</summary>
    Task<Outcome> RunAsync(RunSettings settings);
}

/// <summary>A workload that all contenders do in turn; the first is ours.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">What is done.</param>
/// <param name="DefaultEvents">Records in each run unless given.</param>
/// <param name="Contenders">All contenders; the first is ours.</param>
/// <param name="Expected">The answer for a number of records, computed in the plainest way; it makes the input ready too.</param>
internal sealed record Contest(string Name, string Description, long DefaultEvents, IReadOnlyList<IContender> Contenders, Func<RunSettings, Answer> Expected) : IWorkload
{
    public int DefaultKeys { get; init; } = 10_000;

    /// <summary>Our own contender, when it can be spread over several processes.</summary>
    public ISpreadJob? SpreadJob => Contenders[0] as ISpreadJob;

    public async Task<int> RunAsync(RunSettings settings, string command)
    {
        var report = settings.Silos > 1
            ? await SpreadRunner.RunAsync(this, settings, command)
            : await Runner.RunAsync(this, Chosen(settings.Only), settings, command);
        report.Print(Console.Out);
        if (settings.Json is { } file) await File.WriteAllTextAsync(file, report.ToJson());
        return report.AnswersAreRight ? 0 : 1;
    }

    private IReadOnlyList<IContender> Chosen(IReadOnlyList<string> only)
    {
        foreach (var name in only)
        {
            if (Contenders.All(contender => contender.Name != name)) throw new BadSettingsException($"'{Name}' has no contender '{name}'. It has: {string.Join(", ", Contenders.Select(static contender => contender.Name))}.");
        }

        return only.Count == 0 ? Contenders : [.. Contenders.Where(contender => only.Contains(contender.Name))];
    }
}
