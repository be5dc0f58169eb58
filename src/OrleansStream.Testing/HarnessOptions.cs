using Microsoft.Extensions.DependencyInjection;
using OrleansStream.Jobs;

namespace OrleansStream.Testing;

/// <summary>How a <see cref="JobHarness"/> runs a job.</summary>
public sealed record HarnessOptions
{
    /// <summary>Subtasks of each stage.</summary>
    public int Parallelism { get; init; } = 1;

    /// <summary>Key groups of the job: the highest parallelism that it can be restored at.</summary>
    public int MaxParallelism { get; init; } = 128;

    /// <summary>What <see cref="JobHarness.ProcessingTime"/> begins with, in milliseconds since 1970.</summary>
    public long ProcessingTime { get; init; }

    /// <summary>The arguments of the job, where one is run that takes some.</summary>
    public JobArguments? Arguments { get; init; }

    /// <summary>Adds what the job's functions ask for, beside the serializers.</summary>
    public Action<IServiceCollection>? ConfigureServices { get; init; }
}
