using OrleansStream.Graph;

namespace OrleansStream.Jobs;

/// <summary>A job: defines its graph. Made on every silo, so it must define the same graph from the same arguments everywhere.</summary>
public interface IStreamJob
{
    /// <summary>Writes the job's graph down.</summary>
    /// <param name="graph">The graph to add to.</param>
    /// <param name="args">What the job was started with.</param>
    void Define(JobGraph graph, JobArguments args);
}
